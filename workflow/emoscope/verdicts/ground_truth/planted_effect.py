"""What is said of one planted effect, or of the absence of one."""

from typing import NamedTuple


class PlantedEffect(NamedTuple):
    """One planted effect, or absence of one, and what was found: a value with its interval on a number of texts.

    `where` names the texts: the kind of sentence, `emotion word`, `test texts`, `templates`, or the word replaced.
    `verdict` is found, partly found, missed or cannot tell; where an absence was planted, found means none was seen.
    """

    axis: str
    where: str
    planted: str
    expected: float
    value: float
    low: float
    high: float
    texts: int
    verdict: str
    note: str = ""
