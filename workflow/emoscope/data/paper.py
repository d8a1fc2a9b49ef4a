"""What the set-up of the paper and of its companion write-ups was, and what a run shares with it."""

from collections.abc import Mapping

PAPER = {
    "corpus": {"repository": "dair-ai/emotion", "configuration": "unsplit", "duplicates": "keep"},
    "model": {"repository": "openai-community/gpt2"},
}
SPLIT, RECIPE = {"method": "shuffled", "test": 0.2}, {"epochs": 2, "balance": "none"}
WRITEUP_CORPORA = {"stanfordnlp/imdb", "SemEvalWorkshop/sem_eval_2018_task_1"}  # those of prompt training


def shared_with_paper(corpus: dict, model: dict, training: dict | str) -> set[str]:
    """Which of `corpus`, cut as the paper cut it, and `model`, fine-tuned as the paper did, are the paper's."""
    alike = {
        "corpus": _holds(PAPER["corpus"], corpus) and _holds(SPLIT, corpus.get("split")),
        "model": _holds(PAPER["model"], model) and _holds(RECIPE, training),
    }
    return {part for part, same in alike.items() if same}


def shared_with_writeups(model: dict, tasks: list[dict]) -> set[str]:
    """Which of `corpus` and `model` are those of the companion write-ups, given the settings of prompt training."""
    shared = {"model"} if _holds(PAPER["model"], model) else set()
    return shared | ({"corpus"} if {task.get("repository") for task in tasks} >= WRITEUP_CORPORA else set())


def _holds(wanted: dict, settings: dict | str | None) -> bool:
    return isinstance(settings, Mapping) and wanted.items() <= settings.items()
