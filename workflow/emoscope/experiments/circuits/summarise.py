"""How far estimates can be trusted, and how few parts keep what a flip changes: tables and quotable numbers."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.circuits.names import (
    GRADIENT,
    INTEGRATED,
    KEPT,
    MASKING,
    NODE,
    PATCHING,
    RANDOM,
    in_findings,
)
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.bootstrap import bootstrap_mean, bootstrap_statistic, on_a_grid
from emoscope.statistics.ranks import rank_agreement
from emoscope.statistics.settings import resampling
from emoscope.storage.files import write_table

TOLERATED = 0.2  # how far from the whole difference what a circuit keeps may be, short of it or beyond
ROUNDING = 1e-4  # logits: a mean total below this is rounding, and has no shares
ESTIMATES = (INTEGRATED, GRADIENT)
RIVALS = {"gain": RANDOM, "gain_on_masking": MASKING}  # orders that others are held against
SIZE_COLUMNS = ["ranking", "side", "nodes", "share", "value", "low", "high"]
PART_COLUMNS = [*NODE, *ESTIMATES, PATCHING, "largest", "random"]


@dataclass(frozen=True)
class Curves:
    """What every pair keeps at every size, in logits (pairs, columns); a column for each row of `columns`: `ranking,
    draw, side, nodes`; and the pairs' totals (pairs,)."""

    values: np.ndarray
    columns: pd.DataFrame
    totals: np.ndarray

    def shares(self, weights: np.ndarray) -> np.ndarray:
        """Shares of the difference (columns,): the sum of what is kept over that of the totals."""
        return weights @ self.values / (weights @ self.totals)

    @cached_property
    def each(self) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
        """Of every single curve: ranking, side, its columns from none to all, and the share of the nodes at each."""
        groups = self.columns.sort_values("nodes").groupby(["ranking", "draw", "side"], sort=False)["nodes"]
        return [
            (ranking, side, nodes.index.to_numpy(), (nodes / nodes.max()).to_numpy())
            for (ranking, _, side), nodes in groups
        ]

    def areas(self, weights: np.ndarray) -> dict[tuple[str, str], float]:
        """By measure and ranking, the mean over its draws of an area over the share of nodes, from none to all: under
        what is kept (`cpr`), between that and the whole difference (`cmd`; Mueller et al. 2025, arXiv:2504.13151), and
        under what is left when the nodes are replaced instead (`left`)."""
        shares, found = self.shares(weights), defaultdict(list)
        for ranking, side, numbers, places in self.each:
            there = shares[numbers]
            heights = {"cpr": there, "cmd": np.abs(1 - there)} if side == KEPT else {"left": there}
            for measure, height in heights.items():
                found[measure, ranking].append(np.trapezoid(height, places))
        return {name: float(np.mean(areas)) for name, areas in found.items()}

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

    def fewest(self, weights: np.ndarray) -> dict[tuple[str, str], float]:
        """By `nodes` and ranking, the fewest nodes from which on what is kept stays within TOLERATED of the whole
        difference, at that and all larger sizes that were tried; of several draws their mean distance counts."""
        distances, draws = np.abs(1 - self.shares(weights)), defaultdict(list)
        for ranking, side, numbers, _ in self.each:
            if side == KEPT:
                draws[ranking].append(distances[numbers])
        found = {}
        for ranking, apart in draws.items():
            far = np.flatnonzero(~(np.mean(apart, axis=0) <= TOLERATED))  # NaN is not near
            found["nodes", ranking] = np.append(self.tried, np.nan)[far[-1] + 1 if len(far) else 0]
        return found

    @cached_property
    def tried(self) -> np.ndarray:
        """How many nodes were kept, rising."""
        return np.unique(self.columns["nodes"])


def summarise_circuits(
    sample: list[Path],
    effects: list[Path],
    checked: list[Path],
    curves: list[Path],
    axes: dict,
    statistics: dict,
    parts: list[Path],
    sizes: list[Path],
    findings: Path,
) -> None:
    """Write for every axis the tables of `part_table` and `size_table`, and what they say as findings; the lists of
    files are in the order of `axes["axes"]`."""
    found: list[Finding] = []
    for number, axis in enumerate(axes["axes"]):
        files = (sample, effects, checked, curves)
        flips, effect, chosen, curve = (pd.read_parquet(paths[number]) for paths in files)
        told = flips["total"].mean() > ROUNDING if len(flips) else False
        options = resampling(statistics)
        kept = curves_of(flips, curve) if told and len(curve) else None
        write_table(part_table(flips, effect, chosen) if told else pd.DataFrame(columns=PART_COLUMNS), parts[number])
        write_table(size_table(kept, flips, options) if kept else pd.DataFrame(columns=SIZE_COLUMNS), sizes[number])
        if len(flips):
            found.append(margin(axis, flips, options))
        if told:
            found += agreement(axis, flips, effect, chosen, options)
        if kept:
            found += circuits(axis, kept, flips, options)
    write_findings(found, findings)


def part_table(sample: pd.DataFrame, effects: pd.DataFrame, checked: pd.DataFrame) -> pd.DataFrame:
    """PART_COLUMNS: the share of the difference that each part carries, estimated and, where it was, patched; `largest`
    and `random`: why it was patched."""
    means = effects.groupby([*NODE, "method"], sort=False)["effect"].mean() / sample["total"].mean()
    table = means.unstack("method").reindex(columns=[*ESTIMATES, PATCHING]).reset_index()
    table = table.merge(checked, on=NODE, how="left")
    return table.assign(**{name: table[name].eq(True) for name in ("largest", "random")})[PART_COLUMNS]


def curves_of(sample: pd.DataFrame, curves: pd.DataFrame) -> Curves:
    key = ["ranking", "draw", "side", "nodes"]
    table = curves.pivot(index="pair", columns=key, values="effect").reindex(sample["pair"])
    totals = sample["total"].to_numpy()
    return Curves(on_a_grid(table.to_numpy(), len(table)), table.columns.to_frame(index=False), totals)


def size_table(curves: Curves, sample: pd.DataFrame, options: dict) -> pd.DataFrame:
    """SIZE_COLUMNS: the share of the difference that is there with the first `nodes` of a ranking kept, and all others
    replaced, or the other way round; the mean over draws, with bootstrap intervals over texts. `share` is that of all
    nodes."""
    key = ["ranking", "side", "nodes"]
    codes = curves.columns.groupby(key, sort=False).ngroup().to_numpy()
    drawn = np.bincount(codes)

    def shares(weights: np.ndarray) -> np.ndarray:
        return np.bincount(codes, curves.shares(weights)) / drawn

    low, high = bootstrap_statistic(shares, sample["cluster"].to_numpy(), **options)
    table = curves.columns[key].drop_duplicates(ignore_index=True)
    table = table.assign(value=shares(np.ones(len(sample))), low=low, high=high)
    return table.assign(share=table["nodes"] / table["nodes"].max())[SIZE_COLUMNS]


def margin(axis: str, sample: pd.DataFrame, options: dict) -> Finding:
    """`{axis}.margin`: how far the pairs move the margin, in logits."""
    low, high = bootstrap_mean(sample["total"].to_numpy(), sample["cluster"].to_numpy(), **options)
    texts = sample["cluster"].nunique()
    return Finding(f"{axis}.margin", sample["total"].mean(), low, high, f"{len(sample)} flips.", texts=texts)


def agreement(
    axis: str, sample: pd.DataFrame, effects: pd.DataFrame, checked: pd.DataFrame, options: dict
) -> Iterator[Finding]:
    """Estimates against patching, over parts drawn by chance: `{axis}.rank_correlation.{method}`, and
    `{axis}.error.{method}`, the mean absolute error over the mean absolute effect. `{axis}.halves.{method}`: the rank
    correlation of the estimates in one half of the texts with those in the other. `{axis}.missed`: the largest share
    of the difference of a part that was drawn and is not among those estimated largest."""
    table = effects.pivot(index="pair", columns=["method", *NODE], values="effect").reindex(sample["pair"])
    nodes = [tuple(row) for row in checked.loc[checked["random"], NODE].itertuples(index=False)]
    exact = table[PATCHING][nodes].to_numpy()
    clusters, ones = sample["cluster"].to_numpy(), np.ones(len(sample))
    note = f"{len(nodes)} parts drawn by chance, {len(sample)} flips."
    for method in ESTIMATES:
        estimated = table[method][nodes].to_numpy()

        def compare(weights: np.ndarray, estimated: np.ndarray = estimated) -> np.ndarray:
            one, other = weights @ estimated, weights @ exact
            size = np.abs(other).sum()
            error = np.abs(one - other).sum() / size if size else np.nan
            return np.array([rank_agreement(one[None], other[None])[0], error])

        found = compare(ones)
        low, high = bootstrap_statistic(compare, clusters, **options)
        low, high = (np.broadcast_to(bound, found.shape) for bound in (low, high))
        for number, name in enumerate(("rank_correlation", "error")):
            yield Finding(f"{axis}.{name}.{in_findings(method)}", found[number], low[number], high[number], note)
        if sample["half"].nunique() == 2:
            halves = partial(_halves, table[method].to_numpy(), sample["half"].to_numpy())
            bounds = bootstrap_statistic(halves, clusters, **options)
            told = f"All {table[method].shape[1]} parts."
            yield Finding(f"{axis}.halves.{in_findings(method)}", halves(ones), *bounds, told)
    others = [tuple(row) for row in checked.loc[~checked["largest"], NODE].itertuples(index=False)]
    if others:
        shares = table[PATCHING][others].mean().abs() / sample["total"].mean()
        yield Finding(f"{axis}.missed", shares.max(), note=f"The largest of {len(others)}.")


def _halves(values: np.ndarray, half: np.ndarray, weights: np.ndarray) -> float:
    """The rank correlation of both halves' means of values (pairs, parts); NaN if one has no weight."""
    sides = [weights * (half == side) for side in (0, 1)]
    if not all(side.any() for side in sides):
        return np.nan
    first, second = (side @ values for side in sides)
    return rank_agreement(first[None], second[None])[0]


def circuits(axis: str, curves: Curves, sample: pd.DataFrame, options: dict) -> Iterator[Finding]:
    """`{axis}.{cpr|cmd|left}.{ranking}`, see `Curves.areas`; `{axis}.gain.{ranking}` and, of estimates,
    `{axis}.gain_on_masking.{ranking}`, see `Curves.gains`; `{axis}.nodes.{ranking}`, see `Curves.fewest`, its interval
    between sizes that were tried."""

    def measures(weights: np.ndarray) -> dict[tuple[str, str], float]:
        areas = curves.areas(weights)
        return areas | curves.gains(areas) | curves.fewest(weights)

    found = measures(np.ones(len(sample)))
    low, high = bootstrap_statistic(
        lambda weights: np.array(list(measures(weights).values())), sample["cluster"].to_numpy(), **options
    )
    note = f"{len(sample)} flips, each in the order that the other half of the texts gives."
    bounds = zip(*(np.broadcast_to(bound, len(found)) for bound in (low, high)), strict=True)
    for ((measure, ranking), value), (below, above) in zip(found.items(), bounds, strict=True):
        told = note
        if measure == "nodes":
            below, above = _tried_around(curves.tried, below, above)
            told = f"Of {curves.tried[-1]} heads and feed-forwards."
        yield Finding(f"{axis}.{measure}.{in_findings(ranking)}", value, below, above, told)


def _tried_around(sizes: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """The largest of rising sizes that is not above `low`, and the smallest that is not below `high`."""
    if np.isnan(low) or np.isnan(high):
        return np.nan, np.nan
    return sizes[np.searchsorted(sizes, low, "right") - 1], sizes[np.searchsorted(sizes, high)]
