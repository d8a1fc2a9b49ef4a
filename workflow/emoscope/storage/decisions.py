"""What is true of texts, and what a classifier decides: bool (texts, classes), for one label a text or several.

In tables, texts of one label have the column `label`, a class number, and those of several `labels`, a list of them; a
decision is likewise a number or a list. Light: neither torch nor a model is needed to read a table.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from emoscope.storage.files import read_json

SEVERAL = "multi_label_classification"  # what transformers calls a classifier that may give a text several labels
TRUTH = ["label", "labels"]  # the column that says what is true of a text: a table has one of them


def truth_name(table: pd.DataFrame) -> str:
    """The name of the column of TRUTH that a table has."""
    return next(name for name in TRUTH if name in table)


def without_truth(table: pd.DataFrame) -> pd.DataFrame:
    """A table of predictions without what is true of their texts, to be put beside the texts themselves."""
    return table.drop(columns=truth_name(table))


def has_several(table: pd.DataFrame) -> bool:
    """Whether the texts of a table may have several labels, or none."""
    return "labels" in table


def as_matrix(column: pd.Series, classes: int) -> np.ndarray:
    """Class numbers, or lists of them, as bool (rows, classes); a number below 0, or no list, is none."""
    if is_integer_dtype(column):
        return column.to_numpy()[:, None] == np.arange(classes)
    matrix = np.zeros((len(column), classes), dtype=bool)
    for row, numbers in zip(matrix, column, strict=True):
        row[[] if numbers is None else np.asarray(numbers, dtype=int)] = True
    return matrix


def as_column(matrix: np.ndarray) -> list[np.ndarray]:
    """Decisions on several labels, bool (rows, classes), as lists of class numbers."""
    return [np.flatnonzero(row).astype(np.int8) for row in matrix]


def truth_of(table: pd.DataFrame, classes: int) -> np.ndarray:
    """What is true of the texts of a table, bool (rows, classes)."""
    return as_matrix(table[truth_name(table)], classes)


def class_count(table: pd.DataFrame) -> int:
    """One more than the highest class number of the texts of a table."""
    column = table[truth_name(table)].dropna()
    return max(int(column.explode().max()) + 1, 0) if len(column.explode().dropna()) else 0


def same(one: pd.Series, other: pd.Series) -> np.ndarray:
    """Where two columns of numbers, or of ascending lists of them, say the same, bool (rows,)."""
    if is_integer_dtype(one):
        return one.to_numpy() == other.to_numpy()
    return np.array([np.array_equal(*both) for both in zip(one, other, strict=True)], dtype=bool)


def right(table: pd.DataFrame, decisions: np.ndarray) -> np.ndarray:
    """Whether decisions (rows, classes) are those that are true, each in whole, bool (rows,)."""
    return (decisions == truth_of(table, decisions.shape[1])).all(axis=1)


def labelled(table: pd.DataFrame) -> np.ndarray:
    """Of which texts it is known, bool (rows,); having no label of several is known, too."""
    column = table[truth_name(table)]
    return (column >= 0 if is_integer_dtype(column) else column.notna()).to_numpy()


def decided(probabilities: np.ndarray, thresholds: np.ndarray | None) -> np.ndarray:
    """Decisions, bool (rows, classes): every label whose probability reaches its own threshold, (classes,), or without
    thresholds the one class that is most probable."""
    if thresholds is None:
        return probabilities.argmax(axis=1)[:, None] == np.arange(probabilities.shape[1])
    return probabilities >= thresholds


def decisions_of(table: pd.DataFrame, name: str, probabilities: np.ndarray) -> np.ndarray:
    """The decisions of a table, bool (rows, classes): its column `name` where several labels were decided, each by a
    threshold that the table need not know; else the most probable class."""
    return as_matrix(table[name], probabilities.shape[1]) if name in table else decided(probabilities, None)


def read_thresholds(files: Sequence[Path], classes: Sequence[str]) -> np.ndarray | None:
    """The thresholds (classes,) in the file of a run; None for a run of one label a text, which has no such file."""
    if not files:
        return None
    found: Mapping[str, float] = read_json(files[0])["thresholds"]
    return np.array([found[name] for name in classes], dtype=np.float32)
