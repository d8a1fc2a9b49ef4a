"""What several experiments agree on: names in tables, which pairs count, what the paper's set-up was."""

import pandas as pd

WHOLE_BLOCK = -1  # in the column `head`: the whole block, not one of its heads
ALL = "all"  # in the column `group`: the samples of every class together
PAIR_KEY = ["id", "axis", "origin", "term"]  # what identifies a perturbed pair
LARGE = 0.1  # the paper's threshold: a class's probability changes by 10 % or more
UNFIT = {"uncertain", "gender-locked"}  # flags of pairs that no rate counts: a guess, or a text the flip makes absurd
PAPER = {
    "corpus": {"repository": "dair-ai/emotion", "configuration": "unsplit", "duplicates": "keep"},
    "model": {"repository": "openai-community/gpt2"},
}


def shared_with_paper(settings: dict) -> set[str]:
    """Which of `corpus` and `model` in a run's settings are the paper's."""
    return {part for part, wanted in PAPER.items() if wanted.items() <= settings[part].items()}


def countable(pairs: pd.DataFrame) -> pd.Series:
    """True for the pairs whose `flags` let them count in rates and means."""
    return pairs["flags"].map(lambda flags: UNFIT.isdisjoint(flags)).astype(bool)
