"""What is measured on every judged text, before and after a mask."""

import numpy as np
import pandas as pd

MASK = ["block", "head", "condition"]
PAIR = ["first_block", "first_head", "second_block", "second_head"]
MEASURES = ("probability", "first_class", "margin", "accuracy")
SCALE = np.array([1, 1, 4, 1])  # the logistic curve's slope is 1/4 at most: a logit moved by 4 m moves no P by over m


def measures(table: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """The MEASURES of every row before differences are taken, float (rows, 4)."""
    probabilities = table[[f"p_{name}" for name in classes]].to_numpy(dtype=float)
    logits = table[[f"logit_{name}" for name in classes]].to_numpy(dtype=float)
    rows, group = np.arange(len(table)), table["group"].to_numpy()
    rivals = logits.copy()
    rivals[rows, group] = -np.inf
    return np.column_stack([
        probabilities[rows, group],
        probabilities[:, 0],
        logits[rows, group] - rivals.max(axis=1),
        probabilities.argmax(axis=1) == table["label"].to_numpy(),
    ])  # fmt: skip


def class_columns(table: pd.DataFrame, prefix: str) -> list[str]:
    """Class names in the order of the columns that start with `prefix`."""
    return [name.removeprefix(prefix) for name in table.columns if name.startswith(prefix)]
