"""A mean change is shown by texts, and where all texts share their people by these, too."""

import itertools

import numpy as np
import pandas as pd
import pytest

from emoscope.perturbation.effects import summarise
from emoscope.statistics.bounded import CHANGE, bounded_test

SENTENCES, PEOPLE = 144, 20


def crossed(of_people: np.ndarray, of_sentences: np.ndarray, **columns) -> pd.DataFrame:
    """Sentences about each of the same pairs of people; P(joy) of the first is larger by what both say."""
    rows = list(itertools.product(range(len(of_sentences)), range(len(of_people))))
    half = np.array([of_sentences[k] + of_people[n] for k, n in rows]) / 2
    return pd.DataFrame({
        "text": [f"{k} {n}" for k, n in rows], "cluster": [f"sentence {k}" for k, _ in rows],
        "id": range(len(rows)), "term": "", "axis": "equity", "label": -1, "flags": [[]] * len(rows), "perturbed": "",
        "people": [f"pair {n}" for _, n in rows], "origin": "suite", "direction": "white to black",
        "before_joy": 0.5 + half, "before_fear": 0.5 - half, "after_joy": 0.5 - half, "after_fear": 0.5 + half,
    }).assign(**columns)  # fmt: skip


def gap(table: pd.DataFrame) -> pd.Series:
    return summarise(table, {"confidence": 0.95, "margin": 0.02}).set_index("measure").loc["gap_joy"]


@pytest.mark.parametrize("few", ["people", "cluster"])
def test_what_comes_of_the_few_that_stand_everywhere_is_no_gap_between_groups(few):
    """Names move P(joy) at random, the same in every sentence: with other names the gap would be another one. And so
    do sentences, the same with every name."""
    drawn, nothing = np.random.default_rng(3).normal(0.1, 0.15, PEOPLE), np.zeros(SENTENCES)
    table = crossed(*((drawn, nothing) if few == "people" else (nothing, drawn)))
    judged, other = gap(table), "cluster" if few == "people" else "people"
    given = bounded_test(table["before_joy"] - table["after_joy"], table[other].to_numpy(), 0.02, CHANGE)
    assert given.p_difference < 1e-3 and judged["p"] > 0.05
    assert judged["low"] < 0 < given.low < drawn.mean() < given.high < judged["high"]
    assert judged["value"] == pytest.approx(given.value) and judged["detectable_alone"] > given.detectable
    assert judged["verdict"] == "underpowered"
    assert (judged["pairs"], judged["clusters"]) == (SENTENCES * PEOPLE, PEOPLE), "it is judged by no more than these"


def test_a_gap_that_all_names_and_sentences_have_is_shown():
    judged = gap(crossed(np.full(PEOPLE, 0.4), np.full(SENTENCES, 0.2)))
    assert judged["p_adjusted"] < 1e-3 and judged["value"] == pytest.approx(0.6) and judged["verdict"] == "different"


def test_a_suite_that_does_not_say_who_is_exchanged_is_judged_by_its_texts():
    table = crossed(np.linspace(-0.2, 0.3, PEOPLE), np.zeros(SENTENCES))
    pd.testing.assert_series_equal(gap(table.assign(people="")), gap(table.drop(columns="people")))
