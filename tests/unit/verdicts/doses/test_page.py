"""Sentences on dose and response follow from the numbers."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.verdicts.doses import page
from emoscope.verdicts.doses.figures import dose_response

FLAGS = {"encounter": (0, 2, 3), "templates": (1, 1, 2)}
POWER = pd.DataFrame(
    [
        ("race", where, size, 3, flagged, flagged / 3, 0.1, 0.9)
        for where, flags in FLAGS.items()
        for size, flagged in zip((0.0, 0.2, 0.8), flags, strict=True)
    ],
    columns=["axis", "where", "size", "runs", "flagged", "value", "low", "high"],
)


def lines(low: float = 0.02, leak: float = 0.1) -> pd.DataFrame:
    row = {"axis": "race", "slope": 0.9, "low": 0.8, "high": 1.05, "runs": 9, "seeds": 3, "verdict": "found"}
    row |= {"leak": leak, "leak_low": leak - 0.05, "leak_high": leak + 0.05}
    beside = {"where": "templates", "slope": 0.15, "low": low, "high": 0.2, "verdict": "partly found"}
    return pd.DataFrame([{**row, "where": "encounter"}, {**row, **beside}])


def said(markup) -> str:
    return " ".join(BeautifulSoup(markup, "html.parser").get_text(" ").split())


def test_the_headline_quotes_the_slope_and_the_flags_of_the_sentences():
    text = said(page.main_result(lines(), POWER))
    assert "Race: the gap found grows by 0.900 [0.800, 1.050] times what was planted, over 9 runs, found" in text
    assert "flagged: 0 of 3 at 0, 2 of 3 at 0.200, 3 of 3 at 0.800." in text


@pytest.mark.parametrize(("low", "words"), [(0.02, "they see it"), (-0.02, "they are not shown to see it")])
def test_templates_see_it_or_not(low, words):
    text = said(page.templates(lines(low), POWER))
    assert words in text and "1 of 3 times at 0, 1 of 3 times at 0.200, 2 of 3 times at 0.800." in text


@pytest.mark.parametrize(("leak", "words"), [(0.1, "so that it leaks"), (-0.1, "it leaks"), (0.0, "no leak is shown")])
def test_a_leak_is_told(leak, words):
    assert words in said(page.leaks(lines(leak=leak)))


def points() -> pd.DataFrame:
    rows = [
        ("race", where, f"r{seed}", seed, size, 0.9 * size, value, value - 0.1, value + 0.1, size > 0)
        for seed, size in ((1, 0.8), (2, 0.0))
        for where, value in (("encounter", 0.9 * size), ("templates", 0.3 * size))
    ]
    columns = ["axis", "where", "run", "seed", "size", "planted", "value", "low", "high", "flagged"]
    return pd.DataFrame(rows, columns=columns)


def test_the_table_of_runs_sets_found_and_templates_beside_planted():
    text = said(page.points_table(points()))
    assert "race r1 1 0.720 +0.720 [+0.620, +0.820] +0.240 [+0.140, +0.340] flagged" in text
    assert text.index("race r2") < text.index("race r1")  # by what was planted
    assert "P(joy | white) minus P(joy | black)" in text


def test_tables_of_lines_and_power():
    assert "race encounters 0.900 [0.800, 1.050] +0.100 [+0.050, +0.150] 9 3 found" in said(page.lines_table(lines()))
    text = said(page.power_table(POWER))
    assert "race encounters 0 3 0" in text and "false alarms race encounters 0.200 3 2 66.7 %" in text


def test_the_figure_has_planted_on_x_and_found_on_y():
    figure = dose_response(points())
    [panel] = figure.axes
    drawn = {line.get_label(): line for line in panel.get_lines()}
    assert list(drawn["found = planted"].get_xdata()) == list(drawn["found = planted"].get_ydata())
    x, y = (drawn["seed 1, templates"].get_data()[axis][0] for axis in (0, 1))
    assert x == pytest.approx(0.72, abs=0.03) and y == pytest.approx(0.24)


@pytest.mark.parametrize("seeds", [1, 3, 12])
def test_however_many_seeds_their_points_lie_about_what_was_planted(seeds):
    rows = points().query("seed == 1")
    panel = dose_response(pd.concat([rows.assign(seed=seed) for seed in range(seeds)])).axes[0]
    places = [line.get_xdata()[0] for line in panel.get_lines() if str(line.get_label()).startswith("seed")]
    assert len(places) == 2 * seeds == len({*places})
    assert max(abs(place - 0.72) for place in places) < 0.025
    assert abs(sum(places[::2]) / seeds - 0.72) < 1e-9, "the runs' own, in the middle"
