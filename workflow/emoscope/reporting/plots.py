"""The style of all figures, and the one that many pages have; nothing is computed here.

Colours hold for colour-blind readers: diverging maps run from blue (fall) over white to red (rise), centred at zero;
lines and marks take seaborn's `colorblind` palette and differ in shape as well.
"""

import io
import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from emoscope.reporting.html import MINUS, SUPERSCRIPTS

DIVERGING, SEQUENTIAL = "RdBu_r", "Blues"
PALETTE = sns.color_palette("colorblind").as_hex()
MARKERS = "osD^vPX"  # seven with ten colours: the first seventy series differ
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
    "text.parse_math": False,  # a class may be called $x$
    "svg.hashsalt": "emoscope",  # the same table gives the same bytes
}
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in a label, it spoils the picture
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
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if axis.get_scale() == "log"):
        axis.set_major_formatter(
            lambda value, _: _power(value)
        )  # matplotlib's own is LaTeX, which STYLE leaves as it is
        axis.set_minor_formatter(NullFormatter())
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return NO_XML.sub("\N{REPLACEMENT CHARACTER}", stream.getvalue())


def _power(value: float) -> str:
    """How a place of a logarithmic axis reads: 10⁻² for 0.01."""
    exponent = round(np.log10(value))
    return f"10{str(exponent).translate(SUPERSCRIPTS)}" if np.isclose(value, 10.0**exponent) else f"{value:g}"


@styled
def forest(table: pd.DataFrame, label: str, margin: float | None = None, percent: bool = False) -> Figure:
    """Estimates with their intervals, one row each; columns `name`, `series`, `value`, `low`, `high`.

    A shaded band marks +/- `margin`, within which an effect counts as none; a tick marks `expected`, if there is such a
    column. An interval that is NaN is not drawn.
    """
    names, series = list(dict.fromkeys(table["name"])), list(dict.fromkeys(table["series"]))
    apart = 0.22 if table["name"].duplicated().any() else 0
    figure, axes = canvas(7.5, max(1.7, (0.42 if apart else 0.22) * len(names) + 1))
    if margin is not None:
        least = as_percent(margin) if percent else f"{margin:g}"
        axes.axvspan(-margin, margin, color="#e3e3e3", zorder=0, label=f"counts as no effect (±{least})")
    axes.axvline(0, color="#888", linewidth=0.8)
    for number, name in enumerate(series):
        rows = table[table["series"] == name]
        places = rows["name"].map(names.index) + (number - (len(series) - 1) / 2) * apart
        draw_intervals(axes, rows["value"], rows["low"], rows["high"], places, number, name)
        if "expected" in rows:
            planted = None if number else "planted"
            axes.scatter(rows["expected"], places, marker="|", s=160, color="#222", zorder=3, label=planted)
    axes.set(yticks=range(len(names)), ylim=(len(names) - 0.4, -0.6))
    axes.set_yticklabels(names)
    axes.grid(axis="y", color="#eee")
    axes.set_axisbelow(True)
    label_axes(axes, x=label)
    if percent:
        axes.xaxis.set_major_formatter(as_percent)
    if len(series) > 1 or margin is not None:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def diverging(limit: float) -> dict:
    """Colours of a heat map of changes: white at zero, as deep at -limit as at +limit."""
    return {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}


def largest(panels: Mapping[str, pd.DataFrame]) -> float:
    """The largest absolute value of any table; 1 if all are 0."""
    return float(np.nanmax([np.nanmax(np.abs(table.to_numpy())) for table in panels.values()])) or 1.0


def as_percent(share: float, _place: int | None = None) -> str:
    """How a share reads beside an axis, as it does in a text: 0.5 as `50 %`; to be set as an axis's formatter."""
    return f"{100 * share + 0.0:g} %".replace("-", MINUS)


def in_cell(value: float, form: str = ".2f") -> str:
    """A number in a cell of a heat map; nothing for NaN."""
    return "" if np.isnan(value) else f"{value:{form}}".replace("-", MINUS)


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches and its only axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def label_axes(axes: Axes, x: str = "", y: str = "") -> None:
    """Name both axes; without a name, an axis loses the one that pandas or seaborn gave it."""
    axes.set(xlabel=x, ylabel=y)


def legend_of(panels: Iterable[Axes]) -> tuple[list, list]:
    """One handle and label of each name in any panel, as `Figure.legend` takes them."""
    found = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)


def draw_intervals(axes: Axes, value, low, high, places, number: int, name: str) -> None:
    """Estimates at `places` of the vertical axis with their intervals, in the colour and shape of series `number`."""
    colour = PALETTE[number % len(PALETTE)]
    axes.hlines(places, low, high, color=colour, linewidth=1.4)
    axes.plot(value, places, MARKERS[number % len(MARKERS)], color=colour, markersize=4.5, label=name)


def draw_band(axes: Axes, x, rows: pd.DataFrame, number: int, name: str | None, **style) -> None:
    """A curve through `value` at `x`, its intervals from `low` to `high` as a band, as series `number`; `style` is what
    the line has of its own."""
    colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
    axes.fill_between(x, rows["low"], rows["high"], color=colour, alpha=0.15, linewidth=0)
    style = {"marker": marker, "markersize": 3.5, "linewidth": 1.3} | style
    axes.plot(x, rows["value"], color=colour, label=name, **style)
