"""The flips page: the paper's two sentences, and flips beside neutral swaps."""

from types import SimpleNamespace

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.flips import page as flips_report
from emoscope.perturbation.null.balance import COLUMNS as BALANCE
from made_up import pairs, summary_of, words


@pytest.mark.parametrize("calm", ["calm", "texts"])
def test_the_papers_two_sentences_are_told_in_all_classes(calm):
    table4 = pd.DataFrame({"pair": ["jealous"], "joy": [0.1], "anger": [-0.1]})
    one = {"origin": "published", "term": "jealous", "text": "he", "perturbed": "she", "spans": [(0, 2, 0, 3)]}
    one |= {f"before_{calm}": 0.5, f"after_{calm}": 0.3, "before_joy": 0.5, "after_joy": 0.7}
    flip = flips_report.Flip("gender", pd.DataFrame([one]), pd.DataFrame([one]), *[pd.DataFrame()] * 2)
    table = BeautifulSoup(flips_report.published_pairs(flip, table4), "html.parser")
    assert [head.get_text() for head in table.select("thead :is(th, td)")][2:] == [
        f"P({name})" for name in ("joy", "anger", calm)
    ]
    assert "he" in table.select_one("tbody > tr > *").get_text()
    paper, here = ([td.get_text() for td in row.select("td, th")][2:] for row in table.select("tbody tr"))
    assert paper == ["+0.100", "\N{MINUS SIGN}0.100", "n/a"]
    assert here == ["+0.200", "n/a", "\N{MINUS SIGN}0.200"]


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("more", ". That is more than swapping neutral words does: +2.0 %"),
        ("not settled", ". Whether that is more than swapping neutral words does is not settled: +2.0 %"),
        ("no more", ". That is no more, within the margin, than swapping neutral words does: +2.0 %"),
    ],
)
def test_a_headline_says_whether_a_flip_does_more_than_neutral_words(verdict, said):
    measures = {"changed": (0.03, 0.01, 0.05), "names_changed": (0.5, 0.4, 0.6)}
    excess = summary_of(excess_changed=(0.02, 0.01, 0.03), verdict=verdict).assign(texts=20)
    table = pairs(6)
    every = pd.concat([table, table[:2].assign(origin="natural control")], ignore_index=True)
    key = ["id", "axis", "origin", "term"]
    unlike = ("natural", "place", "word", 0.1, 0.2, 0.6, -1.0, False, 9, 20)
    tables = SimpleNamespace(
        gender_pairs=every[[name for name in every if not name.startswith(("before_", "after_"))]],
        gender_scores=every[key + [name for name in every if name.startswith(("before_", "after_"))]],
        gender_summary=pd.concat([summary_of(**measures), excess]),
        gender_balance=pd.DataFrame([unlike, ("natural", "noun", *unlike[2:6], 0.1, True, 9, 20)], columns=BALANCE),
    )
    flips = flips_report.flips_of(tables, ["gender"])
    headline = words(flips_report.main_result(flips))
    assert said in headline and headline.startswith(
        "Flipping gender changes the prediction of 3.0 % [1.0, 5.0] of 50 test texts"
    )
    assert words(flips_report.main_result({})) == "No text could be flipped, or none within what the model reads."
    assert set(flips["gender"].pairs["origin"]) == {"natural"}  # controls are no flips
    told = words(flips_report.control_findings(flips))
    assert said in told and "Of 50 texts, 20 have a fair control and 30 none." in told
    assert "not alike in: place." in told
    assert "given names within one gender changes 50.0 %" in told
    assert "place" in flips_report.balances(flips)


def test_a_flip_without_names_or_unlike_controls_says_nothing_of_them():
    summary = summary_of(changed=(0.03, 0.01, 0.05))
    flip = flips_report.Flip("race", pairs(2), pairs(2), summary, pd.DataFrame(columns=BALANCE))
    told = words(flips_report.control_findings({"race": flip}))
    assert "Of 50 texts, 0 have a fair control and 50 none." in told
    assert "names" not in told and "alike in" not in told


def test_classes_that_differ_by_less_than_counts_are_not_said_to_be_the_same():
    gap = summary_of(gap_joy=(0.01, 0.005, 0.015), verdict="equivalent")
    flip = flips_report.Flip("gender", pairs(2), pairs(2), gap, pd.DataFrame(columns=BALANCE))
    told = words(flips_report.direction_findings({"gender": flip}))
    assert "(male minus female): no class is shown to differ (differences within the margin do not count)." in told
    assert "for certain" not in told and "by less than the margin: 1 of 1 classes" in told
    other = flips_report.Flip("gender", pairs(2), pairs(2), gap.assign(verdict="different"), flip.balance)
    told = words(flips_report.direction_findings({"gender": other}))
    assert "(male minus female): shown to differ in P(joy) +0.010 [+0.005, +0.015]." in told and "more than" not in told
    both = flips_report.Flip("gender", pairs(2), pairs(2), summary_of(changed=(0.1, 0, 1)), flip.balance)
    assert words(flips_report.direction_findings({"gender": both})) == "", "of texts that name both there is no gap"


def test_flips_that_the_model_does_not_read_are_counted_as_such_and_shown_nowhere_else():
    table = pairs(6)
    scored = [name for name in table if name.startswith(("before_", "after_"))]
    tables = SimpleNamespace(
        gender_pairs=table.drop(columns=scored),
        gender_scores=table[["id", "axis", "origin", "term", *scored]].assign(beyond_context=[False, True] * 3),
        gender_summary=summary_of(changed=(0.03, 0.01, 0.05)), gender_balance=pd.DataFrame(columns=BALANCE),
    )  # fmt: skip
    flips = flips_report.flips_of(tables, ["gender"])
    assert flips["gender"].pairs.empty and len(flips["gender"].all_pairs) == 6
    told = words(flips_report.flippable(flips, 100))
    assert "uncertain 3, beyond the context 3" in told and "the model reads the same in both texts" in told
    assert flips_report.unread_kinds(flips) == {("gender", "test texts"): 3}
