"""Pages that speak of answers and classes say what these are where a text may have several labels."""

import re
from pathlib import Path

import pytest

from emoscope.reporting.several_labels import how_to_read
from emoscope.reporting.templates import environment
from made_up import words

NOTEBOOKS = Path(__file__).parents[3] / "workflow" / "notebooks"
TOLD = {  # page: a part of what only holds there
    "performance": "the share of exact matches",
    "masking": "the logit margin here",
    "flips": "Distance and divergence are means over the labels",
    "synonyms": "replaced as published",
    "suites": "an answer counts as right if that label is among those given",
    "tracing": "whose logit a pair raises most",
    "probing": "the largest difference of one label's probability",
    "features": "the label whose logit it raises most",
    "words": "Scores are of a label's own logit",
}


@pytest.mark.parametrize(("page", "told"), TOLD.items())
def test_a_page_says_what_its_words_mean(page, told):
    said = words(how_to_read({"multilabel": True}, page))
    assert "“class” means label on this page." in said and told in said
    assert not how_to_read({"multilabel": False}, page)
    notebook = (NOTEBOOKS / f"{page}.ipynb").read_text(encoding="utf-8")
    [named] = re.findall(r'how_to_read\(tables\.audit, \\"(\w+)\\"\)', notebook)
    assert named == page


def test_nothing_is_said_that_no_page_shows():
    assert set(environment().get_template("pages/several_labels.html.j2").blocks) == {"told", "comparison", *TOLD}
