"""The quotable numbers of a companion write-up, one row each; the claims are judged on them."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.storage.files import write_csv


class Finding(NamedTuple):
    """A number with its interval, NaN where there is none, and a remark that says of how many what it is."""

    name: str
    value: float
    low: float = np.nan
    high: float = np.nan
    note: str = ""


def write_findings(findings: Iterable[Finding], path: Path) -> None:
    """Write `name, value, low, high, note` as CSV."""
    write_csv(pd.DataFrame(findings, columns=Finding._fields), path)
