"""The figures of the page on features; nothing is computed here."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoscope.experiments.features.names import FEATURE, MEANS, RANDOM
from emoscope.reporting.plots import MARKERS, PALETTE, canvas, draw_band, label_axes, styled

TITLES: Mapping[str, str] = {FEATURE: "the feature", MEANS: "between the class's means", RANDOM: "random directions"}
IN_A_ROW = 3


@styled
def effects(table: pd.DataFrame) -> Figure:
    """By how much a class's probability falls without a feature, with intervals; beside it, the other directions."""
    named = list(dict.fromkeys(zip(table["feature"], table["class"], strict=True)))
    figure, axes = canvas(6.5, 0.45 * len(named) + 1.4)
    for place, (feature, _) in enumerate(named):
        own = table[table["feature"] == feature].set_index("measure")
        for number, (way, title) in enumerate(TITLES.items()):
            row, height = own.loc[way], place + 0.22 * (number - 1)
            axes.plot([row["low"], row["high"]], [height, height], color=PALETTE[number], linewidth=1.3)
            label = title if place == 0 else None
            axes.plot(row["value"], height, MARKERS[number], color=PALETTE[number], markersize=4, label=label)
    axes.axvline(0, color="#888", linewidth=0.6)
    axes.set_yticks(range(len(named)), [f"{feature}: {label}" for feature, label in named])
    axes.invert_yaxis()
    label_axes(axes, x="fall of the class's probability without it", y="feature: its class")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@styled
def doses(table: pd.DataFrame) -> Figure:
    """How far a class's probability rises with more of a feature, a panel for each, beside the other directions."""
    named = list(dict.fromkeys(zip(table["feature"], table["class"], strict=True)))
    columns = min(IN_A_ROW, len(named))
    lines = -(-len(named) // columns)
    figure = Figure(figsize=(3 * columns + 0.6, 2.4 * lines + 0.6), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(named):
            axes.set_visible(False)
            continue
        feature, label = named[place]
        for number, way in enumerate(TITLES):
            own = table[(table["feature"] == feature) & (table["way"] == way)].sort_values("dose")
            draw_band(axes, own["dose"], own, number, TITLES[way])
        axes.axhline(0, color="#888", linewidth=0.6)
        axes.set_title(f"{feature}: {label}")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        below, first = place + columns >= len(named), place % columns == 0
        label_axes(axes, x="dose" if below else "", y="change of the probability" if first else "")
    figure.legend(*grid.flat[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
