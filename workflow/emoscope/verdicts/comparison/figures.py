"""The figures of the comparison page; nothing is computed here."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emoscope.reporting.plots import (
    DIVERGING,
    MARKERS,
    MOST_ANNOTATED,
    PALETTE,
    as_percent,
    draw_band,
    in_cell,
    legend_of,
    styled,
)
from emoscope.storage.names import ALL

ACROSS = 3  # panels side by side


@styled
def group_intervals(panels: Mapping[str, pd.DataFrame], percent: bool = False, zero: bool = False) -> Figure:
    """Groups below each other, a panel for each measure; a ring is one seed. Columns `group, run, value, low, high`.

    `zero` draws a line there; an interval that is NaN is not drawn.
    """
    groups = list(dict.fromkeys(group for table in panels.values() for group in table["group"]))
    across, down = min(ACROSS, len(panels)), math.ceil(len(panels) / ACROSS)
    figure = Figure(figsize=(9.6, down * (0.34 * len(groups) + 0.95)), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for axes, (title, table) in zip(grid, panels.items(), strict=False):
        whole = (table["run"] == ALL).to_numpy()
        for number, group in enumerate(groups):
            rows = table[whole & (table["group"] == group)]
            colour, place = PALETTE[number % len(PALETTE)], [number] * len(rows)
            axes.hlines(place, rows["low"], rows["high"], color=colour, linewidth=1.6)
            axes.plot(rows["value"], place, MARKERS[number % len(MARKERS)], color=colour, markersize=5)
            seeds = table[~whole & (table["group"] == group)]
            if len(seeds) > 1:
                axes.scatter(seeds["value"], [number + 0.25] * len(seeds), s=14, facecolor="none", edgecolor=colour)
        if zero:
            axes.axvline(0, color="#888", linewidth=0.8)
        if percent:
            axes.xaxis.set_major_formatter(as_percent)
        axes.locator_params(axis="x", nbins=4)
        axes.set(title=title, yticks=range(len(groups)), yticklabels=groups, ylim=(len(groups) - 0.4, -0.6))
        axes.grid(axis="y", color="#eee")
        axes.set_axisbelow(True)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    return figure


@styled
def depth_profiles(rows: Mapping[str, Mapping[str, pd.DataFrame]]) -> Figure:
    """Effect of each block over its relative depth: thick lines are groups with their intervals, thin ones are runs.

    Rows of panels by title, and in each the panels by measure: columns `group, run, depth, value, low, high`.
    """
    measures = list(next(iter(rows.values())))
    groups = list(dict.fromkeys(name for row in rows.values() for table in row.values() for name in table["group"]))
    figure = Figure(figsize=(9.6, 2.3 * len(rows) + 0.3 + 0.2 * math.ceil(len(groups) / 3)), layout="constrained")
    grid = figure.subplots(len(rows), len(measures), squeeze=False, sharex=True, sharey="col")
    for line, (title, row) in zip(grid, rows.items(), strict=True):
        for axes, (measure, table) in zip(line, row.items(), strict=True):
            axes.axhline(0, color="#888", linewidth=0.8)
            _profiles(axes, table, groups)
            axes.set_title(title)
            axes.set(xlim=(0, 1), ylabel=measure)
    for axes in grid[-1]:
        axes.set_xlabel("relative depth: middle of the block / number of blocks")
    figure.legend(*legend_of(grid.flat), loc="outside upper left", ncols=3)
    return figure


def _profiles(axes: Axes, table: pd.DataFrame, groups: Sequence[str]) -> None:
    for number, group in enumerate(groups):
        colour, of = PALETTE[number % len(PALETTE)], table[table["group"] == group]
        whole, runs = of[of["run"] == ALL].sort_values("depth"), of[of["run"] != ALL]
        draw_band(axes, whole["depth"], whole, number, group, linewidth=1.7)
        if runs["run"].nunique() > 1:
            for _, run in runs.sort_values("depth").groupby("run", sort=False):
                axes.plot(run["depth"], run["value"], color=colour, linewidth=0.6, alpha=0.8)


@styled
def correlation_maps(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """Mean rank correlations, groups by groups, side by side; a cell without a pair of runs stays empty."""
    size = max(len(table) for table in panels.values())
    annotated = size <= MOST_ANNOTATED
    side = max(1.6, 0.55 * size) if annotated else 0.2 * size
    figure = Figure(figsize=(min(12, (side + 1.9) * len(panels)), side + 1.1), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (title, table) in zip(grid, panels.items(), strict=True):
        bar = {"label": "rank correlation"} if axes is grid[-1] else None
        colours = {"cmap": DIVERGING, "vmin": -1, "vmax": 1, "cbar": axes is grid[-1], "cbar_kws": bar}
        shown = table.map(in_cell) if annotated else False
        sns.heatmap(table, ax=axes, **colours, annot=shown, fmt="", linewidths=1, annot_kws={"size": 8})
        axes.set(xlabel="", ylabel="")
        axes.set_title(title)
        axes.tick_params(axis="y", rotation=0, length=0)
        axes.tick_params(axis="x", rotation=30 if annotated else 90, length=0)
    return figure


@styled
def concentration(curves: pd.DataFrame, label: str) -> Figure:
    """How much the most important heads carry, a line for each run: columns `group, run, share, carried, noise`.

    Dashed is what they would carry by noise alone; not drawn where it is NaN.
    """
    names = curves["group"].nunique() + 1
    figure = Figure(figsize=(6.4, 3.2 + 0.2 * math.ceil(names / 3)), layout="constrained")
    axes = figure.subplots()
    for number, (group, of) in enumerate(curves.groupby("group", sort=False)):
        for place, (_, run) in enumerate(of.groupby("run", sort=False)):
            colour = PALETTE[number % len(PALETTE)]
            look = {"marker": MARKERS[number % len(MARKERS)], "markevery": 0.1, "markersize": 3, "linewidth": 1.2}
            axes.plot(run["share"], run["carried"], color=colour, label=None if place else group, **look)
            axes.plot(run["share"], run["noise"], color=colour, linestyle="--", linewidth=0.8)
    axes.plot([], [], color="#888", linestyle="--", linewidth=0.8, label="noise alone")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of the model's heads, the most important first", ylabel=label)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(as_percent)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
