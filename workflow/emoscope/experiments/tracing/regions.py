"""What the tables of dimensions say: which stand out at the paper's places, and which several axes share."""

from collections.abc import Mapping, Sequence

import pandas as pd

from emoscope.storage.names import TOP

LEVEL = 0.05
PAPER_WIDTH = 768
REGIONS = {380: (370, 390), 620: (610, 630)}  # the paper's "around 380 and 620", of 768 dimensions


def paper_regions(panels: Mapping[str, pd.DataFrame]) -> dict[int, list[int]]:
    """The dimensions at the paper's places, carried over to a residual stream of another width by proportion."""
    width = 1 + max(int(table["dimension"].max()) for table in panels.values())
    return {
        place: list(range(round(low * width / PAPER_WIDTH), round(high * width / PAPER_WIDTH) + 1))
        for place, (low, high) in REGIONS.items()
    }


def region_test(table: pd.DataFrame, dimensions: Sequence[int]) -> dict[str, float]:
    """How many of some `dimensions` stand out, how many of as many others would, and the largest of them.

    `table` has a row for each dimension of the residual stream on one scale: `dimension, value, p_adjusted`.
    """
    here = table[table["dimension"].isin(dimensions)]
    largest = here.loc[here["value"].idxmax()]
    return {
        "size": len(here),
        "standing_out": int((here["p_adjusted"] < LEVEL).sum()),
        "expected": len(here) * (table["p_adjusted"] < LEVEL).mean(),
        "largest": largest["value"],
        "p_adjusted": largest["p_adjusted"],
    }


def shared_dimensions(tables: Sequence[pd.DataFrame]) -> tuple[list[int], int, float]:
    """Which of the TOP largest dimensions several axes share, of how many, and how many chance would let them share.

    Each of `tables` has a row for every dimension, `dimension, value`.
    """
    width = len(tables[0])
    count = max(1, round(TOP * width))
    tops = [set(table.nlargest(count, "value")["dimension"]) for table in tables]
    return sorted(set.intersection(*tops)), count, width * (count / width) ** len(tops)
