"""Drawings of which words decide."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emoscope.data.planted.shortcuts import SHORTCUT
from emoscope.experiments.words.methods import KINDS, RANDOM, SHARES, SPECIAL, TITLES
from emoscope.experiments.words.overall import UNSUPPORTED
from emoscope.experiments.words.ranking import DECIDING
from emoscope.experiments.words.viewer import AGAINST, FOR
from emoscope.reporting.plots import (
    MOST_ANNOTATED,
    PALETTE,
    as_percent,
    canvas,
    draw_intervals,
    in_cell,
    label_axes,
    styled,
)

LETTERS = 96  # of a drawn text in one line
DRAWN = 8  # words of a class, up and down each


@styled
def ranking(ranks: pd.DataFrame, named: Mapping[str, str]) -> Figure:
    """By method, how often the top word is a planted one, and average precision, with intervals. How often it is a
    shortcut, where there are any. The chance of a top word is a line in the colour of its marks. `named` are the
    methods' titles."""
    names = list(dict.fromkeys(ranks["method"]))
    figure, axes = canvas(8, 0.34 * len(names) + 1.2)
    titles = {"top": "top word is planted", "average_precision": "average precision"}
    titles |= {SHORTCUT: "top word is a shortcut"}
    for number, (measure, title) in enumerate(titles.items()):
        rows = ranks[ranks["measure"] == measure]
        if rows.empty:
            continue
        places = rows["method"].map(names.index) + (number - 0.5) * 0.26
        draw_intervals(axes, rows["value"], rows["low"], rows["high"], places, number, title)
        if measure != DECIDING:
            chance = {"linestyle": "--", "linewidth": 1, "label": f"chance: {title}"}
            axes.axvline(rows["chance"].iloc[0], color=PALETTE[number % 10], **chance)
    axes.set(yticks=range(len(names)), ylim=(len(names) - 0.4, -0.6), xlim=(-0.02, 1.02))
    axes.set_yticklabels([named[name] for name in names])
    axes.grid(axis="y", color="#eee")
    axes.xaxis.set_major_formatter(as_percent)
    label_axes(axes, x="share of the texts that the classifier gets right, or average precision in them")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@styled
def curves(table: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """What is left of the probability without the first words (above) and with them alone (below), kind by kind."""
    means = table.groupby(["method", "kind", "part", "share"])["probability"].mean()
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    panels = figure.subplots(2, len(KINDS), sharex=True, sharey=True)
    for row, part in enumerate(("without", "with")):
        for column, kind in enumerate(KINDS):
            axes = panels[row, column]
            for number, name in enumerate(methods):
                dashed = {"color": "#555", "linestyle": "--"} if name == RANDOM else {"color": PALETTE[number % 10]}
                axes.plot(SHARES, means[name, kind, part].reindex(SHARES), label=TITLES[name], linewidth=1.4, **dashed)
            axes.set_title(
                f"{part} the first words, {kind}" if part == "without" else f"with them alone, others {kind}"
            )
            label_axes(axes, x="share of the words" if row else "", y="probability" if not column else "")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


@styled
def agreement(methods: pd.DataFrame) -> Figure:
    """Mean rank correlation of every two methods' scores."""
    names = list(dict.fromkeys([*methods["method"], *methods["other"]]))
    table = pd.DataFrame(np.eye(len(names)), names, names)
    for row in methods.itertuples():
        table.loc[row.method, row.other] = table.loc[row.other, row.method] = row.correlation
    figure, axes = canvas(8.5, 0.42 * len(names) + 2.4)
    image = axes.imshow(table, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")  # square cells cost labels their ends
    if len(names) <= MOST_ANNOTATED:
        for (y, x), value in np.ndenumerate(table.to_numpy()):
            axes.text(
                x,
                y,
                in_cell(value),
                ha="center",
                va="center",
                fontsize=7,
                color="#fff" if abs(value) > 0.6 else "#222",
            )
    titles = [TITLES[name] for name in names]
    axes.set_xticks(range(len(names)), titles, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), titles)
    figure.colorbar(image, label="rank correlation")
    return figure


@styled
def pushes(overall: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """The words that push each class up and down most, with intervals; an open mark is a word that the training
    texts do not bear out."""
    columns = min(3, len(classes))
    rows = -(-len(classes) // columns)
    figure = Figure(figsize=(3.6 * columns, 3.1 * rows + 0.3), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(classes) :]:
        axes.set_axis_off()
    for place, (axes, name) in enumerate(zip(panels, classes, strict=False)):
        own = extremes(overall[overall["class"] == name], DRAWN)
        places = np.arange(len(own))
        colours = np.array(["#b2182b" if value > 0 else "#2166ac" for value in own["value"]], dtype=object)
        axes.hlines(places, own["low"], own["high"], colors=list(colours))
        filled = np.where(own["verdict"] == UNSUPPORTED, "none", colours)
        axes.scatter(own["value"], places, c=list(filled), edgecolors=list(colours), s=22, zorder=3)
        axes.axvline(0, color="#888", linewidth=0.8)
        label_axes(axes, x="mean push (log-odds)" if place + columns >= len(classes) else "")
        axes.set(title=name, yticks=places, ylim=(len(own) - 0.4, -0.6))
        axes.set_yticklabels([f"{word[:18]} ({texts})" for word, texts in zip(own["word"], own["texts"], strict=True)])
    return figure


def extremes(pushed: pd.DataFrame, count: int) -> pd.DataFrame:
    """The words that push most, up and then down, `count` of each at most, strongest first and last."""
    order = pushed.sort_values("value", ascending=False, kind="stable")
    up, down = order[order["value"] > 0].head(count), order[order["value"] < 0].tail(count)
    return pd.concat([up, down])


@styled
def coloured_texts(scores: pd.DataFrame, texts: Sequence[Mapping[str, Any]], method: str) -> Figure:
    """Texts, one a line, each word on a ground as deep as its score for its first class: red for, blue against."""
    found = dict(iter(scores.groupby("id", sort=False)))
    drawn = [about for about in texts if about["id"] in found]
    figure, axes = canvas(11, 0.5 * max(len(drawn), 1) + 0.3)
    axes.set(xlim=(0, LETTERS), ylim=(len(drawn), 0))
    axes.set_axis_off()
    for row, about in enumerate(drawn):
        own = found[about["id"]]
        own = own[(own["class"] == own["class"].iloc[0]) & (own["word"] != SPECIAL)]
        largest = max(np.abs(own[method]).max(), 1e-12) if len(own) else 1
        axes.text(
            0,
            row + 0.22,
            f"explained: {own['class'].iloc[0]}" if len(own) else "",
            fontsize=7,
            color="#555",
            va="center",
        )
        for start, end, score in zip(own["start"], own["end"], own[method], strict=True):
            if end > LETTERS:
                break
            ground = np.array(FOR if score > 0 else AGAINST) / 255
            axes.add_patch(
                Rectangle((start, row + 0.36), end - start, 0.5, color=ground, alpha=0.6 * abs(score) / largest, lw=0)
            )
            for place in range(start, end):
                axes.text(
                    place + 0.5,
                    row + 0.61,
                    about["text"][place],
                    family="monospace",
                    fontsize=8,
                    ha="center",
                    va="center",
                )
    return figure
