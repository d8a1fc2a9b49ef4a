"""Drawings of which words decide: what stands where, in which colour."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from emoscope.experiments.words import figures
from emoscope.experiments.words.methods import KINDS, METHODS, RANDOM, SHARES, SPECIAL, TITLES

RED, BLUE = (178, 24, 43), (33, 102, 172)


def ranks(*measures):
    rows = [
        (name, measure, value, value - 0.05, value + 0.05, 0.1 if measure == "shortcut" else 0.2, 40)
        for name, value in (("shapley", 0.9), ("attention", 0.3))
        for measure in measures
    ]
    return pd.DataFrame(rows, columns=["method", "measure", "value", "low", "high", "chance", "texts"])


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_ranking_has_a_line_for_each_method_best_on_top_and_chance():
    figure = figures.ranking(ranks("top", "average_precision"), TITLES)
    [axes] = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == [TITLES["shapley"], TITLES["attention"]]
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first is on top"
    assert [line.get_label() for line in axes.lines if list(line.get_xdata()) == [0.2, 0.2]] == [CHANCE]
    assert "top word is a shortcut" not in legend_of(figure)


CHANCE = "chance: top word is planted"


def test_shortcuts_are_drawn_where_they_are_planted_with_a_chance_of_their_own():
    figure = figures.ranking(ranks("top", "average_precision", "shortcut"), TITLES)
    assert "top word is a shortcut" in legend_of(figure)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    for title, chance in (("top word is planted", 0.2), ("top word is a shortcut", 0.1)):
        assert list(lines[f"chance: {title}"].get_xdata()) == [chance, chance]
        assert lines[f"chance: {title}"].get_color() == lines[title].get_color()
    assert CHANCE not in legend_of(figures.ranking(ranks("shortcut"), TITLES))


def test_curves_without_the_first_words_are_above_and_those_with_them_alone_below():
    rows = [
        (number, name, kind, part, share, share if part == "with" else 1 - share)
        for number in range(2)
        for name in ("shapley", RANDOM)
        for kind in KINDS
        for part in ("with", "without")
        for share in SHARES
    ]
    table = pd.DataFrame(rows, columns=["id", "method", "kind", "part", "share", "probability"])
    panels = np.array(figures.curves(table, ["shapley", RANDOM]).axes).reshape(2, len(KINDS))
    for above, below in panels.T:
        assert above.lines[0].get_ydata()[0] == 1 and below.lines[0].get_ydata()[0] == 0
        assert above.lines[0].get_linestyle() == "-" and above.lines[1].get_linestyle() == "--"


def test_agreement_is_the_same_both_ways_and_whole_with_itself():
    table = pd.DataFrame({"method": ["shapley"], "other": ["attention"], "correlation": [0.25], "top": [0.5]})
    values = figures.agreement(table).axes[0].images[0].get_array()
    assert np.array_equal(values, [[1, 0.25], [0.25, 1]])


@pytest.mark.parametrize("without", [set(), {"integrated_half", "integrated_three_quarters"}])
def test_no_letter_of_a_method_is_cut_off_from_the_agreement(without):
    names = [name for name in METHODS if name not in without]
    table = pd.DataFrame(combinations(names, 2), columns=["method", "other"]).assign(correlation=0.2, top=0.5)
    figure = figures.agreement(table)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    labels = [*figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels()]
    assert len(labels) == 2 * len(names)
    for label in labels:
        place = label.get_window_extent(canvas.get_renderer())
        assert min(place.x0, place.y0) >= 0 and place.x1 <= figure.bbox.width and place.y1 <= figure.bbox.height


def pushed():
    rows = [("joy", "glad", 2.0, "supported"), ("joy", "the", 0.5, "unsupported"), ("joy", "sad", -1.0, "")]
    table = pd.DataFrame(rows, columns=["class", "word", "value", "verdict"])
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.1, texts=[5, 6, 7])


def test_words_that_push_up_are_red_and_on_top_and_what_is_not_borne_out_is_open():
    axes = figures.pushes(pushed(), ["joy"]).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["glad (5)", "the (6)", "sad (7)"]
    edges, faces = axes.collections[-1].get_edgecolors(), axes.collections[-1].get_facecolors()
    assert np.allclose(edges[:2, :3] * 255, RED) and np.allclose(edges[2, :3] * 255, BLUE)
    assert faces[:, 3].tolist() == [1, 0, 1]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_extremes_are_the_strongest_of_either_sign_and_none_twice(count):
    words = figures.extremes(pushed(), count)["word"].tolist()
    assert words == [*["glad", "the"][:count], "sad"]
    assert figures.extremes(pushed().head(0), count).empty


def test_a_word_is_drawn_in_the_colour_of_its_sign_and_as_deep_as_its_score():
    rows = [(1, 0, 0, 4, "joy", 1.0), (1, 1, 5, 8, "joy", -0.5), (1, SPECIAL, 0, 0, "joy", 9.0)]
    rows += [(1, 0, 0, 4, "fear", -7.0)]
    scores = pd.DataFrame(rows, columns=["id", "word", "start", "end", "class", "shapley"])
    texts = [{"id": 1, "text": "glad now"}, {"id": 2, "text": "not explained"}]
    axes = figures.coloured_texts(scores, texts, "shapley").axes[0]
    first, second = axes.patches
    assert np.allclose(np.array(first.get_facecolor()[:3]) * 255, RED) and first.get_alpha() == pytest.approx(0.6)
    assert np.allclose(np.array(second.get_facecolor()[:3]) * 255, BLUE) and second.get_alpha() == pytest.approx(0.3)
    assert (first.get_x(), first.get_width()) == (0, 4) and (second.get_x(), second.get_width()) == (5, 3)
    assert "".join(text.get_text() for text in axes.texts) == "explained: joygladnow"
