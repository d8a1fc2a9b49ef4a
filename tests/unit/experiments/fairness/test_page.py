"""The fairness page: what differs is named with its sides, and what else sets the groups apart stands beside it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.fairness import page as report
from emoscope.experiments.fairness.gaps import TESTS
from emoscope.experiments.fairness.groups import COLUMNS
from made_up import NASTY, summary_of, tags, words

NUMBERS = (0.4, 0.3, 0.5, 100, 0.1, 0.05, 0.2, 90, 0.3, 0.2, 0.4, 0.001, 0.9, 0.08)


def groups(*measures: tuple[str, str, str]) -> pd.DataFrame:
    """One row for each (measure, class, verdict)."""
    rows = [(measure, name, *NUMBERS, 0.004, verdict) for measure, name, verdict in measures]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "detectable", "p_adjusted", "verdict"])
    return table.assign(axis="gender", first_group="male", second_group="female")


RATES = groups(
    ("base rate", "anger", ""), ("base rate", "joy", ""), ("words", "", ""), ("accuracy", "", "different"),
    ("true positives", "joy", "underpowered"), ("false positives", "anger", "different"),
    ("false positives", "joy", ""),
    ("overconfidence", "", "equivalent"), ("calibration error", "", ""),
)  # fmt: skip


def gaps(**measures: tuple) -> dict:
    summary = summary_of("natural", changed=(0.1, 0.0, 0.2), **measures).assign(detectable=0.06, pairs=70)
    summary["verdict"] = np.where(summary["measure"] == "gap_anger", "different", "underpowered")
    return report.gaps_of(SimpleNamespace(gender_summary=summary), ["gender"])


def test_the_headline_names_the_classes_and_the_sides():
    told = words(report.main_result(gaps(gap_anger=(0.13, 0.1, 0.15), gap_joy=(0.0, -0.1, 0.1)), RATES))
    said = "Gender, test texts (male minus female, in the same text): shown to differ in P(anger) +0.130 [+0.100, "
    assert told.startswith(said) and "joy" not in told
    assert "; shown to lie within the margin: 0 of 2, too few texts to tell: 1." in told
    within = {key: rows.assign(verdict="equivalent") for key, rows in gaps(gap_joy=(0.0, -0.01, 0.01)).items()}
    nothing = words(report.main_result(within, RATES))
    assert "no class is shown to differ; shown to lie within the margin: 1 of 1." in nothing
    two = gaps(gap_anger=(0.13, 0.1, 0.15))
    twice = words(report.main_result(two | {("gender", "templates"): two["gender", "test texts"]}, RATES))
    assert ". Gender, templates" in twice, "sentences do not run into each other"
    assert "No text names one group alone" in words(report.main_result({}, RATES))


def test_what_would_have_shown_stands_beside_what_did_not():
    told = words(report.gap_sentences(gaps(gap_joy=(0.0, -0.1, 0.1)), RATES))
    assert (
        "no class is shown to differ (differences within the margin do not count)." in told
        and "too few texts to tell: 1" in told
    )
    assert "With 70 pairs, a gap would probably show from 0.060" in told


def test_a_single_pair_could_show_no_gap():
    lone = {key: rows.assign(detectable=np.nan, pairs=1) for key, rows in gaps(gap_joy=(0.0, -0.1, 0.1)).items()}
    told = words(report.gap_sentences(lone, RATES))
    assert "With 1 pair, none could show." in told and "n/a" not in told


def test_of_groups_one_of_which_has_no_text_nothing_is_compared():
    alone = RATES.assign(axis="race", first_group="white", second_group="black", second_texts=0)
    table = pd.concat([RATES, alone])
    for shown in (report.described, report.rates, report.confidence):
        assert "white" not in shown(table) and shown(table) == shown(RATES)
    told = words(report.rate_sentences(table))
    assert "Race: of the test texts, 100 are about white people alone and 0 about black people alone, so" in told
    assert told.count("no rate") + told.count("shown to differ in") == 1


def test_rates_that_differ_are_named_beside_the_class_mix():
    told = words(report.rate_sentences(RATES))
    assert "(male minus female): shown to differ in false positives of anger +30.0 %." in told
    assert "Of 3 rates, 0 were shown to differ by less than the margin, 1 leaves it open, and 1 rests on" in told
    assert "most in the share of anger: 40.0 % and 10.0 %. That alone may make accuracy differ" in told


def test_each_table_has_its_measures_and_no_other():
    rates, confidence = (words(part) for part in (report.rates(RATES), report.confidence(RATES)))
    assert "male: 40.0 % [30.0, 50.0]" in rates and "female: 10.0 % [5.0, 20.0]" in rates and "100 and 90" in rates
    assert "+30.0 % [+20.0, +40.0]" in rates, "a difference has its sign, as in the sentences"
    assert "overconfidence" not in rates and "too few texts" in rates
    assert confidence.endswith("not judged") and "too few texts" not in confidence
    assert "calibration error" in confidence and "false positives" not in confidence.split("Bootstrapped.")[1]
    assert "share of anger" in words(report.described(RATES)) and "words in a text" in words(report.described(RATES))


@pytest.mark.parametrize("unit", ["template", "person"])
def test_the_clearest_template_comes_first(unit):
    rows = [(unit, f"{NASTY} {k}", "joy", 0.1 * k, -0.1, 0.9, 1.0 - 0.1 * k, 0.9, 0.3, 10, 10) for k in range(5)]
    table = pd.DataFrame(rows, columns=TESTS).assign(
        axis="race", p_adjusted=0.5, verdict=["different"] + ["equivalent"] * 4
    )
    shown = report.tests(table)
    assert not tags(shown) & {"script", "img"}
    assert [words(shown).index(f"+0.{k}00") for k in (4, 3, 2, 1)] == sorted(
        words(shown).index(f"+0.{k}00") for k in range(1, 5)
    )
    told = words(report.test_sentences(table))
    assert f"each {unit} by itself: in 1 of 5 some class tells the groups apart (1 of 5 tests)" in told
    assert report.tests(table[:0]) == ""


def column(name: str, verdict: str) -> pd.DataFrame:
    return groups(("false positives", "anger", verdict)).assign(axis=f"column dialect: {name}", first_group=name)


def test_a_column_of_groups_is_named_with_their_texts():
    audit = {"group": NASTY, "group_counts": {"": 5, "AAE": 1, NASTY: 1200}}
    told = report.column_sentence(audit)
    assert not tags(told) & {"script", "img"}
    assert "AAE (1 text), " in words(told) and "(1,200 texts); 5 texts of none are left out." in words(told)
    assert "The first is compared with the second" in words(told)
    more = report.column_sentence({"group": "dialect", "group_counts": {"a": 2, "b": 2, "c": 2}})
    assert "a (2 texts), b (2 texts), c (2 texts)." in words(more) and "Each is compared with all others" in words(more)
    assert "left out" not in words(more)


def test_of_a_column_only_what_differs_is_drawn():
    table = pd.concat([RATES, column("AAE", "underpowered"), column("b/c", "different")])
    drawn = report.drawn(table)
    assert list(drawn) == ["rates_gender", "rates_column_2"]
    assert set(drawn["rates_column_2"]["axis"]) == {"column dialect: b/c"}
    told = words(report.rate_sentences(table))
    said = "no rate is shown to differ (differences within the margin do not count)."
    assert f"Column dialect: AAE (AAE minus female): {said}" in told  # as it is written
    assert "Column dialect: b/c (b/c minus female): shown to differ in false positives of anger +30.0 %." in told
