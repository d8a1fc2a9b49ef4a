"""What prompts say of texts, as probabilities and predictions, and what the texts are."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from emoscope.storage.names import ALL


class Answer(NamedTuple):
    """What one prompt says of one task's test texts: probability and 0/1 prediction, both (texts, classes)."""

    texts: str
    task: str
    label: str
    epochs: int
    classes: list[str]
    score: np.ndarray
    predicted: np.ndarray

    @property
    def own(self) -> bool:
        """Is it the prompt of the texts' own task, and of the whole of it?"""
        return self.texts == self.task and self.label == ALL


def answers_of(scores: pd.DataFrame, tasks: dict[str, dict]) -> list[Answer]:
    """Turn the logits of `scores` into probabilities and predictions, prompt by prompt."""
    answers = []
    for (texts, task, label, epochs), rows in scores.groupby(["texts", "task", "label", "epochs"], sort=False):
        classes = list(dict.fromkeys(rows["class"]))
        logits = rows["logit"].to_numpy(float).reshape(-1, len(classes))
        if label == ALL and tasks[task]["kind"] == "multiple":
            score, predicted = expit(logits), logits > 0
        else:
            score, predicted = softmax(logits, axis=1), np.eye(len(classes), dtype=bool)[logits.argmax(axis=1)]
        answers.append(Answer(texts, task, label, int(epochs), classes, score, predicted))
    return answers


def truth_of(table: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """The 0/1 columns of a task's texts, bool (texts, classes)."""
    return table[[f"is_{name}" for name in classes]].to_numpy(bool)
