"""The figures of the performance page; nothing is computed here."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from emoscope.reporting.html import percent
from emoscope.reporting.plots import (
    MARKERS,
    MOST_ANNOTATED,
    PALETTE,
    SEQUENTIAL,
    WIDEST,
    as_percent,
    canvas,
    label_axes,
    styled,
)


@styled
def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], totals: Sequence[int] | None = None) -> Figure:
    """Confusion matrix: colour is the share of each true class, numbers are the share and the count of texts.

    `totals` are the texts of each class, where a text may be counted in several columns.
    """
    counts = np.asarray(counts)
    texts = counts.sum(axis=1) if totals is None else np.asarray(totals)
    shares = counts / np.maximum(texts, 1)[:, None]
    labels = [
        [f"{percent(s, 0)}\n{n:,}" for s, n in zip(*row, strict=True)] for row in zip(shares, counts, strict=True)
    ]
    annotated = len(classes) <= MOST_ANNOTATED
    size = max(4.2, 0.75 * len(classes)) if annotated else min(WIDEST, 0.3 * len(classes))
    figure, axes = canvas(size + 1.2, size * 0.8)
    sns.heatmap(
        pd.DataFrame(shares, classes, classes),
        ax=axes,
        cmap=SEQUENTIAL,
        vmin=0,
        vmax=1,
        square=False,
        linewidths=0.5,
        annot=np.array(labels) if annotated else False,
        fmt="",
        annot_kws={"size": 8},
        cbar_kws={"label": "share of the true class", "format": FuncFormatter(as_percent)},
    )
    label_axes(axes, x="predicted class", y="true class")
    axes.tick_params(axis="y", rotation=0)
    return figure


@styled
def reliability_diagram(parts: Mapping[str, Sequence[Mapping]]) -> Figure:
    """Accuracy against mean confidence in ten bins, one line for each part; the size of a mark grows with its texts."""
    figure, axes = canvas(4.6, 3.8)
    axes.plot([0, 1], [0, 1], color="#888", linestyle="--", linewidth=1, label="perfectly calibrated")
    for number, (name, bins) in enumerate(parts.items()):
        table = pd.DataFrame(bins)
        sizes = 12 + 120 * table["rows"] / table["rows"].sum()
        bounds = np.array(table["accuracy_interval"].tolist(), dtype=float).T
        spread = np.abs(bounds - table["accuracy"].to_numpy())
        axes.errorbar(table["confidence"], table["accuracy"], yerr=spread, color=PALETTE[number], linewidth=1.2)
        axes.scatter(
            table["confidence"], table["accuracy"], s=sizes, color=PALETTE[number], marker=MARKERS[number], label=name
        )
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    label_axes(axes, x="mean confidence of the prediction", y="accuracy")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@styled
def loss(steps: Sequence[Mapping]) -> Figure:
    """Training loss over the epochs, and below it the learning rate."""
    table = pd.DataFrame(steps)
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    for axes, column in ((upper, "loss"), (lower, "learning_rate")):
        axes.plot(table["epoch"], table[column], color=PALETTE[0], linewidth=1.4)
        axes.set_ylim(bottom=0)
    label_axes(upper, y="training loss (nats)")
    label_axes(lower, x="epoch", y="learning rate")
    lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    return figure
