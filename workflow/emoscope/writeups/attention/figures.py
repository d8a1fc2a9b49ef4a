"""The figures of the attention report; nothing is computed here."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from emoscope.reporting.plots import DIVERGING, SEQUENTIAL, WIDEST, styled

# the viewer's colours and scale (attention_viewer.js): a square root, which lets small weights be seen
COLOURS = LinearSegmentedColormap.from_list("attention", ["#ffffff", "#9ecae1", "#2171b5", "#08285a"])
MOST_BESIDE = 3  # maps in a row
MOST_LOOKS = 4  # maps of heads in a row


@styled
def token_maps(panels: Mapping[str, pd.DataFrame], labels: Sequence[str], units: Mapping[str, str]) -> Figure:
    """Maps of one sentence side by side: rows are sources, columns targets, cells weights or effects.

    Panels have columns `source`, `target`, `weight`; `units` names those whose colours end at their own maximum and not
    at 1, and what they are measured in. A source's largest cell has a ring.
    """
    size, columns = len(labels), 2 if len(panels) == 4 else min(len(panels), MOST_BESIDE)
    side = 0.15 * size + 0.9
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(min(WIDEST, columns * (side + 0.4) + 0.5), lines * (side + 0.5)), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    for axes, (title, rows) in zip(grid.flat, panels.items(), strict=False):
        values = np.full((size, size), np.nan)
        values[rows["source"], rows["target"]] = rows["weight"]
        limit = np.nanmax(values) if title in units else 1
        image = axes.imshow(values, cmap=COLOURS, norm=PowerNorm(0.5, 0, limit or 1), interpolation="none")
        known = ~np.isnan(values).all(axis=1)
        largest = np.nanargmax(values[known], axis=1)
        axes.scatter(largest, np.nonzero(known)[0], s=9, facecolors="none", edgecolors="#d55e00", linewidths=0.9)
        bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02, label=units.get(title, "weight"))
        bar.ax.tick_params(labelsize=7)
        axes.set_title(title)
        _tokens(axes, labels)
    return figure


@styled
def look_maps(heads: pd.DataFrame, looks: Mapping[str, str], scale: str, lowest: int = 0) -> Figure:
    """One value of every head, a panel for each column of `looks` (column to title): rows are blocks, columns heads.

    Colours run from `lowest` to 1, and diverge from zero if that is -1.
    """
    blocks, count = heads["block"].max() + 1, heads["head"].max() + 1
    lines = -(-len(looks) // MOST_LOOKS)
    columns = -(-len(looks) // lines)
    size = min(WIDEST, columns * max(1.6, 0.2 * count + 0.5) + 1), lines * (0.16 * blocks + 1.2)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for axes in grid.flat[len(looks) :]:
        axes.remove()
    colours = {"cmap": DIVERGING if lowest else SEQUENTIAL, "vmin": lowest}
    for axes, (column, title) in zip(grid.flat, looks.items(), strict=False):
        table = heads.pivot(index="block", columns="head", values=column)
        image = axes.imshow(table, **colours, vmax=1, aspect="auto", interpolation="none")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("head")
        axes.set_xticks(range(0, count, max(1, count // 6)))
    for axes in grid[:, 0]:
        axes.set_ylabel("block")
    figure.colorbar(image, ax=list(figure.axes), label=scale, shrink=0.8)
    return figure


def _tokens(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=7)
    axes.set_yticks(range(len(labels)), labels, fontsize=7)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)  # a sentence may hold dollar signs
    axes.set(xlabel="target (looked at)", ylabel="source (looks)")
