"""The quotable numbers of an experiment or write-up, one row each; the claims are judged on them."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.storage.files import write_csv


class Finding(NamedTuple):
    """A number with its interval, NaN where there is none, and a remark that says of how many what it is.

    `code` is what the authors' code finds by its own procedure, where that is another one. `detectable` is the smallest
    effect that a sample like this one, of so many `texts`, shows with 80 % power; for a `rate`, the smallest that it
    shows to exceed the margin that counts as none. `within` and `beyond` are the p values of the tests that the effect
    lies within that margin, and that it lies beyond; with fewer texts than `fewest`, the former cannot be shown.
    `sentences`: how many independent ones, where the texts of a rate share some, so that betting tested it.
    """

    name: str
    value: float
    low: float = np.nan
    high: float = np.nan
    note: str = ""
    code: float = np.nan
    code_low: float = np.nan
    code_high: float = np.nan
    texts: float = np.nan
    rate: bool = False
    detectable: float = np.nan
    within: float = np.nan
    beyond: float = np.nan
    fewest: float = np.nan
    sentences: float = np.nan


ALWAYS = ["name", "value", "low", "high", "note"]


def in_findings(words: str) -> str:
    """Words of a table as names of findings have them."""
    return words.replace(",", "").replace(" ", "_")


def write_findings(findings: Iterable[Finding], path: Path) -> None:
    """Write findings as CSV: `name, value, low, high, note`, and of the other fields those that any of them has."""
    table = pd.DataFrame(findings, columns=Finding._fields)
    known = table.notna().assign(rate=table["rate"].astype(bool))  # 0 is a number, and False what a file does not say
    own = [name for name in Finding._fields[len(ALWAYS) :] if known[name].any()]
    write_csv(table[[*ALWAYS, *own]], path)


def read_findings(path: Path) -> dict[str, Finding]:
    """The findings in a file, by name."""
    table = pd.read_csv(path, float_precision="round_trip", dtype={"name": str, "note": str})
    rows = table.assign(note=table["note"].fillna("")).to_dict("records")
    return {row["name"]: Finding(**row) for row in rows}
