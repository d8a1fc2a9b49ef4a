"""Labels as files have them, names or numbers, and the classes they mean."""

import pandas as pd

from emoscope.errors import UserError


def known_labels(classes: list[str]) -> dict[str, int]:
    """The position of the class that each label means: its name, or its position unless some class is called so."""
    # whole numbers turn into 1.0 wherever a table has had a gap
    positions = {written: number for number in range(len(classes)) for written in (f"{number}", f"{number}.0")}
    named = {name: number for number, name in enumerate(classes)}
    return named if positions.keys() & named.keys() else positions | named  # a class called 1 is not position 1


def class_numbers(labels: pd.Series, classes: list[str], where: pd.Series, hint: str) -> pd.Series:
    """The position in `classes` of each label, which is a class's name or its position; int, on the same index.

    `where` says of each label where it stands: UserError names that of the first unknown one, and ends with the hint.
    """
    known = known_labels(classes)
    numbers = labels.map(lambda label: known.get(str(label).strip()))
    if numbers.isna().any():
        row = numbers.isna().idxmax()
        raise UserError(f"{where[row]}: unknown label {str(labels[row])!r}; known: {', '.join(classes)}; {hint}")
    return numbers.astype(int)
