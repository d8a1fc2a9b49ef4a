"""How far estimates can be trusted, and how few parts keep what a flip changes: tables and quotable numbers."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.circuits.curves import SIZE_COLUMNS, Curves, as_curves, size_table, tried_around
from emoscope.experiments.circuits.names import (
    GRADIENT,
    INTEGRATED,
    NODE,
    PASSED_OVER,
    PATCHING,
    called,
)
from emoscope.perturbation.inside.names import FLIP, NEUTRAL, ROUNDING
from emoscope.reporting.findings import Finding, in_findings, write_findings
from emoscope.statistics.bootstrap import bootstrap_mean, bootstrap_statistic
from emoscope.statistics.ranks import rank_agreement
from emoscope.statistics.settings import resampling
from emoscope.storage.files import write_table

ESTIMATES = (INTEGRATED, GRADIENT)
SHARE_COLUMNS = [*ESTIMATES, PATCHING, "largest", "random"]


def summarise_circuits(
    sample: list[Path],
    effects: list[Path],
    checked: list[Path],
    curves: list[Path],
    axes: list[str],
    statistics: dict,
    parts: list[Path],
    sizes: list[Path],
    findings: Path,
) -> None:
    """Write for every axis the tables of `part_table` and `size_table`, and what they say as findings; the lists of
    files are in the order of `axes`."""
    found: list[Finding] = []
    for number, axis in enumerate(axes):
        moved, *measured = (pd.read_parquet(paths[number]) for paths in (sample, effects, checked, curves))
        flips, options = moved[moved["kind"] == FLIP], resampling(statistics)
        shares, kept, told = axis_tables(axis, flips, measured, options, NODE, ("parts", "heads and MLPs"))
        write_table(shares, parts[number])
        write_table(kept, sizes[number])
        found += [*(margins(axis, moved, options) if len(flips) else passed_over(axis, moved)), *told]
    write_findings(found, findings)


def axis_tables(
    axis: str, flips: pd.DataFrame, measured: list[pd.DataFrame], options: dict, key: list[str], names: tuple[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame, list[Finding]]:
    """`part_table` and `size_table` of effects, of what was checked and of curves, and what they say of parts or edges,
    by these names; empty of flips that move no margin, the second also where no circuit was kept."""
    effects, checked, curves = measured
    sizes = pd.DataFrame(columns=SIZE_COLUMNS)
    if not flips["total"].mean() > ROUNDING:  # nor of no flips, whose mean is NaN
        return pd.DataFrame(columns=[*key, *SHARE_COLUMNS]), sizes, []
    found = [*agreement(axis, flips, effects, checked, options, key, names[0])]
    if key == NODE:
        found += first_block(axis, flips, effects, options)
    if len(curves):
        kept = as_curves(flips, curves)
        sizes = size_table(kept, flips, options)
        found += circuits(axis, kept, flips, options, names[1])
    return part_table(flips, effects, checked, key), sizes, found


def part_table(
    sample: pd.DataFrame, effects: pd.DataFrame, checked: pd.DataFrame, key: list[str] = NODE
) -> pd.DataFrame:
    """The `key`, and of each part the share of the difference that it carries, estimated and, where it was, patched;
    `largest` and `random`: why it was patched."""
    means = effects.groupby([*key, "method"], sort=False)["effect"].mean() / sample["total"].mean()
    table = means.unstack("method").reindex(columns=[*ESTIMATES, PATCHING]).reset_index()
    table = table.merge(checked, on=key, how="left")
    table = table.assign(**{name: table[name].eq(True) for name in ("largest", "random")})
    return table[[*key, *SHARE_COLUMNS]]


def margins(axis: str, sample: pd.DataFrame, options: dict) -> Iterator[Finding]:
    """`{axis}.margin` and, of neutral swaps, `{axis}.neutral.margin`: how far pairs move the margin, in logits. It is
    that of the two classes which a pair moves most, so that it never falls, whatever is exchanged."""
    for name, kind in ((f"{axis}.margin", FLIP), (f"{axis}.neutral.margin", NEUTRAL)):
        if len(rows := sample[sample["kind"] == kind]):
            low, high = bootstrap_mean(rows["total"].to_numpy(), rows["cluster"].to_numpy(), **options)
            note = f"{len(rows)} {called(axis)[kind == NEUTRAL]}s."
            yield Finding(name, rows["total"].mean(), low, high, note, texts=rows["cluster"].nunique())


def passed_over(axis: str, sample: pd.DataFrame) -> Iterator[Finding]:
    """`{axis}.passed_over`: of how many flips none could be looked into; nothing where there are none at all."""
    if count := int((sample["kind"] == PASSED_OVER).sum()):
        yield Finding(f"{axis}.passed_over", count, note="Flips, none of which could be looked into.")


def agreement(
    axis: str,
    sample: pd.DataFrame,
    effects: pd.DataFrame,
    checked: pd.DataFrame,
    options: dict,
    key: list[str],
    what: str,
) -> Iterator[Finding]:
    """Estimates against patching, over parts drawn by chance: `{axis}.rank_correlation.{method}`, and
    `{axis}.error.{method}`, the mean absolute error over the mean absolute effect, whose interval begins at 0.
    `{axis}.halves.{method}`, of parts: the rank correlation of the estimates in one half of the texts with those in
    the other. `{axis}.missed`: the largest share of the difference of a part that was drawn and is not among those
    estimated largest."""
    table = effects.pivot(index="pair", columns=["method", *key], values="effect").reindex(sample["pair"])
    nodes = [tuple(row) for row in checked.loc[checked["random"], key].itertuples(index=False)]
    exact = table[PATCHING][nodes].to_numpy()
    clusters, ones = sample["cluster"].to_numpy(), np.ones(len(sample))
    note = f"{len(nodes)} {what} drawn by chance, {len(sample)} {called(axis)[0]}s."
    for method in ESTIMATES:
        estimated = table[method][nodes].to_numpy()

        def compare(weights: np.ndarray, estimated: np.ndarray = estimated) -> np.ndarray:
            one, other = weights @ estimated, weights @ exact
            size = np.abs(other).sum()
            error = np.abs(one - other).sum() / size if size else np.nan
            return np.array([rank_agreement(one[None], other[None])[0], error])

        found = compare(ones)
        bounds = bootstrap_statistic(compare, clusters, **options)
        low, high = (np.broadcast_to(bound, found.shape).copy() for bound in bounds)
        low[1] = np.minimum(low[1], 0)  # an absolute error only grows with texts drawn anew: it is bounded from above
        for number, name in enumerate(("rank_correlation", "error")):
            yield Finding(f"{axis}.{name}.{in_findings(method)}", found[number], low[number], high[number], note)
        if key == NODE and sample["half"].nunique() == 2:  # of few edges, most the largest, halves would say nothing
            halves = partial(_halves, table[method].to_numpy(), sample["half"].to_numpy())
            bounds = bootstrap_statistic(halves, clusters, **options)
            told = f"All {table[method].shape[1]} parts."
            yield Finding(f"{axis}.halves.{in_findings(method)}", halves(ones), *bounds, told)
    others = [tuple(row) for row in checked.loc[~checked["largest"], key].itertuples(index=False)]
    if others:
        shares = table[PATCHING][others].mean().abs() / sample["total"].mean()
        yield Finding(f"{axis}.missed", shares.max(), note=f"The largest of {len(others)}.")


def first_block(axis: str, sample: pd.DataFrame, effects: pd.DataFrame, options: dict) -> Iterator[Finding]:
    """`{axis}.first_block_leads`: the share of the difference that the attention of the first block carries, as
    integrated gradients estimate it, less the largest that another block's does; nothing if there is no other block."""
    own = effects[(effects["site"] == "attention") & (effects["method"] == INTEGRATED)]
    values = own.pivot(index="pair", columns="block", values="effect").reindex(sample["pair"]).to_numpy()
    totals = sample["total"].to_numpy()

    def lead(weights: np.ndarray) -> float:
        shares = weights @ values / (weights @ totals)
        return shares[0] - shares[1:].max()

    if values.shape[1] > 1:
        bounds = bootstrap_statistic(lead, sample["cluster"].to_numpy(), **options)
        note = f"Of {values.shape[1]} blocks, {len(sample)} {called(axis)[0]}s."
        yield Finding(f"{axis}.first_block_leads", lead(np.ones(len(sample))), *bounds, note)


def _halves(values: np.ndarray, half: np.ndarray, weights: np.ndarray) -> float:
    """The rank correlation of both halves' means of values (pairs, parts); NaN if one has no weight."""
    sides = [weights * (half == side) for side in (0, 1)]
    if not all(side.any() for side in sides):
        return np.nan
    first, second = (side @ values for side in sides)
    return rank_agreement(first[None], second[None])[0]


def circuits(
    axis: str, curves: Curves, sample: pd.DataFrame, options: dict, what: str = "heads and MLPs"
) -> Iterator[Finding]:
    """`{axis}.{cpr|cmd|left}.{ranking}`, see `Curves.areas_of_each`; `{axis}.gain.{ranking}` and, of estimates,
    `{axis}.gain_on_masking.{ranking}`, see `Curves.gains`; `{axis}.fewest.{ranking}`, see `Curves.fewest`, its interval
    between sizes that were tried. Intervals are over texts; that of `gain`, which random orders widen, takes in
    `Curves.gain_on_one`, too. That of `gain_on_masking` knows nothing of orders: see `page.verdicts`."""

    def measures(weights: np.ndarray) -> dict[tuple[str, str], float]:
        areas = curves.areas(weights)
        return areas | curves.gains(areas) | curves.fewest(weights)

    found = measures(np.ones(len(sample)))
    low, high = bootstrap_statistic(
        lambda weights: np.array(list(measures(weights).values())), sample["cluster"].to_numpy(), **options
    )
    note = f"{len(sample)} {called(axis)[0]}s, each in the order that the other half of the texts gives."
    bounds = zip(*(np.broadcast_to(bound, len(found)) for bound in (low, high)), strict=True)
    for ((measure, ranking), value), (below, above) in zip(found.items(), bounds, strict=True):
        told = note
        if measure == "fewest":
            below, above = tried_around(curves.tried, below, above)
            told = f"Of {curves.tried[-1]} {what}."
        if measure == "gain":
            one_more = curves.gain_on_one(ranking, sample["half"].to_numpy(), options["alpha"])
            below, above = np.min([below, one_more.low]), np.max([above, one_more.high])
        yield Finding(f"{axis}.{measure}.{in_findings(ranking)}", value, below, above, told)
