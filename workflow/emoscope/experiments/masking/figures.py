"""The figures of the masking page; nothing is computed here."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from emoscope.experiments.masking.conditions import HEADS
from emoscope.reporting.plots import (
    MARKERS,
    MOST_ANNOTATED,
    PALETTE,
    WIDEST,
    diverging,
    draw_intervals,
    in_cell,
    label_axes,
    largest,
    styled,
)


@styled
def block_maps(panels: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """Heat maps on one diverging scale: rows are blocks, columns are classes, cells are mean changes.

    They stand side by side, or below each other where that would be too wide to read. Cells are as high in all of them;
    a table with fewer blocks has its own rows and none below.
    """
    limit = largest(panels)
    rows = max(map(len, panels.values()))
    columns = max(table.shape[1] for table in panels.values())
    annotated = columns <= MOST_ANNOTATED
    width, height = (
        max(2.4, min(WIDEST, (0.46 if annotated else 0.2) * columns) + 0.4),
        0.27 * rows + (1.4 if annotated else 2),
    )
    beside = width * len(panels) <= WIDEST
    lines, across = (1, len(panels)) if beside else (len(panels), 1)
    figure = Figure(figsize=(width * across + 0.9, height * lines), layout="constrained")
    grid = figure.subplots(lines, across, squeeze=False).ravel()
    first = next(iter(panels.values())).index
    for number, (axes, (title, table)) in enumerate(zip(grid, panels.items(), strict=True)):
        labels = table.map(lambda value: "0" if abs(value) < 0.005 else in_cell(value, "+.2f"))
        sns.heatmap(
            table,
            ax=axes,
            **diverging(limit),
            linewidths=0.5,
            fmt="",
            annot=labels if annotated else False,
            annot_kws={"size": 7},
            cbar=number == len(panels) - 1 or not beside,
            cbar_kws={"label": label},
        )
        axes.set_title(title)
        label_axes(axes, x="class of the samples", y="block" if number == 0 or not beside else "")
        axes.set_ylim(rows, 0)
        own = number == 0 or not beside or not table.index.equals(first)
        axes.tick_params(axis="y", rotation=0, labelleft=own, left=own)
        axes.tick_params(axis="x", rotation=45 if annotated else 90)
    return figure


@styled
def head_maps(panels: Mapping[str, pd.DataFrame], significant: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """Heat maps of true heads, rows are blocks, columns heads; a dot marks a change that survives FDR control."""
    limit = largest(panels)
    rows, columns = max(map(len, panels.values())), max(table.shape[1] for table in panels.values())
    figure = Figure(
        figsize=(min(12, max(2.6, 0.3 * columns + 0.8) * len(panels) + 0.8), max(2.4, 0.26 * rows + 1.2)),
        layout="constrained",
    )
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for number, (axes, (title, table)) in enumerate(zip(grid, panels.items(), strict=True)):
        sns.heatmap(
            table,
            ax=axes,
            **diverging(limit),
            linewidths=0.3,
            cbar=number == len(panels) - 1,
            cbar_kws={"label": label},
        )
        y, x = np.nonzero(significant[title].to_numpy())
        axes.scatter(x + 0.5, y + 0.5, s=5, color="#222", linewidths=0)
        axes.set_title(title)
        label_axes(axes, x="head", y="block" if number == 0 else "")
        axes.tick_params(axis="both", rotation=0)
    return figure


@styled
def screened_heads(screen: pd.DataFrame) -> Figure:
    """Estimated against measured changes of the logit margin, a mark for each masked head; a panel per condition."""
    panels = list(screen.dropna(subset="change").groupby("condition", sort=False))
    figure = Figure(figsize=(4.4 * len(panels), 3.6), layout="constrained")
    for axes, (condition, rows) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        margin = rows["equivalence_margin"].max()
        axes.axhspan(-margin, margin, color="#ddd", linewidth=0)
        ends = [rows[["estimate", "change"]].min().min(), rows[["estimate", "change"]].max().max()]
        axes.plot(ends, ends, color="#888", linewidth=0.8)
        for number, (why, title) in enumerate({"largest": "largest estimates", "random": "drawn by chance"}.items()):
            chosen = rows[rows[why].astype(bool)]
            style = {"color": PALETTE[number], "marker": MARKERS[number], "markersize": 4, "alpha": 0.7}
            axes.plot(chosen["estimate"], chosen["change"], linestyle="none", label=title, **style)
        axes.set_title(HEADS[condition].title)
        label_axes(axes, x="estimated change, logits", y="change when masked, logits")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


@styled
def block_effects(parts: Mapping[str, Mapping[str, pd.DataFrame]]) -> Figure:
    """Effect of each block with its interval: a row of panels per part, a column per measure, a mark per condition.

    Tables, by part and measure, have columns `block`, `condition`, `change`, `low`, `high`. Measures keep their scale.
    """
    tables = [table for row in parts.values() for table in row.values()]
    blocks = sorted(set().union(*(table["block"] for table in tables)))
    size = (9.6, (0.3 * len(blocks) + 0.9) * len(parts) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(parts), len(next(iter(parts.values()))), squeeze=False, sharey=True, sharex="col")
    for line, (part, panels) in zip(grid, parts.items(), strict=True):
        for axes, (title, table) in zip(line, panels.items(), strict=True):
            axes.axvline(0, color="#888", linewidth=0.8)
            conditions = list(dict.fromkeys(table["condition"]))
            for number, condition in enumerate(conditions):
                rows = table[table["condition"] == condition]
                places = rows["block"] + (number - (len(conditions) - 1) / 2) * 0.24
                draw_intervals(axes, rows["change"], rows["low"], rows["high"], places, number, condition)
            label_axes(axes, x=title)
            axes.set_yticks(blocks)
            axes.grid(axis="y", color="#eee")
            axes.set_axisbelow(True)
        line[0].set(ylim=(max(blocks) + 0.7, min(blocks) - 0.7), ylabel=f"{part} of block")
    if len(set().union(*(table["condition"] for table in tables))) > 1:
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
