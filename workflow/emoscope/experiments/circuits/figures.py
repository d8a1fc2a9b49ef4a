"""The figures of the page on circuits; nothing is computed here."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from emoscope.experiments.circuits.names import KEPT, PATCHING, REPLACED
from emoscope.reporting.plots import MARKERS, PALETTE, as_percent, canvas, draw_band, label_axes, styled

SIDES = {KEPT: "only these go on as in the text", REPLACED: "these are as in the other text"}


@styled
def agreement(parts: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Estimated shares of the difference against patched ones, a mark for each part; on the line they agree.

    `titles` name the columns of estimates.
    """
    known = parts.dropna(subset=PATCHING)
    figure, axes = canvas(5.2, 4)
    ends = [known[[*titles, PATCHING]].min().min(), known[[*titles, PATCHING]].max().max()]
    axes.plot(ends, ends, color="#888", linewidth=0.8)
    for number, (method, title) in enumerate(titles.items()):
        style = {"color": PALETTE[number], "marker": MARKERS[number], "markersize": 4, "alpha": 0.7}
        axes.plot(known[PATCHING], known[method], linestyle="none", label=title, **style)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(as_percent)
    label_axes(axes, x="share of the difference, patched", y="estimated")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


@styled
def curves(sizes: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """What is there of the difference by the share of nodes kept or replaced, with intervals as bands; `titles` name
    the rankings."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    grid = figure.subplots(1, len(SIDES), sharey=True)
    for axes, (side, title) in zip(grid, SIDES.items(), strict=True):
        for number, (ranking, name) in enumerate(titles.items()):
            rows = sizes[(sizes["side"] == side) & (sizes["ranking"] == ranking)].sort_values("size")
            draw_band(axes, rows["share"], rows, number, name)
        for level in (0, 1):
            axes.axhline(level, color="#888", linewidth=0.6)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(as_percent)
        axes.set_title(title)
        label_axes(axes, x="share of heads and MLPs", y="share of the difference" if side == KEPT else "")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure


@styled
def edge_curves(sizes: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """What is there of the difference by the share of edges kept, with intervals as bands; `titles` name rankings."""
    figure, axes = canvas(6.4, 3.4)
    for number, (ranking, name) in enumerate(titles.items()):
        rows = sizes[sizes["ranking"] == ranking].sort_values("size")
        rows = rows[rows["size"] > 0]  # no place for it where shares are drawn by their order of magnitude
        draw_band(axes, rows["share"], rows, number, name)
    for level in (0, 1):
        axes.axhline(level, color="#888", linewidth=0.6)
    axes.set_xscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(as_percent)
    label_axes(axes, x="share of edges that are kept", y="share of the difference")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
