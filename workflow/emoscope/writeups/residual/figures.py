"""The figures of the residual write-up: each function takes a table and returns a matplotlib figure."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emoscope.reporting.plots import MARKERS, PALETTE, SEQUENTIAL, draw_band, draw_intervals, styled

OF = {"prediction": "the model's final prediction", "next": "the true next token"}
CURVES = {
    "probability": "mean probability",
    "first": "share of tokens ranked first",
    "rank": "rank (geometric mean)",
}
NULLS = {"trained": "trained weights", "shuffled": "dimensions shuffled", "random": "random directions"}


@styled
def position_maps(probabilities: pd.DataFrame) -> Figure:
    """P(token | position) of each text on one logarithmic scale; columns `text, row, column, value, token`.

    A frame marks the token that comes next, which the position has to predict.
    """
    texts = list(probabilities.groupby("text", sort=False))
    figure = Figure(figsize=(10.5, 3.8), layout="constrained")
    grid = figure.subplots(1, len(texts), squeeze=False)[0]
    for axes, (_, rows) in zip(grid, texts, strict=True):
        table = rows.pivot(index="row", columns="column", values="value").to_numpy(dtype=float)
        tokens = rows.drop_duplicates("row").sort_values("row")["token"].map(visible).tolist()
        image = axes.imshow(table.clip(min=1e-6), cmap=SEQUENTIAL, norm=LogNorm(1e-6, 1), aspect="equal")
        for place in range(len(tokens) - 1):
            axes.add_patch(Rectangle((place - 0.5, place + 0.5), 1, 1, fill=False, edgecolor=PALETTE[1]))
        axes.set_xticks(range(len(tokens)), tokens, rotation=60, ha="right", fontsize=7)
        axes.set_yticks(range(len(tokens)), tokens, fontsize=7)
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
            label.set_parse_math(False)
        axes.set_xlabel("position, with the token just read")
    grid[0].set_ylabel("token")
    figure.colorbar(image, ax=grid, label="probability as the next token", shrink=0.7)
    return figure


@styled
def first_choices(sentence: pd.DataFrame) -> Figure:
    """The lens on one sentence: what it takes for the next token at every depth and position, coloured by how surely.

    Columns `position, token, depth, predicted, probability`; the model's own answer is the top row.
    """
    table = sentence.pivot(index="depth", columns="position", values="probability")
    words = sentence.pivot(index="depth", columns="position", values="predicted")
    tokens = sentence.drop_duplicates("position").sort_values("position")["token"].map(visible).tolist()
    figure = Figure(figsize=(max(6.5, 0.95 * len(tokens) + 1.6), 0.19 * len(table) + 1.1), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(table, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto", origin="lower")
    for (depth, position), word in np.ndenumerate(words.to_numpy()):
        colour = "white" if table.iloc[depth, position] > 0.6 else "#222"
        label = axes.text(
            position, depth, visible(word)[:14], ha="center", va="center_baseline", fontsize=6.5, color=colour
        )
        label.set_parse_math(False)
    axes.set_xticks(range(len(tokens)), tokens, fontsize=8)
    for label in axes.get_xticklabels():
        label.set_parse_math(False)
    axes.set(xlabel="token just read", ylabel="depth (blocks passed)")
    figure.colorbar(image, ax=axes, label="probability", pad=0.01)
    return figure


@styled
def lens_curves(curves: pd.DataFrame) -> Figure:
    """Probability, share of first ranks and rank by depth, with intervals; columns of `depth_curves`."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    for axes, (measure, label) in zip(figure.subplots(1, 3), CURVES.items(), strict=True):
        for number, (of, name) in enumerate(OF.items()):
            rows = curves[(curves["measure"] == measure) & (curves["of"] == of)]
            draw_band(axes, rows["depth"], rows, number, name)
        axes.set(xlabel="depth (blocks passed)", ylabel=label)
        if measure == "rank":
            axes.set_yscale("log")
            axes.invert_yaxis()
        else:
            axes.set_ylim(0, 1.02)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


@styled
def norms(table: pd.DataFrame) -> Figure:
    """Length of the residual stream: first position and all others by depth, and a map of depth by position."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.1])
    for number, (position, name) in enumerate(((0, "first position"), (-1, "all other positions"))):
        rows = table[table["position"] == position]
        draw_band(left, rows["depth"], rows, number, name)
    left.set(yscale="log", xlabel="depth (blocks passed)", ylabel="length (geometric mean)")
    left.legend()
    by_position = table[table["position"] >= 0].pivot(index="depth", columns="position", values="value")
    image = right.imshow(by_position, norm=LogNorm(), cmap="viridis", aspect="auto", origin="lower")
    right.set(xlabel="position", ylabel="depth (blocks passed)")
    figure.colorbar(image, ax=right, label="length (geometric mean)")
    return figure


@styled
def interference(histogram: pd.DataFrame, overlaps: pd.DataFrame, blocks: Sequence[int]) -> Figure:
    """Cosines between write directions of some blocks beside both nulls, and two measures for every block."""
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[1.1, 1])
    grid = upper.subplots(1, len(blocks), sharey=True, squeeze=False)[0]
    for axes, block in zip(grid, blocks, strict=True):
        rows = histogram[histogram["block"] == block]
        for number, (column, name) in enumerate(NULLS.items()):
            values = rows[column].where(rows[column] > 0)
            axes.step((rows["low"] + rows["high"]) / 2, values, where="mid", color=PALETTE[number], label=name)
        axes.set(title=f"block {block}", xlabel="cosine of two write directions", yscale="log", ylim=(1e-8, 1))
        axes.set_xticks((-1, -0.5, 0, 0.5, 1))
    grid[0].set_ylabel("share of pairs")
    upper.legend(*grid[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    panels = {
        "mean squared cosine, chance = 1": overlaps["mean_square"] * overlaps["width"],
        "share of neurons with a\npartner beyond chance": overlaps["neurons_beyond"],
    }
    for axes, (label, values) in zip(lower.subplots(1, 2), panels.items(), strict=True):
        for number, kind in enumerate(("trained", "shuffled")):
            chosen = overlaps["weights"] == kind
            axes.plot(
                overlaps.loc[chosen, "block"], values[chosen], MARKERS[number], ls="-", ms=4, color=PALETTE[number]
            )
        axes.set(xlabel="block", ylabel=label)
        axes.set_ylim(bottom=0)
    return figure


@styled
def autoencoder(panels: dict[str, pd.DataFrame], rates: np.ndarray) -> Figure:
    """Numbers of each condition with intervals (`name, value, low, high`), and how often features are active."""
    figure = Figure(figsize=(10, 2.9), layout="constrained")
    *left, right = figure.subplots(1, len(panels) + 1)
    for axes, (label, rows) in zip(left, panels.items(), strict=True):
        places = range(len(rows))
        axes.hlines(places, rows["low"], rows["high"], color=PALETTE[0], linewidth=1.6)
        axes.plot(rows["value"], places, "o", color=PALETTE[0], markersize=5)
        axes.set_yticks(places, rows["name"])
        axes.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5))
        axes.grid(axis="y", color="#eee")
        axes.set_axisbelow(True)
    alive = rates[rates > 0]
    right.hist(alive, bins=np.geomspace(alive.min(), 1, 31), color=PALETTE[0])
    right.set(xscale="log", xlabel="share of tokens that activate it", ylabel="features")
    return figure


@styled
def label_directions(chosen: pd.DataFrame) -> Figure:
    """AUC of the direction chosen for each label, with its interval; columns `label, kind, auc, low, high`."""
    labels, kinds = list(dict.fromkeys(chosen["label"])), list(dict.fromkeys(chosen["kind"]))
    figure = Figure(figsize=(7.5, 0.45 * len(labels) + 1.1), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0.5, color="#888", linewidth=0.8)
    for number, kind in enumerate(kinds):
        rows = chosen[chosen["kind"] == kind]
        places = rows["label"].map(labels.index) + (number - (len(kinds) - 1) / 2) * 0.22
        draw_intervals(axes, rows["auc"], rows["low"], rows["high"], places, number, kind)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="AUC on texts that had no part in the choice", ylim=(len(labels) - 0.5, -0.5), xlim=(None, 1.01))
    axes.grid(axis="y", color="#eee")
    axes.set_axisbelow(True)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def visible(token: str) -> str:
    """A token as text that shows its spaces and line ends; what cannot be printed has no place in an SVG."""
    shown = token.translate({ord(" "): "·", ord("\n"): "↵", ord("\t"): "→"})
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in shown)
