"""The figures of the reports: each function takes a table and returns a matplotlib figure; nothing is computed here.

Colours hold for colour-blind readers: diverging maps run from blue (fall) over white to red (rise), centred at zero;
lines and marks take seaborn's `colorblind` palette and differ in shape as well.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from functools import wraps

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

DIVERGING, SEQUENTIAL = "RdBu_r", "Blues"
PALETTE = sns.color_palette("colorblind").as_hex()
MARKERS = "osD^v"
VERDICT_COLOURS = {
    "reproduced": "#0173b2",
    "contradicted": "#d55e00",
    "artefact": "#7b4fa3",
    "underpowered": "#c9a400",
    "not testable here": "#b5b5b5",
}
STYLE = {
    "figure.dpi": 100,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666",
    "legend.frameon": False,
    "image.composite_image": False,  # an image stays as small as its data
    "svg.fonttype": "path",
    "svg.hashsalt": "emoscope",  # the same table gives the same bytes
}
MOST_ANNOTATED = 14  # rows or columns; numbers in smaller cells cannot be read
WIDEST = 12  # inches; a page shows what is wider too small to read


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw in our style without touching anyone else's."""

    @wraps(draw)
    def function(*args, **kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return function


def svg(figure: Figure) -> str:
    """The figure as an SVG document, text as outlines, images embedded."""
    stream = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


@styled
def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Figure:
    """Confusion matrix: colour is the share of each true class, numbers are the share and the count of texts."""
    counts = np.asarray(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = [[f"{s:.0%}\n{n:,}" for s, n in zip(*row, strict=True)] for row in zip(shares, counts, strict=True)]
    annotated = len(classes) <= MOST_ANNOTATED
    size = max(4.2, 0.75 * len(classes)) if annotated else min(WIDEST, 0.3 * len(classes))
    figure, axes = _figure(size + 1.2, size * 0.8)
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
        cbar_kws={"label": "share of the true class", "format": PercentFormatter(1)},
    )
    _label(axes, x="predicted class", y="true class")
    axes.tick_params(axis="y", rotation=0)
    return figure


@styled
def calibration(parts: Mapping[str, Sequence[Mapping]]) -> Figure:
    """Accuracy against mean confidence in ten bins, one line for each part; the size of a mark grows with its texts."""
    figure, axes = _figure(4.6, 3.8)
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
    _label(axes, x="mean confidence of the prediction", y="accuracy")
    axes.legend(loc="upper left")
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
    _label(upper, y="training loss (nats)")
    _label(lower, x="epoch", y="learning rate")
    lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    return figure


@styled
def block_maps(panels: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """Heat maps on one diverging scale: rows are blocks, columns are classes, cells are mean changes.

    They stand side by side, or below each other where that would be too wide to read.
    """
    limit = _largest(panels)
    rows = max(map(len, panels.values()))
    columns = max(table.shape[1] for table in panels.values())
    annotated = columns <= MOST_ANNOTATED
    width, height = max(2.4, min(WIDEST, (0.46 if annotated else 0.2) * columns) + 0.4), 0.27 * rows + 1.4
    beside = width * len(panels) <= WIDEST
    lines, across = (1, len(panels)) if beside else (len(panels), 1)
    figure = Figure(figsize=(width * across + 0.9, height * lines), layout="constrained")
    grid = figure.subplots(lines, across, squeeze=False, sharey=True).ravel()
    for number, (axes, (title, table)) in enumerate(zip(grid, panels.items(), strict=True)):
        labels = table.map(lambda value: "" if np.isnan(value) else "0" if abs(value) < 0.005 else f"{value:+.2f}")
        sns.heatmap(
            table,
            ax=axes,
            **_diverging(limit),
            linewidths=0.5,
            fmt="",
            annot=labels if annotated else False,
            annot_kws={"size": 7},
            cbar=number == len(panels) - 1 or not beside,
            cbar_kws={"label": label},
        )
        axes.set_title(title)
        _label(axes, x="class of the samples", y="block" if number == 0 or not beside else "")
        axes.tick_params(axis="y", rotation=0)
        axes.tick_params(axis="x", rotation=45)
    return figure


@styled
def head_maps(panels: Mapping[str, pd.DataFrame], significant: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """Heat maps of true heads, rows are blocks, columns heads; a dot marks a change that survives FDR control."""
    limit = _largest(panels)
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
            **_diverging(limit),
            linewidths=0.3,
            cbar=number == len(panels) - 1,
            cbar_kws={"label": label},
        )
        y, x = np.nonzero(significant[title].to_numpy())
        axes.scatter(x + 0.5, y + 0.5, s=5, color="#222", linewidths=0)
        axes.set_title(title)
        _label(axes, x="head", y="block" if number == 0 else "")
        axes.tick_params(axis="both", rotation=0)
    return figure


@styled
def block_effects(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """Effect of each block with its interval, one panel per measure and one mark per condition.

    Tables have columns `block`, `condition`, `change`, `low`, `high`.
    """
    blocks = sorted(set().union(*(table["block"] for table in panels.values())))
    figure = Figure(figsize=(9.6, 0.3 * len(blocks) + 1.5), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (title, table) in zip(grid, panels.items(), strict=True):
        axes.axvline(0, color="#888", linewidth=0.8)
        conditions = list(dict.fromkeys(table["condition"]))
        for number, condition in enumerate(conditions):
            rows = table[table["condition"] == condition]
            offset = (number - (len(conditions) - 1) / 2) * 0.24
            _intervals(axes, rows["change"], rows["low"], rows["high"], rows["block"] + offset, number, condition)
        _label(axes, x=title)
        axes.set_yticks(blocks)
        axes.grid(axis="y", color="#eee")
        axes.set_axisbelow(True)
    grid[0].set(ylim=(max(blocks) + 0.7, min(blocks) - 0.7), ylabel="block")
    if len(set().union(*(table["condition"] for table in panels.values()))) > 1:
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@styled
def forest(table: pd.DataFrame, label: str, margin: float | None = None, percent: bool = False) -> Figure:
    """Estimates with their intervals, one row each; columns `name`, `series`, `value`, `low`, `high`.

    A shaded band marks +/- `margin`, within which an effect counts as none; a tick marks `expected`, if there is such a
    column. An interval that is NaN is not drawn.
    """
    names, series = list(dict.fromkeys(table["name"])), list(dict.fromkeys(table["series"]))
    apart = 0.22 if table["name"].duplicated().any() else 0
    figure, axes = _figure(7.5, max(1.7, (0.42 if apart else 0.22) * len(names) + 1))
    if margin is not None:
        axes.axvspan(-margin, margin, color="#e3e3e3", zorder=0, label=f"counts as no effect (±{margin:g})")
    axes.axvline(0, color="#888", linewidth=0.8)
    for number, name in enumerate(series):
        rows = table[table["series"] == name]
        places = rows["name"].map(names.index) + (number - (len(series) - 1) / 2) * apart
        _intervals(axes, rows["value"], rows["low"], rows["high"], places, number, name)
        if "expected" in rows:
            label = None if number else "planted"
            axes.scatter(rows["expected"], places, marker="|", s=160, color="#222", zorder=3, label=label)
    axes.set(yticks=range(len(names)), ylim=(len(names) - 0.4, -0.6))
    axes.set_yticklabels(names)
    axes.grid(axis="y", color="#eee")
    axes.set_axisbelow(True)
    _label(axes, x=label)
    if percent:
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    if len(series) > 1 or margin is not None:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@styled
def change_distribution(changes: Mapping[str, np.ndarray], threshold: float) -> Figure:
    """How many pairs change by how much: histograms on a logarithmic count axis; the dashed line is the threshold."""
    figure = Figure(figsize=(7, 1.5 + 1.2 * len(changes)), layout="constrained")
    grid = figure.subplots(len(changes), 1, squeeze=False, sharex=True)[:, 0]
    bins = np.linspace(0, 1, 41)
    for number, (axes, (name, values)) in enumerate(zip(grid, changes.items(), strict=True)):
        axes.hist(values, bins=bins, color=PALETTE[number], alpha=0.85)
        axes.axvline(threshold, color="#222", linestyle="--", linewidth=1)
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
        axes.set_title(f"{name}: {len(values):,} pairs")
        _label(axes, y="pairs")
    _label(grid[-1], x="largest change of any class's probability")
    return figure


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
        signed, largest = _diverging(limit), difference.to_numpy().max() or 1
        steps = (
            ("original", original, signed),
            ("flipped", flipped, signed),
            ("|flipped \N{MINUS SIGN} original|", difference, {"cmap": "Reds", "vmin": 0, "vmax": largest}),
        )
        for axes, (step, values, colours) in zip(column, steps, strict=True):
            image = axes.imshow(values, aspect="auto", interpolation="none", **colours)
            figure.colorbar(image, ax=axes, pad=0.01)
            axes.set_title(f"{step}, {title}", loc="left")
        _label(axes, x="dimension")
    for axes, names in zip(grid[:, 0], (words["word"], words["flipped_word"], words["flipped_word"]), strict=True):
        axes.set_yticks(range(len(names)), names, fontsize=7)
        for tick, bold in zip(axes.get_yticklabels(), changed, strict=True):
            tick.set(fontweight="bold" if bold else "normal", color=VERDICT_COLOURS["contradicted"] if bold else "#222")
            tick.set_parse_math(False)  # a tweet may hold dollar signs
    return figure


@styled
def epoch_losses(losses: pd.DataFrame) -> Figure:
    """Mean loss of each epoch, one line for each `training`; columns `training`, `epoch`, `loss`."""
    figure, axes = _figure(6, 3)
    for number, (name, rows) in enumerate(losses.groupby("training", sort=False)):
        style = {"color": PALETTE[number % len(PALETTE)], "marker": MARKERS[number % len(MARKERS)]}
        axes.plot(rows["epoch"], rows["loss"], **style, markersize=4.5, linewidth=1.4, label=name)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _label(axes, x="epoch", y="mean training loss (nats)")
    axes.legend()
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
        (grid[1], parts, _largest(parts), "head; all: the whole attention, FF: feed-forward", "block"),
    ):
        for number, (axes, (title, table)) in enumerate(zip(axes_row, panels.items(), strict=True)):
            image = axes.imshow(table, aspect="auto", interpolation="none", **_diverging(limit))
            axes.set_xticks(range(table.shape[1]), table.columns, fontsize=7)
            axes.set_yticks(range(len(table)), table.index, fontsize=7)
            axes.set_title(title)
            _label(axes, x=x, y="" if number else y)
            for tick in axes.get_yticklabels():
                flipped = "\N{RIGHTWARDS ARROW}" in tick.get_text()
                tick.set(color=VERDICT_COLOURS["contradicted"] if flipped else "#222", parse_math=False)
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
    _label(left, x="blocks passed", y="probability")
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
    _label(right, x="change of the margin (logits)", y="block")
    right.legend(fontsize=7)
    return figure


@styled
def dimension_tests(panels: Mapping[str, pd.DataFrame], regions: Mapping[int, Sequence[int]], level: float) -> Figure:
    """Mean change of each dimension over word pairs, a panel for each scale.

    What stands out is red, the five largest carry their number, grey bands are `regions`. Tables have `dimension`,
    `value` (1 is the average dimension) and `p_adjusted`.
    """
    figure = Figure(figsize=(9, 1.7 * len(panels) + 0.5), layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (title, table) in zip(grid, panels.items(), strict=True):
        for region in regions.values():
            axes.axvspan(region[0] - 0.5, region[-1] + 0.5, color="#e3e3e3", zorder=0)
        out = table["p_adjusted"] < level
        for rows, colour in ((table[~out], PALETTE[0]), (table[out], VERDICT_COLOURS["contradicted"])):
            axes.vlines(rows["dimension"], 0, rows["value"], color=colour, linewidth=0.9)
        for row in table.nlargest(5, "value").itertuples():
            axes.annotate(str(row.dimension), (row.dimension, row.value), ha="center", va="bottom", fontsize=7)
        axes.axhline(1, color="#888", linewidth=0.6)
        axes.set_title(title)
        axes.margins(y=0.2)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(3))
        _label(axes, y="times the average")
    _label(grid[-1], x="dimension")
    return figure


@styled
def verdict_matrix(claims: pd.DataFrame) -> Figure:
    """Verdicts as coloured tiles: rows are claims (`id`), columns runs (`run`)."""
    verdicts = claims.pivot(index="id", columns="run", values="verdict").loc[list(dict.fromkeys(claims["id"]))]
    present = [name for name in VERDICT_COLOURS if (verdicts == name).to_numpy().any()]
    codes = verdicts.apply(lambda column: column.map(lambda name: present.index(name) if name in present else np.nan))
    figure, axes = _figure(3.2 + 1.3 * verdicts.shape[1], 0.22 * len(verdicts) + 1.1)
    colours = mpl.colors.ListedColormap([VERDICT_COLOURS[name] for name in present])
    sns.heatmap(codes, ax=axes, cmap=colours, vmin=-0.5, vmax=len(present) - 0.5, linewidths=1.5, cbar=False)
    marks = [mpl.patches.Patch(color=VERDICT_COLOURS[name], label=name) for name in present]
    figure.legend(handles=marks, loc="outside upper left", ncols=3)
    _label(axes)
    axes.tick_params(axis="both", rotation=0, length=0)
    return figure


def _diverging(limit: float) -> dict:
    """Colours of a heat map of changes: white at zero, as deep at -limit as at +limit."""
    return {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}


def _largest(panels: Mapping[str, pd.DataFrame]) -> float:
    return float(np.nanmax([np.nanmax(np.abs(table.to_numpy())) for table in panels.values()])) or 1.0


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _label(axes: Axes, x: str = "", y: str = "") -> None:
    axes.set(xlabel=x, ylabel=y)


def _intervals(axes: Axes, value, low, high, places, number: int, name: str) -> None:
    axes.hlines(places, low, high, color=PALETTE[number], linewidth=1.4)
    axes.plot(value, places, MARKERS[number % len(MARKERS)], color=PALETTE[number], markersize=4.5, label=name)
