"""Labels as files have them, names or numbers, one or several a text, and the classes they mean."""

import ast
from collections.abc import Sequence
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd

from emoscope.errors import UserError

YES_NO = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}  # 1.0 wherever a column has had a gap


def known_labels(classes: list[str], numbered: bool = True) -> dict[str, int]:
    """The position of the class that each label means: its name, or, if classes are `numbered` by their positions, its
    position unless some class is called so."""
    # whole numbers turn into 1.0 wherever a table has had a gap
    positions = {written: number for number in range(len(classes)) for written in (f"{number}", f"{number}.0")}
    named = {name: number for number, name in enumerate(classes)}
    if not numbered or positions.keys() & named.keys():  # a class called 1 is not position 1
        return named
    return positions | named


def class_numbers(
    labels: pd.Series, classes: list[str], where: pd.Series, hint: str, numbered: bool = True
) -> pd.Series:
    """The position in `classes` of each label, which is known as `known_labels` has it; int, on the same index.

    `where` says of each label where it stands: UserError names that of the first unknown one, and ends with the hint.
    """
    known = known_labels(classes, numbered)
    if (missing := labels.isna()).any():
        raise UserError(f"{where[missing.idxmax()]}: no label; write one, or take the row away")
    numbers = labels.map(lambda label: known.get(str(label).strip()))
    if numbers.isna().any():
        row = numbers.isna().idxmax()
        raise _unknown(where[row], labels[row], classes, hint)
    return numbers.astype(int)


def yes_no(table: pd.DataFrame, labels: Sequence[str], where: pd.Series) -> pd.DataFrame:
    """The columns of these names as numbers 0 and 1; UserError names the place of another value."""
    labels = list(labels)
    numbers = table[labels].apply(lambda column: column.map(lambda value: YES_NO.get(str(value).strip().lower())))
    if numbers.isna().to_numpy().any():
        row, column = np.argwhere(numbers.isna().to_numpy())[0]
        raise UserError(
            f"{where[row]}: column {labels[column]!r} holds {str(table[labels[column]][row])!r}; it should be 0 or 1"
        )
    return numbers.astype("int8")


def written_labels(cell: Any, where: str) -> list[str]:
    """The labels in a cell: a list, or a text such as `joy|love` or `["joy", "love"]`; none if it is empty."""
    if isinstance(cell, list | tuple | np.ndarray):
        if any(label is None or label != label for label in cell):
            raise UserError(f"{where}: a label in the list is missing; write it, or take it away")
        return list(map(str, cell))
    text = "" if pd.isna(cell) else str(cell).strip()
    if not text.startswith("["):
        return [label.strip() for label in text.split("|")] if text else []
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise UserError(f'{where}: {text!r} is no list of labels; write `joy|love` or `["joy", "love"]`')
    return list(map(str, found))


def sets_of_numbers(
    labels: pd.Series, classes: list[str], where: pd.Series, hint: str, numbered: bool = True
) -> pd.Series:
    """The positions in `classes` of each text's labels, sorted, each once, as int8; errors as for `class_numbers`."""
    known = known_labels(classes, numbered)

    def numbers(own: list[str], place: str) -> np.ndarray:
        for label in own:
            if label.strip() not in known:
                raise _unknown(place, label, classes, hint)
        return np.array(sorted({known[label.strip()] for label in own}), dtype="int8")

    return pd.Series([numbers(*pair) for pair in zip(labels, where, strict=True)], labels.index, dtype=object)


def _unknown(where: str, label: Any, classes: list[str], hint: str) -> UserError:
    if normalize("NFC", str(label).strip()) in [normalize("NFC", name) for name in classes]:
        hint = (
            "a letter of it is written by other characters than there (Unicode's forms NFC and NFD); write both alike"
        )
    return UserError(f"{where}: unknown label {str(label)!r}; known: {', '.join(classes)}; {hint}")
