"""Numbers and markup: what a reader sees, and that no text can break out of it."""

import json

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from emoscope.reporting.html import (
    SORTABLE,
    badge,
    details,
    embedded,
    estimate,
    html_table,
    listed,
    marked,
    number,
    percent,
    planted_box,
    plural,
    signed,
    unsigned,
)
from made_up import tags


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (signed, -0.351768572, "\N{MINUS SIGN}0.352"),
        (signed, 0.28, "+0.280"),
        (signed, 0, "0"),
        (signed, -0.0003, "\N{MINUS SIGN}0.0003"),
        (signed, 1.68e-7, "+2·10⁻⁷"),
        (signed, float("nan"), "n/a"),
        (unsigned, 0.0955, "0.096"),
        (unsigned, 393822.0, "393,822"),
        (number, 12000, "12,000"),
        (number, 0.5, "0.500"),
        (percent, 0.0886, "8.9 %"),
    ],
)
def test_numbers_are_written_the_way_the_paper_can_be_compared(form, value, text):
    assert form(value) == text


def test_an_estimate_without_interval_is_the_value_alone():
    assert "[" not in estimate(0.5, np.nan, np.nan)
    assert "[+0.400, +0.600]" in estimate(0.5, 0.4, 0.6)


def test_words_in_a_row_and_plurals():
    assert listed([3]) == "3"
    assert listed("abc") == "a, b and c"
    assert listed([]) == "none"
    assert [plural(1, "epoch"), plural(0.5, "epoch"), plural(2, "epoch")] == ["1 epoch", "0.5 epochs", "2 epochs"]


@given(st.text())
def test_no_text_gets_out_of_its_place(text):
    plain = html_table([{"a": "x", "b": 1}], "x", text=("a",))
    hostile = html_table([{"a": text, "b": text}], text, text=("a",))
    assert tags(hostile) == tags(plain)
    assert tags(badge(text)) == {"span"}


@given(st.text())
def test_data_for_a_script_end_no_element_and_are_read_as_they_were(text):
    data = {"text": f"{text}</script><b>{{}}"}
    html = embedded(data, "data")
    assert tags(html) == {"script"} and html.startswith('<script type="application/json" id="data">')
    assert json.loads(Markup(html).partition(">")[2].removesuffix("</script>")) == data


@given(st.text(min_size=1), st.data())
def test_marking_a_text_keeps_every_character(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    html = marked(text, [(start, end)])
    assert Markup(html).striptags() == Markup("{}").format(text).striptags()
    assert Markup("<mark>{}</mark>").format(text[start:end]) in html


def test_a_table_without_rows_is_not_shown():
    assert html_table([], "caption") == ""


def test_the_first_cell_of_a_row_heads_it_unless_the_row_belongs_to_the_one_above():
    rows = BeautifulSoup(html_table([{"a": 0, "b": 1}, {"a": "", "b": 2}], "x"), "html.parser").select("tbody tr")
    assert [[cell.name for cell in row.select("th, td")] for row in rows] == [["th", "td"], ["td", "td"]]
    assert rows[0].th["scope"] == "row"


def test_nothing_to_unfold_is_not_shown():
    assert details("Every class") == details("Every class", Markup()) == ""
    assert "<summary>Every class</summary>" in details("Every class", Markup("<p>x</p>"))


def test_planted_found_verdict():
    html = planted_box([{"planted": "a", "found": Markup("<b>1</b>"), "verdict": "found"}])
    assert "<b>1</b>" in html and 'class="badge good"' in html


def test_long_tables_can_be_sorted_and_those_whose_rows_belong_together_cannot():
    rows = [{"a": f"x{n}", "b": n} for n in range(SORTABLE)]
    assert '<table class="sortable">' in html_table(rows, "", text=("a",))
    assert "sortable" not in html_table(rows[1:], "", text=("a",))
    assert "sortable" not in html_table([*rows, {"a": "", "b": 3}], "", text=("a",))
    assert "sortable" in html_table([*rows, {"a": "x", "b": ""}], "", text=("a",))
