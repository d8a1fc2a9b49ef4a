"""The figures of the page on flips from inside; nothing is computed here."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from emoscope.reporting.plots import (
    MARKERS,
    PALETTE,
    as_percent,
    diverging,
    draw_band,
    draw_intervals,
    label_axes,
    largest,
    styled,
)

NOTABLE = "#d55e00"  # what stands out


@styled
def activation_maps(trace: pd.DataFrame, sites: Mapping[str, str]) -> Figure:
    """One traced pair: original, flipped and absolute difference below each other, a column for each site.

    Rows are words and columns dimensions. The colours of the upper maps end at the 99.5th percentile, since a few
    dimensions of GPT-2 are tens of times larger than the rest.
    """
    words = trace.drop_duplicates("unit").set_index("unit").sort_index()
    changed = (words["word"] != words["flipped_word"]).to_numpy()
    figure = Figure(figsize=(10, 3 * (0.16 * len(words) + 0.35) + 0.6), layout="constrained")
    grid = figure.subplots(3, len(sites), sharex="col", sharey="row", squeeze=False)
    for column, (site, title) in zip(grid.T, sites.items(), strict=True):
        rows = trace[trace["site"] == site]
        original, flipped = (
            rows.pivot(index="unit", columns="dimension", values=name) for name in ("original", "flipped")
        )
        difference = (flipped - original).abs()
        limit = np.nanquantile(np.abs(np.concatenate([original, flipped])), 0.995) or 1
        signed, largest = diverging(limit), difference.to_numpy().max() or 1
        steps = (
            ("original", original, signed),
            ("flipped", flipped, signed),
            ("|flipped \N{MINUS SIGN} original|", difference, {"cmap": "Reds", "vmin": 0, "vmax": largest}),
        )
        for axes, (step, values, colours) in zip(column, steps, strict=True):
            image = axes.imshow(values, aspect="auto", interpolation="none", **colours)
            figure.colorbar(image, ax=axes, pad=0.01)
            axes.set_title(f"{step}, {title}", loc="left")
        label_axes(axes, x="dimension")
    for axes, names in zip(grid[:, 0], (words["word"], words["flipped_word"], words["flipped_word"]), strict=True):
        axes.set_yticks(range(len(names)), names, fontsize=7)
        for tick, bold in zip(axes.get_yticklabels(), changed, strict=True):
            tick.set(fontweight="bold" if bold else "normal", color=NOTABLE if bold else "#222")
            tick.set_parse_math(False)  # a tweet may hold dollar signs
    return figure


@styled
def patching_maps(words: Mapping[str, pd.DataFrame], parts: Mapping[str, pd.DataFrame]) -> Figure:
    """Shares of a pair's difference that patches carry over: above, words by block; below, blocks by head.

    The words' scale ends at 1; the parts, which carry less each, have their own.
    """
    rows, blocks = max(map(len, words.values())), max(map(len, parts.values()))
    heights = [0.17 * rows + 0.8, 0.17 * blocks + 0.8]
    figure = Figure(figsize=(10, sum(heights)), layout="constrained")
    grid = figure.subplots(2, len(words), squeeze=False, sharey="row", height_ratios=heights)
    for axes_row, panels, limit, x, y in (
        (grid[0], words, 1, "blocks passed", ""),
        (grid[1], parts, largest(parts), "head; all: the whole attention", "block"),
    ):
        for number, (axes, (title, table)) in enumerate(zip(axes_row, panels.items(), strict=True)):
            image = axes.imshow(table, aspect="auto", interpolation="none", **diverging(limit))
            axes.set_xticks(range(table.shape[1]), table.columns, fontsize=7)
            axes.set_yticks(range(len(table)), table.index, fontsize=7)
            axes.set_title(title)
            label_axes(axes, x=x, y="" if number else y)
            for tick in axes.get_yticklabels():
                flipped = "\N{RIGHTWARDS ARROW}" in tick.get_text()
                tick.set(color=NOTABLE if flipped else "#222", parse_math=False)
        figure.colorbar(image, ax=axes_row, pad=0.01, label="share of the difference")
    return figure


@styled
def depth_profile(curves: pd.DataFrame, writers: pd.DataFrame) -> Figure:
    """One pair: the classifier's answer after each block, and what each block writes for one class over the other.

    `curves` has `class, version, depth, probability`; `writers` has blocks, -1 for what belongs to none, by part.
    """
    figure = Figure(figsize=(10, max(2.6, 0.2 * len(writers) + 1.2)), layout="constrained")
    left, right = figure.subplots(1, 2)
    for number, (name, rows) in enumerate(curves.groupby("class", sort=False)):
        for version, style in (("original", "-"), ("flipped", "--")):
            line = rows[rows["version"] == version]
            left.plot(
                line["depth"],
                line["probability"],
                style,
                color=PALETTE[number],
                marker=MARKERS[number],
                markersize=3,
                linewidth=1.3,
                label=f"{name}, {version}",
            )
    left.set(ylim=(-0.03, 1.03), title="the answer after each block")
    label_axes(left, x="blocks passed", y="probability")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.legend(fontsize=7)
    names = ["none" if block < 0 else str(block) for block in writers.index]
    for number, part in enumerate(writers.columns):
        offset = (number - (writers.shape[1] - 1) / 2) * 0.27
        places = np.arange(len(writers)) + offset
        right.barh(places, writers[part].fillna(0), height=0.27, color=PALETTE[number], label=part)
    right.axvline(0, color="#888", linewidth=0.8)
    right.set_yticks(range(len(names)), names)
    right.set(ylim=(len(names) - 0.4, -0.6), title="what each block writes, flipped minus original")
    label_axes(right, x="change of the margin (logits)", y="block")
    right.legend(fontsize=7)
    return figure


@styled
def place_curves(panels: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> Figure:
    """Shares of the difference at each kind of place by depth, with intervals as bands; a panel for each kind of pair.

    Tables have `place, block, value, low, high`; `titles` name the places.
    """
    figure = Figure(figsize=(10, 3), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for number, (axes, (title, table)) in enumerate(zip(grid, panels.items(), strict=True)):
        for colour, (place, name) in enumerate(titles.items()):
            rows = table[table["place"] == place].sort_values("block")
            draw_band(axes, rows["block"], rows, colour, name)
        for level in (0, 1):
            axes.axhline(level, color="#888", linewidth=0.6)
        axes.set_title(title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(as_percent)
        label_axes(axes, x="blocks passed", y="" if number else "share of the difference")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@styled
def block_shares(panels: Mapping[str, pd.DataFrame], kinds: Mapping[str, str]) -> Figure:
    """Share of the difference that each block's halves carry, with intervals; `kind, block, value, low, high`."""
    blocks = max(len(table["block"].unique()) for table in panels.values())
    figure = Figure(figsize=(10, max(2.2, 0.26 * blocks + 1)), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (title, table) in zip(grid, panels.items(), strict=True):
        axes.axvline(0, color="#888", linewidth=0.8)
        for number, (kind, name) in enumerate(kinds.items()):
            rows = table[table["kind"] == kind]
            draw_intervals(axes, rows["value"], rows["low"], rows["high"], rows["block"] + 0.24 * number, number, name)
        axes.set_title(title)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.xaxis.set_major_formatter(as_percent)
        axes.grid(axis="y", color="#eee")
        label_axes(axes, x="share of the difference", y="block")
    grid[0].invert_yaxis()
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


@styled
def head_shares(maps: Mapping[str, pd.DataFrame], marks: Mapping[str, pd.DataFrame]) -> Figure:
    """Share of the difference that each head carries, blocks by heads, a panel for each kind; dots are marks."""
    rows, columns = max(map(len, maps.values())), max(table.shape[1] for table in maps.values())
    width = min(12, max(2.2, 0.26 * columns + 0.6) * len(maps) + 0.8)
    figure = Figure(figsize=(width, max(2.2, 0.22 * rows + 1)), layout="constrained")
    grid = figure.subplots(1, len(maps), squeeze=False, sharey=True)[0]
    limit = largest(maps)
    for number, (axes, (title, table)) in enumerate(zip(grid, maps.items(), strict=True)):
        image = axes.imshow(table, aspect="auto", interpolation="none", **diverging(limit))
        y, x = np.nonzero(marks[title].to_numpy(dtype=bool))
        axes.scatter(x, y, s=5, color="#222", linewidths=0)
        axes.set_title(title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        label_axes(axes, x="head", y="" if number else "block")
    figure.colorbar(image, ax=grid, pad=0.01, label="share of the difference", format=FuncFormatter(as_percent))
    return figure


@styled
def dimension_bars(panels: Mapping[str, pd.DataFrame], level: float, bands: Sequence[range] = ()) -> Figure:
    """How much each dimension changes, flips upwards and neutral swaps downwards, a panel for each axis.

    Red dimensions change more there than in the other kind; the five largest carry their number; grey are `bands`.
    Tables have `dimension, flip, neutral` (1 is the average dimension), `p_flip, p_neutral`.
    """
    figure = Figure(figsize=(9, 2.1 * len(panels) + 0.4), layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (title, table) in zip(grid, panels.items(), strict=True):
        for band in bands:
            axes.axvspan(band[0] - 0.5, band[-1] + 0.5, color="#e3e3e3", zorder=0)
        for kind, sign in (("flip", 1), ("neutral", -1)):
            out = table[f"p_{kind}"] <= level
            for rows, colour in ((table[~out], PALETTE[0]), (table[out], NOTABLE)):
                axes.vlines(rows["dimension"], 0, sign * rows[kind], color=colour, linewidth=0.9)
            for row in table.dropna(subset=kind).nlargest(5, kind).itertuples():
                place = (row.dimension, sign * getattr(row, kind))
                axes.annotate(str(row.dimension), place, ha="center", va="bottom" if sign > 0 else "top", fontsize=7)
            axes.axhline(sign, color="#888", linewidth=0.6)
        axes.axhline(0, color="#222", linewidth=0.8)
        axes.set_title(f"{title}: flips above, neutral swaps below")
        axes.margins(y=0.2)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        label_axes(axes, y="times the average")
    label_axes(grid[-1], x="dimension", y="times the average")
    return figure
