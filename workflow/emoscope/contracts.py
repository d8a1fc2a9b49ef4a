"""What several experiments agree on: names and numbers in the tables, and what the paper's set-up was."""

WHOLE_BLOCK = -1  # in the column `head`: the whole block, not one of its heads
ALL = "all"  # in the column `group`: the samples of every class together
NONE = -1  # in the columns `unit`, `block` and `head` of the tables on traced pairs: of no single one
TOP = 0.05  # share of the dimensions that count as the largest
PAPER = {
    "corpus": {"repository": "dair-ai/emotion", "configuration": "unsplit", "duplicates": "keep"},
    "model": {"repository": "openai-community/gpt2"},
}


def shared_with_paper(settings: dict) -> set[str]:
    """Which of `corpus` and `model` in a run's settings are the paper's."""
    return {part for part, wanted in PAPER.items() if wanted.items() <= settings[part].items()}
