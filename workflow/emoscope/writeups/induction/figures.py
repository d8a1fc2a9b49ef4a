"""The figures of the induction write-up; nothing is computed here."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoscope.reporting.plots import DIVERGING, MARKERS, PALETTE, SEQUENTIAL, WIDEST, as_percent, draw_band, styled

KINDS = {"main": "the two best heads", "best": "other pairs of the best", "random": "random pairs"}


@styled
def positions(table: pd.DataFrame, length: int) -> Figure:
    """Mean log-probability and accuracy of the token at each position, with intervals; the second half is shaded."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    labels = {"log_prob": "log-probability (nats)", "accuracy": "accuracy"}
    for number, (axes, (measure, label)) in enumerate(
        zip(figure.subplots(2, 1, sharex=True), labels.items(), strict=True)
    ):
        rows = table[table["measure"] == measure].sort_values("position")
        axes.axvspan(length + 0.5, 2 * length + 0.5, color="#f0f0f0", zorder=0)
        draw_band(axes, rows["position"], rows, number, None, marker="")
        axes.set_ylabel(label)
        axes.set_title("first half" + " " * 72 + "second half" if number == 0 else "")
    axes.set(xlabel="position of the predicted token", xlim=(0.5, 2 * length + 0.5), ylim=(-0.02, 1.02))
    axes.yaxis.set_major_formatter(as_percent)
    return figure


@styled
def head_maps(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """Heat maps of scores between 0 and 1, rows are blocks, columns heads."""
    rows, columns = next(iter(panels.values())).shape
    size = min(WIDEST, max(1.7, 0.2 * columns + 0.5) * len(panels) + 1), max(2.2, 0.17 * rows + 1)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for number, (axes, (title, table)) in enumerate(zip(grid, panels.items(), strict=True)):
        image = axes.imshow(table, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto", interpolation="none")
        axes.set(title=title, xlabel="head", ylabel="block" if number == 0 else "")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(12, integer=True))
    figure.colorbar(image, ax=list(grid), label="mean attention", fraction=0.05)
    return figure


@styled
def patterns(panels: Mapping[str, pd.DataFrame], length: int) -> Figure:
    """Attention patterns, rows are tokens that look, columns tokens that are looked at; lines mark the seam."""
    figure = Figure(figsize=(4.6 * len(panels) + 0.6, 4.4), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, table) in zip(grid, panels.items(), strict=True):
        image = axes.imshow(table, cmap=SEQUENTIAL, vmin=0, vmax=1, interpolation="none")
        axes.axhline(length + 0.5, color="#888", linewidth=0.6)
        axes.axvline(length + 0.5, color="#888", linewidth=0.6)
        axes.set(title=title, xlabel="position looked at", ylabel="position that looks")
    figure.colorbar(image, ax=list(grid), label="attention", fraction=0.04)
    return figure


@styled
def mlps(single: pd.DataFrame, everywhere: pd.DataFrame) -> Figure:
    """Rise of the loss by block: at single positions as a heat map (offsets in columns), at all but the first at once
    as intervals.

    Colours end at the largest change beyond the first offset, which compares different tokens.
    """
    rows, columns = single.shape
    figure = Figure(figsize=(9, max(2.6, 0.19 * rows + 1)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1])
    limit = float(np.abs(single.to_numpy()[:, 1:]).max()) or 1.0
    image = left.imshow(single, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto", interpolation="none")
    step = -(-columns // 12)
    left.set_xticks(range(0, columns, step), single.columns[::step])
    left.set(title="at one position", xlabel="offset in the second half", ylabel="block")
    figure.colorbar(image, ax=left, label="rise of the loss (nats)")
    right.axvline(0, color="#888", linewidth=0.8)
    right.hlines(everywhere["block"], everywhere["low"], everywhere["high"], color=PALETTE[0], linewidth=1.4)
    right.plot(everywhere["value"], everywhere["block"], MARKERS[0], color=PALETTE[0], markersize=4)
    right.set(title="at all positions but offset 0, at once", xlabel="rise of the loss (nats)")
    right.yaxis.set_major_locator(MaxNLocator(12, integer=True))
    return figure


@styled
def silenced(table: pd.DataFrame, kinds: Mapping[str, str]) -> Figure:
    """Change of accuracy by number of silenced heads; random draws are small marks without intervals."""
    counts = sorted(table["heads"].unique())
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color="#888", linewidth=0.8)
    for number, (kind, label) in enumerate(kinds.items()):
        rows = table[table["kind"] == kind]
        places = rows["heads"].map(counts.index) + (number - 1) * 0.2
        if kind == "random":
            axes.plot(
                places + (rows["draw"] % 5 - 2) * 0.025, rows["value"], "x", color="#777", markersize=4, label=label
            )
        else:
            axes.vlines(places, rows["low"], rows["high"], color=PALETTE[number], linewidth=1.6)
            axes.plot(places, rows["value"], MARKERS[number], color=PALETTE[number], markersize=6, label=label)
    axes.set_xticks(range(len(counts)), counts)
    axes.set(xlabel="heads silenced at once", ylabel="change of accuracy", xlim=(-0.5, len(counts) - 0.5))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@styled
def compositions(table: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Top-1 accuracy (above) and mean rank (below) of pairs of heads, a panel for each measure."""
    measures = [measure for measure in titles if measure in set(table["measure"])]
    figure = Figure(figsize=(3.1 * len(measures) + 0.6, 4.2), layout="constrained")
    limits = {"top1": ("low", "high"), "rank": ("rank_low", "rank_high")}
    grid = figure.subplots(len(limits), len(measures), squeeze=False, sharex="row" if len(measures) == 1 else False)
    labels = {"top1": "top-1 accuracy", "rank": "mean rank of the right token"}
    for line, column in zip(grid, limits, strict=True):
        for axes, measure in zip(line, measures, strict=True):
            rows = table[table["measure"] == measure]
            chance = 1 / rows["candidates"].iloc[0] if column == "top1" else 0.5
            axes.axvline(chance, color="#888", linestyle="--", linewidth=0.9)
            for number, kind in enumerate(KINDS):
                part = rows[rows["kind"] == kind]
                places = number + (np.arange(len(part)) - (len(part) - 1) / 2) * min(0.12, 0.8 / max(len(part), 1))
                low, high = (part[name] for name in limits[column])
                axes.hlines(places, low, high, color=PALETTE[number], linewidth=1, alpha=0.6)
                axes.plot(part[column], places, MARKERS[number], color=PALETTE[number], markersize=4)
            axes.set(ylim=(len(KINDS) - 0.5, -0.5), xlabel=labels[column])
            axes.set_yticks(range(len(KINDS)), list(KINDS.values()) if axes is line[0] else [""] * len(KINDS))
            axes.xaxis.set_major_locator(MaxNLocator(4))
            if column == "top1":
                axes.set_title(titles[measure])
    return figure
