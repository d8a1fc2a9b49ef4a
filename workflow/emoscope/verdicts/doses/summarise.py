"""Dose and response: gaps planted at several sizes beside the gaps that flips find, over runs of several seeds."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.data.planted.labels import GAPS
from emoscope.statistics.rates import effective_rows, wilson_interval
from emoscope.statistics.settings import alpha_of
from emoscope.statistics.slopes import slopes_over_groups
from emoscope.storage.files import read_json, write_csv

TEMPLATES = "templates"  # the other texts are the test texts of the kind in which the gap was planted
SERIES = ["axis", "where"]


def summarise_doses(
    axes: list[str],
    truths: list[Path],
    gaps: list[Path],
    summaries: list[Path],
    statistics: dict,
    points: Path,
    lines: Path,
    power: Path,
) -> None:
    """Write what each run finds, the lines through these points, and how often each size is flagged, as CSV.

    `truths` has a file for each run; `gaps`, the ground truth, and `summaries`, the effects of flips, have one for each
    axis of each run, runs first.
    """
    alpha = alpha_of(statistics)
    table = pd.DataFrame(_points(axes, truths, gaps, summaries))
    write_csv(table, points)
    write_csv(lines_through(table, alpha), lines)
    write_csv(power_of(table, alpha), power)


def _points(axes: list[str], truths: list[Path], gaps: list[Path], summaries: list[Path]) -> Iterator[dict]:
    cases = product(map(read_json, truths), axes)
    for (truth, axis), gap, summary in zip(cases, gaps, summaries, strict=True):
        found = pd.read_csv(gap)
        yield from points_of(axis, truth, found[found["where"] == GAPS[axis].kind], pd.read_parquet(summary))


def points_of(axis: str, truth: dict, found: pd.DataFrame, summary: pd.DataFrame) -> Iterator[dict]:
    """Of one run and axis the gap in the sentences where it was planted, and in the templates if there are some.

    `found` is the row of the ground truth on these sentences, none if the corpus has none. Columns: `axis, where, run,
    seed, size` (as configured), `planted` (what label noise leaves of it), `value, low, high`, and `flagged`: the
    interval leaves zero out, on the planted side if there is one.
    """
    templates = summary[(summary["origin"] == "template") & (summary["measure"] == f"gap_{GAPS[axis].emotion}")]
    for _, own in found.iterrows():
        size = truth["effects"][axis]["size"]
        for where, row in ((own["where"], own), *((TEMPLATES, row) for _, row in templates.iterrows())):
            flagged = row["low"] > 0 or (size == 0 and row["high"] < 0)
            yield {
                "axis": axis,
                "where": where,
                "run": own["run"],
                "seed": truth["seed"],
                "size": size,
                "planted": own["expected"],
                **row[["value", "low", "high"]],
                "flagged": bool(flagged),
            }


def lines_through(points: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Of each axis and kind of text the line of what was found on what was planted, and on what was planted on the
    other axis: `slope, low, high, leak, leak_low, leak_high, runs, seeds, verdict`.

    Both by least squares over all runs. Runs of one seed share texts and weights to start with, and may learn a gap at
    a rate of their own, so that seeds are independent and runs are not: see `slopes_over_groups`.
    """
    planted = points.drop_duplicates(["run", "axis"]).pivot(index="run", columns="axis", values="planted")
    return pd.DataFrame(_line(*key, rows, planted, alpha) for key, rows in points.groupby(SERIES, sort=False))


def _line(axis: str, where: str, rows: pd.DataFrame, planted: pd.DataFrame, alpha: float) -> dict:
    doses = planted.loc[rows["run"]]
    others = doses.drop(columns=axis)
    others = others.loc[:, others.notna().all() & (others.nunique() > 1)]
    design, seeds = doses[[axis]].join(others).to_numpy(), rows["seed"].to_numpy()
    found, (low, high) = slopes_over_groups(design, rows["value"].to_numpy(), seeds, alpha)
    own = {"slope": found[0], "low": low[0], "high": high[0]}
    leak = dict.fromkeys(("leak", "leak_low", "leak_high"), np.nan)
    if len(found) > 1:
        leak = {"leak": found[1], "leak_low": low[1], "leak_high": high[1]}
    counts = {"runs": len(rows), "seeds": rows["seed"].nunique()}
    return {"axis": axis, "where": where, **own, **leak, **counts, "verdict": line_verdict(low[0], high[0])}


def line_verdict(low: float, high: float) -> str:
    """found: gaps are found at their size, slope 1, and not nil whatever was planted, slope 0; partly found: they grow
    with what was planted, at another rate; missed: they do not, or not as fast; cannot tell: 0 and 1 both fit."""
    if low > 0:
        return "found" if low <= 1 <= high else "partly found"
    return "cannot tell" if np.isnan(low) or high >= 1 else "missed"


def power_of(points: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """At each size the share of runs that flag it: `axis, where, size, runs, flagged, value, low, high`.

    With Wilson's interval, in which runs of one seed, which share texts, count by their effective number; at size 0
    that is the share of false alarms.
    """
    rows = []
    for key, own in points.groupby([*SERIES, "size"]):
        share, independent = own["flagged"].mean(), effective_rows(own["flagged"], own["seed"].to_numpy(), alpha)
        interval = wilson_interval(share * independent, independent, alpha)
        rows.append((*key, len(own), own["flagged"].sum(), share, *interval))
    return pd.DataFrame(rows, columns=[*SERIES, "size", "runs", "flagged", "value", "low", "high"])
