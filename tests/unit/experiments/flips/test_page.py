"""The flips page: the paper's two sentences, and flips beside neutral swaps."""

from types import SimpleNamespace

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.flips import page as flips_report
from made_up import pairs, summary_of, words


def test_the_papers_two_sentences_are_told_in_all_classes():
    table4 = pd.DataFrame({"pair": ["jealous"], "joy": [0.1], "anger": [-0.1]})
    one = {"origin": "published", "term": "jealous", "text": "he", "perturbed": "she", "spans": [(0, 2, 0, 3)]}
    one |= {"before_calm": 0.5, "after_calm": 0.3, "before_joy": 0.5, "after_joy": 0.7}
    flip = flips_report.Flip("gender", pd.DataFrame([one]), pd.DataFrame([one]), pd.DataFrame())
    table = BeautifulSoup(flips_report.published_pairs(flip, table4), "html.parser")
    assert [th.get_text() for th in table.select("th")][2:] == ["joy", "anger", "calm"]
    paper, here = ([td.get_text() for td in row.select("td")][2:] for row in table.select("tbody tr"))
    assert paper == ["+0.100", "\N{MINUS SIGN}0.100", "n/a"]
    assert here == ["+0.200", "n/a", "\N{MINUS SIGN}0.200"]


@pytest.mark.parametrize(
    ("excess", "said"),
    [
        ((0.02, 0.01, 0.03), "more than neutral swaps of the same size, 1.0 %"),
        ((0.02, -0.01, 0.05), "not shown to exceed neutral swaps of the same size, 1.0 %"),
        ((-0.02, -0.03, -0.01), "less than neutral swaps of the same size, 1.0 %"),
    ],
)
def test_a_headline_says_whether_a_flip_does_more_than_neutral_words(excess, said):
    measures = {"changed": (0.03, 0.01, 0.05), "control_changed": (0.01, 0, 0.02), "excess_changed": excess}
    summary = summary_of(**measures)
    table = pairs(6)
    controls = table[:2].assign(origin="natural control", flags=[[], ["borrowed"]])
    every = pd.concat([table, controls], ignore_index=True)
    key = ["id", "axis", "origin", "term"]
    tables = SimpleNamespace(
        gender_pairs=every[[name for name in every if not name.startswith(("before_", "after_"))]],
        gender_scores=every[key + [name for name in every if name.startswith(("before_", "after_"))]],
        gender_summary=summary,
    )
    flips = flips_report.flips_of(tables, ["gender"])
    assert said in words(flips_report.main_result(flips))
    assert set(flips["gender"].pairs["origin"]) == {"natural"}  # controls are no flips
    told = words(flips_report.control_findings(flips))
    assert said in told and "49 with a control of its own words, 1 with one in another text, 0 without" in told
