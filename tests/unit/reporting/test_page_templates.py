"""Sentences of pages lie in templates; what comes from data gets into them as text."""

import re

import pytest
from bs4 import BeautifulSoup

from emoscope.reporting.passages import passage
from emoscope.reporting.templates import TEMPLATES, fill
from made_up import BARE, words

NASTY = "<script>alert(1)</script>"
ROW = {"value": 0.1, "low": 0.0, "high": 0.2, "clusters": 5, "texts": 5}


@pytest.mark.parametrize(
    ("page", "name", "values"),
    [
        ("synonyms", "overlap", {"shared": {"published": NASTY}}),
        ("performance", "confusions", {"share": ROW, "label": NASTY, "taken": NASTY}),
        ("tracing", "writers", {"rise": NASTY, "fall": NASTY, "total": 1.0, "parts": [NASTY]}),
        ("tracing", "pair_table", {"title": NASTY, "origin": NASTY, "label": NASTY, "few": True}),
    ],
)
def test_no_text_gets_out_of_a_sentence(page, name, values):
    soup = BeautifulSoup(passage(page, name, **values), "html.parser")
    assert not soup.find("script") and "alert(1)" in soup.get_text()


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("pages/*.html.j2")), ids=lambda path: path.name)
def test_no_template_trusts_a_value(path):
    assert not re.search(r"\|\s*safe\b|autoescape", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("adopted", "says"),
    [
        (["a"], "The classifier a was trained elsewhere and is shown as it is. Which texts it has seen"),
        (["a", "b"], "The classifiers a and b were trained elsewhere and are shown as they are. Which texts they have"),
    ],
)
def test_what_was_trained_elsewhere_is_named_on_the_page(adopted, says):
    assert says in words(fill("page.html.j2", body="", script="", **BARE | {"adopted": adopted}))
    assert "trained elsewhere" not in fill("page.html.j2", body="", script="", **BARE)
