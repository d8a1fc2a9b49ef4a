"""What is kept of the difference between two texts by how much of a circuit: areas, sizes, and their comparison."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from emoscope.experiments.circuits.names import KEPT, MASKING, RANDOM
from emoscope.statistics.bootstrap import bootstrap_statistic, on_a_grid
from emoscope.statistics.clusters import Interval
from emoscope.statistics.draws import next_draw

TOLERATED = 0.2  # how far from the whole difference what a circuit keeps may be, short of it or beyond
RIVALS = {"gain": RANDOM, "gain_on_masking": MASKING}  # orders that others are held against
SIZE_COLUMNS = ["ranking", "side", "size", "share", "value", "low", "high"]


@dataclass(frozen=True)
class Curves:
    """What every pair keeps at every size, in logits (pairs, columns); a column for each row of `columns`: `ranking,
    draw, side, size`; and the pairs' totals (pairs,). A size is a number of parts, be they nodes or edges."""

    values: np.ndarray
    columns: pd.DataFrame
    totals: np.ndarray

    def shares(self, weights: np.ndarray) -> np.ndarray:
        """Shares of the difference (columns,): the sum of what is kept over that of the totals."""
        return weights @ self.values / (weights @ self.totals)

    @cached_property
    def each(self) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
        """Of every single curve: ranking, side, its columns from none to all, and the share of the parts at each."""
        groups = self.columns.sort_values("size").groupby(["ranking", "draw", "side"], sort=False)["size"]
        return [
            (ranking, side, sizes.index.to_numpy(), (sizes / sizes.max()).to_numpy())
            for (ranking, _, side), sizes in groups
        ]

    def areas(self, weights: np.ndarray) -> dict[tuple[str, str], float]:
        """By measure and ranking, the mean over its draws of what `areas_of_each` finds."""
        return {name: float(np.mean(areas)) for name, areas in self.areas_of_each(weights).items()}

    def areas_of_each(self, weights: np.ndarray) -> dict[tuple[str, str], list[float]]:
        """By measure and ranking, each draw's area over the share of parts, from none to all: under what is kept
        (`cpr`), between that and the whole difference (`cmd`; Mueller et al. 2025, arXiv:2504.13151), and under what is
        left when the parts are replaced instead (`left`)."""
        shares, found = self.shares(weights), defaultdict(list)
        for ranking, side, numbers, places in self.each:
            there = shares[numbers]
            heights = {"cpr": there, "cmd": np.abs(1 - there)} if side == KEPT else {"left": there}
            for measure, height in heights.items():
                found[measure, ranking].append(np.trapezoid(height, places))
        return dict(found)

    def gains(self, areas: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
        """By name and ranking, by how much smaller its `cmd` is than that of one of RIVALS, a random order's or
        masking's; masking's itself is held against random orders alone."""
        ranked = [ranking for measure, ranking in areas if measure == "cmd"]
        return {
            (name, ranking): areas["cmd", rival] - areas["cmd", ranking]
            for name, rival in RIVALS.items()
            if rival in ranked
            for ranking in ranked
            if ranking not in (rival, RANDOM)
        }

    def gain_on_one(self, ranking: str, half: np.ndarray, alpha: float) -> Interval:
        """Between which bounds lies by how much smaller the `cmd` of a ranking is than that of one more random order.

        An order is a single draw for all pairs, however many they are: one that finds nothing is another random order,
        and is better than their mean half of the time. So it is placed among them: see `next_draw`. By estimates, each
        half of the pairs, `half` (pairs,), has an order of its own, and their mean is steadier than one random order's;
        so each half is judged by itself, and the bounds take in those of both."""
        bounds = []
        for side in np.unique(half):
            areas = self.areas_of_each((half == side).astype(np.float64))
            bounds.append(next_draw(np.array(areas["cmd", RANDOM]) - areas["cmd", ranking][0], alpha))
        low, high = zip(*bounds, strict=True)
        return Interval(np.min(low), np.max(high))

    def fewest(self, weights: np.ndarray) -> dict[tuple[str, str], float]:
        """By `fewest` and ranking, the fewest parts from which on what is kept stays within TOLERATED of the whole
        difference, at that and all larger sizes that were tried; of several draws, what half of them get by with."""
        distances, draws = np.abs(1 - self.shares(weights)), defaultdict(list)
        for ranking, side, numbers, _ in self.each:
            if side == KEPT:
                far = np.flatnonzero(~(distances[numbers] <= TOLERATED))  # NaN is not near
                draws[ranking].append(np.append(self.tried, np.nan)[far[-1] + 1 if len(far) else 0])
        return {("fewest", ranking): float(np.sort(sizes)[(len(sizes) - 1) // 2]) for ranking, sizes in draws.items()}

    @cached_property
    def tried(self) -> np.ndarray:
        """How many parts were kept, rising."""
        return np.unique(self.columns["size"])


def as_curves(sample: pd.DataFrame, curves: pd.DataFrame) -> Curves:
    """The table `curves` of the pairs in `sample`, both as `find_circuits` or `find_edges` writes them; values are on a
    grid, see `on_a_grid`."""
    key = ["ranking", "draw", "side", "size"]
    table = curves.pivot(index="pair", columns=key, values="effect").reindex(sample["pair"])
    totals = sample["total"].to_numpy()
    return Curves(on_a_grid(table.to_numpy(), len(table)), table.columns.to_frame(index=False), totals)


def size_table(curves: Curves, sample: pd.DataFrame, options: dict) -> pd.DataFrame:
    """SIZE_COLUMNS: the share of the difference that is there with the first parts of a ranking kept, `size` of them,
    and all others replaced, or the other way round; the mean over draws, with bootstrap intervals over texts. `share`
    is that of all parts."""
    key = ["ranking", "side", "size"]
    codes = curves.columns.groupby(key, sort=False).ngroup().to_numpy()
    drawn = np.bincount(codes)

    def shares(weights: np.ndarray) -> np.ndarray:
        return np.bincount(codes, curves.shares(weights)) / drawn

    low, high = bootstrap_statistic(shares, sample["cluster"].to_numpy(), **options)
    table = curves.columns[key].drop_duplicates(ignore_index=True)
    table = table.assign(value=shares(np.ones(len(sample))), low=low, high=high)
    return table.assign(share=table["size"] / table["size"].max())[SIZE_COLUMNS]


def tried_around(sizes: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """The largest of rising sizes that is not above `low`, and the smallest that is not below `high`."""
    if np.isnan(low) or np.isnan(high):
        return np.nan, np.nan
    return sizes[np.searchsorted(sizes, low, "right") - 1], sizes[np.searchsorted(sizes, high)]
