"""The figure of dose and response; nothing is computed here."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emoscope.data.planted.labels import GAPS
from emoscope.reporting.plots import MARKERS, PALETTE, legend_of, styled
from emoscope.verdicts.doses.summarise import TEMPLATES

SPREAD = 0.036  # over which the points of all seeds at one size lie, so that their intervals can be seen


@styled
def dose_response(points: pd.DataFrame) -> Figure:
    """A panel for each axis: found over planted, a point with its interval for each run, by seed; columns of `points`.

    Hollow marks are the templates. The dashed line is where what was planted is found at its size.
    """
    axes_of = list(dict.fromkeys(points["axis"]))
    figure = Figure(figsize=(4.4 * len(axes_of) + 0.4, 3.9), layout="constrained")
    grid = figure.subplots(1, len(axes_of), squeeze=False, sharey=True)[0]
    for panel, axis in zip(grid, axes_of, strict=True):
        _panel(panel, points[points["axis"] == axis], axis)
    figure.legend(*legend_of(grid), loc="outside upper left", ncols=3)
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, axis: str) -> None:
    most = rows["planted"].max()
    panel.axhline(0, color="#888", linewidth=0.8)
    panel.plot([0, most], [0, most], color="#888", linestyle="--", linewidth=1, label="found = planted")
    seeds = rows["seed"].nunique()
    apart = SPREAD / max(seeds, 3)
    for number, (seed, of) in enumerate(rows.groupby("seed")):
        for where, part in of.groupby("where"):
            beside = where == TEMPLATES
            place = part["planted"] + apart * (number - (seeds - 1) / 2) + (apart / 2 if beside else 0)
            colour = PALETTE[number % len(PALETTE)]
            panel.vlines(place, part["low"], part["high"], color=colour, linewidth=0.8 if beside else 1.4)
            panel.plot(
                place,
                part["value"],
                MARKERS[number % len(MARKERS)],
                color=colour,
                markerfacecolor="white" if beside else colour,
                markersize=5,
                label=f"seed {seed}" + (", templates" if beside else ""),
            )
    gap = GAPS[axis]
    panel.set_title(axis)
    panel.set(xlabel=f"planted: P({gap.emotion} | {gap.groups[0]}) minus P({gap.emotion} | {gap.groups[1]})")
    if panel.get_subplotspec().is_first_col():
        panel.set(ylabel="found by flips")
