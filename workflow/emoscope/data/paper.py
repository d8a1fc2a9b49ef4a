"""What the set-up of the paper and of its companion write-ups was, and what a run shares with it."""

PAPER = {
    "corpus": {"repository": "dair-ai/emotion", "configuration": "unsplit", "duplicates": "keep"},
    "model": {"repository": "openai-community/gpt2"},
}
WRITEUP_CORPORA = {"stanfordnlp/imdb", "SemEvalWorkshop/sem_eval_2018_task_1"}  # those of prompt training


def shared_with_paper(settings: dict) -> set[str]:
    """Which of `corpus` and `model` in a run's settings are the paper's."""
    return {part for part, wanted in PAPER.items() if wanted.items() <= settings[part].items()}


def shared_with_writeups(model: dict, tasks: list[dict]) -> set[str]:
    """Which of `corpus` and `model` are those of the companion write-ups, given the settings of prompt training."""
    shared = {"model"} if PAPER["model"].items() <= model.items() else set()
    return shared | ({"corpus"} if {task.get("repository") for task in tasks} >= WRITEUP_CORPORA else set())
