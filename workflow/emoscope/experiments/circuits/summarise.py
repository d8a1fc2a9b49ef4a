"""How far estimates can be trusted, and how few parts keep what a flip changes: tables and quotable numbers."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.circuits.names import GRADIENT, INTEGRATED, KEPT, NODE, PATCHING, RANDOM
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.bootstrap import bootstrap_mean, bootstrap_statistic, on_a_grid
from emoscope.statistics.ranks import rank_agreement
from emoscope.statistics.settings import resampling
from emoscope.storage.files import write_table

FAITHFUL = 0.8  # share of the difference that a circuit has to keep to be called one
ROUNDING = 1e-4  # logits: a mean total below this is rounding, and has no shares
ESTIMATES = (INTEGRATED, GRADIENT)
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
            yield Finding(f"{axis}.{name}.{_named(method)}", found[number], low[number], high[number], note)
        if sample["half"].nunique() == 2:
            first, second = (table[method][(sample["half"] == half).to_numpy()].mean() for half in (0, 1))
            alike = rank_agreement(first.to_numpy()[None], second.to_numpy()[None])[0]
            yield Finding(f"{axis}.halves.{_named(method)}", alike, note=f"All {len(first)} parts.")
    others = [tuple(row) for row in checked.loc[~checked["largest"], NODE].itertuples(index=False)]
    if others:
        shares = table[PATCHING][others].mean().abs() / sample["total"].mean()
        yield Finding(f"{axis}.missed", shares.max(), note=f"The largest of {len(others)}.")


def circuits(axis: str, curves: Curves, sample: pd.DataFrame, options: dict) -> Iterator[Finding]:
    """`{axis}.{cpr|cmd|left}.{ranking}`, see `Curves.areas`; `{axis}.gain.{ranking}`, by how much smaller its `cmd` is
    than that of a random order; `{axis}.nodes.{ranking}`, the fewest nodes that were tried and keep FAITHFUL of the
    difference."""
    known = curves.areas(np.ones(len(sample)))
    rankings = [name for measure, name in known if measure == "cmd" and name != RANDOM]

    def measures(weights: np.ndarray) -> np.ndarray:
        areas = curves.areas(weights)
        gains = (areas["cmd", RANDOM] - areas["cmd", name] for name in rankings)
        return np.array([*areas.values(), *gains])

    found = measures(np.ones(len(sample)))
    low, high = bootstrap_statistic(measures, sample["cluster"].to_numpy(), **options)
    low, high = (np.broadcast_to(bound, found.shape) for bound in (low, high))
    names = [*known, *(("gain", name) for name in rankings)]
    note = f"{len(sample)} flips, each in the order that the other half of the texts gives."
    for number, (measure, ranking) in enumerate(names):
        yield Finding(f"{axis}.{measure}.{_named(ranking)}", found[number], low[number], high[number], note)
    table = curves.columns.assign(value=curves.shares(np.ones(len(sample))))
    kept = table[table["side"] == KEPT].groupby(["ranking", "nodes"])["value"].mean()
    for ranking, rows in kept.groupby(level="ranking"):
        fewest = rows[rows >= FAITHFUL].index.get_level_values("nodes").min()
        nodes = int(rows.index.get_level_values("nodes").max())
        yield Finding(f"{axis}.nodes.{_named(ranking)}", fewest, note=f"Of {nodes} heads and feed-forwards.")


def _named(method: str) -> str:
    return method.replace(" ", "_")
