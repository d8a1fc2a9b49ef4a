"""The figures of the page on probing; nothing is computed here."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoscope.experiments.probing.names import (
    ACCURACY,
    BAG,
    DIRECTION,
    DISTANCE,
    LAST,
    MAJORITY,
    NOTHING,
    PLACES,
    POOLED,
    RANDOM,
)
from emoscope.reporting.plots import (
    MARKERS,
    PALETTE,
    as_percent,
    canvas,
    draw_band,
    draw_intervals,
    label_axes,
    legend_of,
    styled,
)
from emoscope.storage.names import EVERYWHERE

ERASED = {  # what erasing may change, by measure
    DISTANCE: "distance between the answers\nto a text and its flip",
    f"{POOLED}, {LAST}": "a fresh probe at the pooled token\nreads the group, last block",
    ACCURACY: "accuracy",
}
BESIDE = {MAJORITY: ":", BAG: "--"}  # lines of what reads without the model


@styled
def depths(table: pd.DataFrame) -> Figure:
    """At which depth what can be read: a panel for each concept, a line for each place with its interval, thin for
    control labels; what reads without the model as level lines."""
    concepts = list(dict.fromkeys(table["concept"]))
    figure = Figure(figsize=(min(12, 3.4 * len(concepts) + 0.6), 3.6), layout="constrained")
    grid = figure.subplots(1, len(concepts), sharey=True, squeeze=False)[0]
    for axes, concept in zip(grid, concepts, strict=True):
        own = table[table["concept"] == concept]
        for number, place in enumerate(PLACES):
            rows = own[own["place"] == place].sort_values("depth")
            if len(rows):
                draw_band(axes, rows["depth"], rows.assign(value=rows["right"]), number, place)
                axes.plot(rows["depth"], rows["control"], color=PALETTE[number], linewidth=0.8, alpha=0.7)
        for name, style in BESIDE.items():
            [level] = own.loc[own["place"] == name, "right"]
            axes.axhline(level, color="#555", linestyle=style, linewidth=1, label=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(as_percent)
        axes.set_title(concept)
        label_axes(axes, x="depth", y="texts in which it is read" if axes is grid[0] else "")
    figure.legend(*legend_of(grid), loc="outside upper left", ncols=5)
    return figure


@styled
def erasure(table: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """What erasing the group at every depth does, by method, with intervals: to the distance between answers, to a
    fresh probe behind the last block and, if texts have labels, to accuracy; nothing erased as a line. `titles` name
    the methods."""
    own = table[table["depth"] == EVERYWHERE]
    shown = {measure: title for measure, title in ERASED.items() if (own["measure"] == measure).any()}
    figure = Figure(figsize=(10, 0.34 * len(titles) + 1.1), layout="constrained")
    grid = figure.subplots(1, len(shown), sharey=True)
    for number, (axes, (measure, title)) in enumerate(zip(grid, shown.items(), strict=True)):
        rows = own[own["measure"] == measure].set_index("method")
        axes.axvline(rows.loc[NOTHING, "value"], color="#555", linestyle="--", linewidth=1)
        rows = rows.reindex(list(titles))
        draw_intervals(axes, rows["value"], rows["low"], rows["high"], range(len(titles)), number, title)
        axes.set(yticks=range(len(titles)), ylim=(len(titles) - 0.4, -0.6))
        axes.set_yticklabels(list(titles.values()))
        axes.grid(axis="y", color="#eee")
        label_axes(axes, x=title)
    return figure


@styled
def steering(table: pd.DataFrame, gap: float) -> Figure:
    """How far the probability moves by how far the words are moved, a line for each depth; dotted along random
    directions; `gap` is what flipping the words does."""
    figure, axes = canvas(6, 3.4)
    for method, style in ((DIRECTION, "-"), (RANDOM, ":")):
        for number, (depth, rows) in enumerate(table[table["method"] == method].groupby("depth")):
            title = f"depth {depth}" if method == DIRECTION else None
            look = {
                "color": PALETTE[number % len(PALETTE)],
                "marker": MARKERS[number % len(MARKERS)],
                "markersize": 3.5,
            }
            axes.plot(rows["dose"], rows["value"], style, linewidth=1.3, label=title, **look)
    axes.axhline(gap, color="#555", linestyle="--", linewidth=1, label="the words flipped")
    axes.axhline(0, color="#888", linewidth=0.6)
    label_axes(axes, x="dose, in differences between the groups' means", y="change of the probability")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return figure
