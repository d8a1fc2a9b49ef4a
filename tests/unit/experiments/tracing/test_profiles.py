"""Dimensions: those that flips alone change are found, and chance finds none."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.tracing.profiles import (
    Profiles,
    compare,
    concentration_table,
    dimension_table,
    held_out,
    profiles_of,
)
from emoscope.statistics.clusters import FEWEST_CLUSTERS

OPTIONS = {"resamples": 400, "seed": 0, "alpha": 0.05}
WIDTH = 96


def changes(rng, flips=14, neutral=14, planted=(), times=8.0, kind="flip", spread=None):
    """Squared changes of noise; the planted dimensions change more in all words of one kind."""
    spread = np.ones(WIDTH) if spread is None else spread
    values = rng.chisquare(4, size=(flips + neutral, WIDTH)) / 4 * spread
    kinds = np.array(["flip"] * flips + ["neutral"] * neutral)
    values[np.ix_(kinds == kind, list(planted))] *= times
    table = pd.DataFrame(np.vstack([values, spread])).rename(columns=str)
    table.insert(0, "kind", [*kinds, "spread"])
    table.insert(1, "words", [f"w{number}" for number in range(len(kinds))] + [""])
    table.insert(2, "changes", 1)
    return table


def out(table, kind):
    return set(table.loc[table[f"p_{kind}"] < 0.05, "dimension"])


@pytest.mark.parametrize(("kind", "other"), [("flip", "neutral"), ("neutral", "flip")])
def test_dimensions_that_one_kind_changes_stand_out_in_it_and_in_no_other(kind, other):
    planted = (3, 17, 41)
    profiles = profiles_of(changes(np.random.default_rng(0), planted=planted, times=60, kind=kind))
    table, counts = dimension_table(profiles, OPTIONS)
    counts = counts.set_index("kind")
    assert out(table, kind) == set(planted) and counts.loc[kind, "value"] == 3
    assert counts.loc[kind, "p"] < 0.02 and counts.loc[kind, "expected"] < 0.5
    assert not out(table, other) and counts.loc[other, "p"] > 0.05
    assert set(table.nlargest(3, kind)["dimension"]) == set(planted)
    assert table[kind].mean() == pytest.approx(1), "in times the average dimension"


def test_chance_finds_no_dimension():
    rng = np.random.default_rng(1)
    hits = [dimension_table(profiles_of(changes(rng)), OPTIONS)[1].set_index("kind") for _ in range(20)]
    assert sum(table.loc["flip", "value"] > 0 for table in hits) <= 4
    assert sum(table.loc["flip", "p"] < 0.05 for table in hits) <= 4


def test_a_dimension_that_is_large_in_every_text_does_not_stand_out():
    spread = np.ones(WIDTH)
    spread[17] = 400
    profiles = profiles_of(changes(np.random.default_rng(2), spread=spread))
    table, _ = dimension_table(profiles, OPTIONS)
    assert table.nlargest(1, "plain_flip")["dimension"].item() == 17, "not divided by its spread"
    assert table["flip"][17] < 3 and not out(table, "flip")


def test_unseen_words_have_more_of_their_change_in_dimensions_that_flips_have_in_common():
    rng = np.random.default_rng(3)
    common = profiles_of(changes(rng, planted=range(5)))
    found = concentration_table(common, OPTIONS).query("measure == 'held out'").set_index("kind")
    assert found.loc["difference", "low"] > 0.05
    assert found.loc["difference", "value"] == pytest.approx(found.loc["flip", "value"] - found.loc["neutral", "value"])
    private = changes(rng, flips=15, neutral=15)
    for row in range(15):  # every flip changes dimensions of its own
        private.loc[row, [str(5 * row + k) for k in range(5)]] *= 8
    found = concentration_table(profiles_of(private), OPTIONS).query("measure == 'held out'").set_index("kind")
    assert found.loc["difference", "low"] < 0.02
    exchanged = Profiles(common.shares, ~common.flips, common.plain)
    assert held_out(exchanged)[exchanged.flips].mean() < held_out(common)[common.flips].mean()


def test_a_word_does_not_choose_the_dimensions_that_it_is_judged_by():
    """One flip changes a single dimension of its own; were it to choose as well, all of its change would lie there."""
    shares = np.full((8, WIDTH), 1 / WIDTH)
    shares[0] = np.eye(WIDTH)[50]
    found = held_out(Profiles(shares, np.arange(8) < 4, shares))
    assert found[0] == 0


def test_the_effective_number_of_dimensions():
    shares = np.zeros((6, WIDTH))
    shares[:3, :24], shares[3:, 0] = 1 / 24, 1
    found = concentration_table(Profiles(shares, np.arange(6) < 3, shares), OPTIONS)
    found = found.query("measure == 'participation'").set_index("kind")["value"]
    assert found["flip"] == pytest.approx(0.25) and found["neutral"] == pytest.approx(1 / WIDTH)


def test_a_single_word_pair_proves_nothing():
    profiles = profiles_of(changes(np.random.default_rng(4), flips=1))
    table, counts = dimension_table(profiles, OPTIONS)
    assert counts["value"].isna().all() and table[["p_flip", "p_neutral"]].isna().all(axis=None)
    found = concentration_table(profiles, OPTIONS)
    assert set(found["measure"]) == {"participation"} and found["low"].isna().all()
    none = profiles_of(changes(np.random.default_rng(4), flips=0))
    assert dimension_table(none, OPTIONS)[0]["flip"].isna().all()


def test_means_of_two_kinds_with_an_interval_of_their_difference():
    rng = np.random.default_rng(5)
    values, flips = np.concatenate([rng.normal(1, 0.1, 30), rng.normal(0, 0.1, 30)]), np.arange(60) < 30
    found = compare(values, flips, OPTIONS).set_index("kind")
    assert found.loc["difference", "low"] < 1 < found.loc["difference", "high"] < 1.2


@pytest.mark.parametrize(("few", "many"), [(2, 20), (FEWEST_CLUSTERS - 1, 40)])
def test_a_few_words_of_one_kind_have_no_interval_however_many_the_other_has(few, many):
    values = np.random.default_rng(7).normal(0, 0.01, few + many)
    flips = np.arange(few + many) < few
    for kinds in (flips, ~flips):
        found = compare(values + kinds, kinds, OPTIONS)
        assert found["value"].notna().all() and found[["low", "high"]].isna().all(axis=None)
    enough = np.arange(few + many) < FEWEST_CLUSTERS
    assert compare(values + enough, enough, OPTIONS)[["low", "high"]].notna().all(axis=None)


def test_the_level_and_the_seed_are_those_that_were_asked_for():
    rng = np.random.default_rng(6)
    values, flips = rng.normal(0, 1, 40), np.arange(40) < 20
    narrow, wide = (
        compare(values, flips, OPTIONS | {"alpha": alpha}).set_index("kind").loc["difference"] for alpha in (0.5, 0.01)
    )
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])
    profiles = profiles_of(changes(rng, planted=(3,), times=4))
    one, again, other = (
        dimension_table(profiles, OPTIONS | {"resamples": 50, "seed": seed})[0]["p_flip"] for seed in (1, 1, 2)
    )
    assert one.equals(again) and not one.equals(other)
    many, few = (
        dimension_table(profiles, OPTIONS | {"resamples": 50, "alpha": alpha})[1].set_index("kind")
        for alpha in (0.8, 0.01)
    )
    assert many.loc["flip", "value"] == (one < 0.8).sum() > few.loc["flip", "value"] == (one < 0.01).sum()
    assert many.loc["flip", "expected"] > few.loc["flip", "expected"]


def test_a_dimension_whose_p_is_exactly_the_level_counts_on_both_sides():
    profiles = profiles_of(changes(np.random.default_rng(8), planted=(3,), times=4))
    table, _ = dimension_table(profiles, OPTIONS | {"resamples": 50})
    level = table["p_flip"].min()
    _, counts = dimension_table(profiles, OPTIONS | {"resamples": 50, "alpha": level})
    assert counts.set_index("kind").loc["flip", "value"] == (table["p_flip"] == level).sum() > 0
