"""Figures keep their labels and fit a page."""

import re
from itertools import pairwise
from xml.dom import minidom

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from emoscope.experiments.masking import figures as masking_figures
from emoscope.experiments.performance import figures as performance_figures
from emoscope.reporting.html import MINUS
from emoscope.reporting.plots import (
    MARKERS,
    PALETTE,
    WIDEST,
    as_percent,
    canvas,
    draw_band,
    forest,
    in_cell,
    legend_of,
    styled,
    svg,
)
from emoscope.verdicts.claims.figures import verdict_matrix
from emoscope.writeups.attention.figures import look_maps
from emoscope.writeups.induction.figures import head_maps


@pytest.mark.parametrize("number", [3, 60])
def test_figures_of_any_number_of_classes_fit_a_page(number):
    classes = [f"class-{k}" for k in range(number)]
    panels = dict.fromkeys(("paper", "code", "text"), pd.DataFrame(0.1, range(12), classes))
    for figure in (
        masking_figures.block_maps(panels, "change"),
        performance_figures.confusion(np.eye(number, dtype=int), classes),
    ):
        assert figure.get_size_inches()[0] < 14, "a page shows a wider one too small to read"
        assert svg(figure).startswith("<?xml")


def test_a_forest_plot_keeps_its_label_where_planted_values_are_marked():
    rows = {"name": ["a"], "series": ["found"], "value": [0.1], "low": [0.0], "high": [0.2], "expected": [0.15]}
    axes = forest(pd.DataFrame(rows), "change of P(anger)").axes[0]
    assert axes.get_xlabel() == "change of P(anger)"
    assert axes.get_legend_handles_labels()[1] == ["found", "planted"]


def test_a_legend_of_several_panels_names_each_thing_once():
    panels = Figure().subplots(1, 2)
    own, *_ = panels[0].plot([0, 1], label="own")
    panels[1].plot([0, 1], label="own")
    other, *_ = panels[1].plot([1, 0], label="other")
    assert legend_of(panels) == ([own, other], ["own", "other"])


def test_logarithmic_axes_and_colours_are_labelled_with_powers_of_ten():
    @styled
    def drawn():
        figure = Figure()
        lines, image = figure.subplots(2)
        lines.plot([0.001, 0.1], [3, 4])
        lines.set(xscale="log", title="$x$")
        figure.colorbar(image.imshow([[1, 2], [100, 1000]], norm=LogNorm()))
        return figure

    said = re.findall("<!-- (.*?) -->", svg(drawn()))  # letters are outlines, with the text beside them
    assert {"10⁻³", "10⁻¹", "10²", "$x$"} <= set(said)
    assert not any("mathdefault" in text for text in said)


def test_a_label_that_holds_control_characters_spoils_no_figure():
    rows = {
        "name": ["\a\b\x1b[31mred\ufffe \N{ROCKET}"],
        "series": ["found"],
        "value": [0.1],
        "low": [0.0],
        "high": [0.2],
    }
    parsed = minidom.parseString(svg(forest(pd.DataFrame(rows), "change")))
    assert any("[31mred" in node.data for node in every_comment(parsed))


def every_comment(node):
    yield from (child for child in node.childNodes if child.nodeType == child.COMMENT_NODE)
    for child in node.childNodes:
        yield from every_comment(child)


def test_a_band_reaches_from_end_to_end_of_its_intervals_around_its_curve():
    _, axes = canvas(3, 2)
    rows = pd.DataFrame({"value": [1.0, 2.0], "low": [0.5, 1.0], "high": [1.5, 4.0]})
    for number in range(len(PALETTE) + 1):
        draw_band(axes, [0, 1], rows, number, f"series {number}", linewidth=2)
    line, bounds = axes.lines[-1], axes.collections[-1].get_datalim(axes.transData).extents
    assert list(line.get_ydata()) == [1, 2] and line.get_label() == f"series {number}" and line.get_linewidth() == 2
    assert list(bounds) == [0, 0.5, 1, 4] and line.get_marker() == MARKERS[number % len(MARKERS)]
    assert line.get_color() == axes.lines[0].get_color() == PALETTE[0], "after the last colour comes the first"


def test_a_share_reads_beside_an_axis_as_it_does_in_a_text():
    assert [as_percent(share) for share in (-0.05, -0.0, 0.07, 1)] == [f"{MINUS}5 %", "0 %", "7 %", "100 %"]
    rows = {"name": ["a"], "series": ["found"], "value": [-0.1], "low": [-0.2], "high": [0.2]}
    said = re.findall("<!-- (.*?) -->", svg(forest(pd.DataFrame(rows), "difference", margin=0.02, percent=True)))
    assert {f"{MINUS}10 %", "10 %", "counts as no effect (±2 %)"} <= set(said)
    assert (in_cell(-0.254), in_cell(0.1, "+.2f"), in_cell(np.nan)) == (f"{MINUS}0.25", "+0.10", "")


def test_seventy_series_can_be_told_apart():
    looks = {(PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]) for number in range(70)}
    assert len(looks) == 70


@pytest.mark.parametrize(("runs", "letters"), [(2, 5), (2, 40), (50, 20)])
def test_claims_of_any_number_of_runs_fit_a_page(runs, letters):
    names = [f"{run:0{letters}}" for run in range(runs)]
    claims = pd.DataFrame([(f"claim.{n}", run, "reproduced") for n in range(30) for run in names])
    figure = verdict_matrix(claims.set_axis(["id", "run", "verdict"], axis=1))
    assert figure.get_size_inches()[0] <= WIDEST
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 for box in boxes)


def test_maps_of_many_heads_fit_a_page():
    heads = pd.DataFrame(
        [(block, head, 0.5) for block in range(32) for head in range(32)], columns=["block", "head", "a"]
    )
    table = heads.pivot(index="block", columns="head", values="a")
    looks = {name: name for name in "abcd"}
    figures = [
        look_maps(heads.assign(b=0.1, c=0.2, d=0.3), looks, "weight"),
        head_maps(dict.fromkeys(looks, table)),
    ]
    assert all(figure.get_size_inches()[0] <= WIDEST for figure in figures)
