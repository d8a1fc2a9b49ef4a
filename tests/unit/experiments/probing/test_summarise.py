"""Tables by hand, and what the page says of them, either way."""

import re

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.probing import figures, names, page, verdict
from emoscope.experiments.probing.erasing.twins import twin_measures
from emoscope.experiments.probing.summarise import erased_table, outcomes, read_table, selective, steered_table
from emoscope.reporting.plots import svg
from emoscope.storage.names import EVERYWHERE, NONE
from made_up import words
from twin_answers import answers

STATISTICS = {"confidence": 0.95, "margin": 0.02}


def both() -> pd.DataFrame:
    """With nothing erased, anger is 0.6 apart; with the group erased 0.1, with random directions 0.4 and 0.6."""
    parts = [answers(0.9, 0.3), answers(0.5, 0.4, names.LEAST), answers(0.5, 0.4, names.DIMENSIONS)]
    parts += [answers(0.7, 0.3, names.RANDOM), answers(0.9, 0.3, names.RANDOM).assign(draw=1)]
    return twin_measures(pd.concat(parts), "anger")


def test_changes_are_from_nothing_erased_and_draws_are_averaged():
    twins = both()
    texts = pd.DataFrame({"method": names.NOTHING, "draw": 0, "depth": EVERYWHERE, "text": [f"{n}" for n in range(20)]})
    accuracy = pd.concat([texts.assign(right=True), texts.assign(method=names.LEAST, right=[True, False] * 10)])
    probes = texts.assign(where=names.HERE, place=names.WORD, cluster=texts["text"], right=True)
    table = erased_table(outcomes(twins, probes, accuracy), 0.05).set_index(["method", "measure"])
    assert table.loc[(names.RANDOM, names.GAP), "value"] == pytest.approx(0.5)
    assert table.loc[(names.RANDOM, names.GAP), "change"] == pytest.approx(-0.1)
    assert table.loc[(names.LEAST, names.DISTANCE), "change"] == pytest.approx(-0.5)
    assert table.loc[(names.LEAST, names.ACCURACY), ["value", "change"]].tolist() == [0.5, -0.5]
    assert table.loc[(names.NOTHING, f"{names.WORD}, {names.HERE}"), "value"] == 1
    assert table.loc[(names.LEAST, names.GAP), "change_high"] < 0 == table.loc[(names.NOTHING, names.GAP), "change"]


def test_what_is_read_where_it_is_erased_has_a_change_at_the_embeddings_alone():
    texts = [f"{n}" for n in range(20)]
    untouched = pd.DataFrame({"method": names.NOTHING, "draw": 0, "depth": EVERYWHERE, "text": texts, "cluster": texts})
    untouched = untouched.assign(place=names.WORD, where=names.HERE, right=True)
    erased = [untouched.assign(method=names.LEAST, depth=depth, right=False) for depth in (EVERYWHERE, 0, 3)]
    accuracy = untouched[["method", "draw", "depth", "text", "right"]]
    found = outcomes(both(), pd.concat([untouched, *erased]), accuracy)
    table = erased_table(found, 0.05).set_index(["measure", "method", "depth"]).sort_index()
    here = table.loc[(f"{names.WORD}, {names.HERE}", names.LEAST)]
    assert here["value"].eq(0).all() and here.loc[[EVERYWHERE, 0], "change"].eq(-1).all()
    assert here.loc[3, ["change", "change_low", "change_high"]].isna().all()
    last = found.assign(measure=found["measure"].str.replace(names.HERE, names.LAST))
    assert erased_table(last, 0.05)["change"].notna().all(), "behind the last block it is read whatever is erased"


def test_control_labels_are_taken_away_row_by_row():
    rows = {"concept": "class", "place": names.POOLED, "cluster": [f"{n}" for n in range(20)]}
    readings = pd.concat([
        pd.DataFrame({**rows, "depth": 0, "right": [True] * 15 + [False] * 5}).assign(
            controls=[np.array([number < 2, number < 5]) for number in range(20)]
        ),
        pd.DataFrame({**rows, "place": names.BAG, "depth": NONE, "right": [True, False] * 10}).assign(
            controls=[np.array([])] * 20
        ),
        pd.DataFrame({**rows, "place": names.MAJORITY, "depth": NONE, "right": [False] * 12 + [True] * 8}).assign(
            controls=[np.array([])] * 20
        ),
    ])  # fmt: skip
    table = read_table(readings, 0.05).set_index("place")
    assert table.loc[names.POOLED, ["right", "control", "selectivity"]].tolist() == [0.75, 0.25, 0.5], "the best read"
    assert table.loc[names.POOLED, "selectivity_low"] < 0.5 and np.isnan(table.loc[names.BAG, "selectivity"])
    assert table.loc[names.POOLED, "over_words"] == 0.25 and np.isnan(table.loc[names.BAG, "over_words"])
    assert table.loc[names.POOLED, "over_majority"] == pytest.approx(0.35)
    bare = readings.assign(controls=[np.array([])] * 60)
    assert read_table(bare, 0.05)[["control", "selectivity", "selectivity_low"]].isna().all(axis=None)


def test_a_concept_is_held_against_each_draw_of_control_labels():
    """One that is read as well as the concept is enough, however many are not."""
    clusters = np.arange(200)
    right, poor = (clusters < 180).astype(float), (clusters < 90).astype(float)
    assert selective(right, np.stack([poor] * 4, axis=1), clusters, 0.05)[1] > 0
    value, low, high = selective(right, np.stack([poor, poor, poor, right], axis=1), clusters, 0.05)
    assert value == 0 and low < 0 < high
    one = selective(right, poor[:, None], clusters, 0.05)
    assert selective(right, np.stack([poor] * 4, axis=1), clusters, 0.05)[2] > one[2], "the lowest of four upper ends"


@pytest.mark.parametrize("alike", [False, True])
def test_a_concept_is_held_against_its_most_frequent_value_text_by_text(alike):
    """How often that is right is known from the same texts: of 800, the share of 0.36 has an error of its own."""
    clusters, most = np.arange(800), np.arange(800) < 288
    right = np.arange(800) < 344 if alike else np.roll(np.arange(800) < 344, 400)
    rows = {"concept": "class", "cluster": clusters, "controls": [np.array([])] * 800}
    parts = [pd.DataFrame({**rows, "place": names.POOLED, "depth": 0, "right": right})]
    parts += [
        pd.DataFrame({**rows, "place": name, "depth": NONE, "right": most}) for name in (names.BAG, names.MAJORITY)
    ]
    row = read_table(pd.concat(parts), 0.05).set_index("place").loc[names.POOLED]
    assert row["over_majority"] == pytest.approx(0.07) and row["low"] > 0.36
    assert (row["over_majority_low"] > 0) == alike
    assert (verdict.readable(row) == verdict.UNREAD) != alike


def test_steering_counts_towards_the_first_group():
    before = answers(0.9, 0.3).assign(dose=0.0)
    after = answers(0.7, 0.8, names.DIRECTION).assign(depth=0, dose=1.0)
    table = steered_table(pd.concat([before, after]), "anger", 0.05)
    assert table["value"].tolist() == pytest.approx([(0.2 + 0.5) / 2]), "down for the first group, up for the second"
    mixed = after.sample(frac=1, random_state=0)
    assert steered_table(pd.concat([before, mixed]), "anger", 0.05)["value"].tolist() == pytest.approx([0.35])


def test_the_page_says_what_was_found(found):
    said = words(page.main_result(["gender", "race"], found.depths, found.findings, STATISTICS))
    assert said.startswith("Gender ") and verdict.USED in said and "Race" not in said
    assert re.search(r"without the model, by (a bag of words|the word itself) \d+\.\d %\), and what", said), said
    unread = found.depths.assign(over_majority_low=-0.1)
    told = words(page.main_result(["gender"], unread, found.findings, STATISTICS))
    assert f"{verdict.UNASKED}. Class " in told, "no figures of erasing what cannot be read"
    assert "Race: left out." in words(page.left_out(found.texts))
    table = words(page.erased_table("gender", found.erased))
    assert "in no more than 10 % of the texts beyond those that the most frequent value is right in" in table
    assert "moves the answers themselves by 0." in said and " beyond that to a neutral swap of the text)" in said
    alone = found.findings[found.findings["name"] != "gender.beyond_neutral"]
    told = words(page.main_result(["gender"], found.depths, alone, STATISTICS))
    assert verdict.COMMON in told and "(no text has a neutral swap)" in told
    assert "largest dimensions" in table and "random directions" in table and "LEACE" in table
    assert words(page.reading_table(found.depths)).count("gender") == 3
    assert page.class_of("gender", found.findings) in ("anger", "sadness")
    nothing = pd.DataFrame(columns=["name", "value", "low", "high", "note"])
    assert "No group of people could be erased" in words(page.main_result(["race"], found.depths, nothing, STATISTICS))
    few = found.depths.assign(selectivity_low=-0.1)
    said = words(page.main_result(["gender"], few, found.findings, STATISTICS))
    assert "Gender is not shown to be read better than control labels" in said
    uncontrolled = found.depths.assign(selectivity_low=np.nan, control=np.nan)
    said = words(page.main_result(["gender"], uncontrolled, found.findings, STATISTICS))
    assert f"Gender {verdict.UNCONTROLLED}" in said and "no control is possible with fewer than 6 word types;" in said
    said = words(page.main_result(["gender"], uncontrolled.assign(over_majority_low=-0.1), found.findings, STATISTICS))
    assert "Gender is not shown to be readable" in said and "no control is possible" in said and "n/a" not in said
    unlabelled = found.erased[found.erased["measure"] != names.ACCURACY]
    assert "n/a" in words(page.erased_table("gender", unlabelled)) and "n/a" not in table


def test_the_page_holds_what_texts_say_as_wholes_against_their_words(found):
    said = words(page.main_result(["gender"], found.depths, found.findings, STATISTICS))
    assert "Class can be read where the classifier reads" in said and "without the model, by a bag of words" in said
    alike = found.depths.assign(over_words_low=-0.01)
    told = words(page.main_result(["gender"], alike, found.findings, STATISTICS))
    assert f"Class {verdict.WORDS} where" in told and f"Gender {verdict.READ} where" in told


@pytest.mark.parametrize(("clusters", "impossible"), [(187, True), (188, False)])
def test_the_page_says_how_many_texts_it_takes_to_show_that_a_group_is_not_used(found, clusters, impossible):
    few = found.depths.assign(clusters=clusters)
    said = words(page.main_result(["gender"], few, found.findings, STATISTICS))
    assert f"Judged on {clusters} independent texts; that a group is not used takes at least 188" in said
    assert ("so that it could not have been shown" in said) == impossible


def test_the_figures_draw_every_concept_and_way(found):
    assert "<svg" in svg(figures.depths(found.depths))
    drawn = svg(figures.erasure(found.erased, page.TITLES))
    assert "a fresh probe at the pooled token" in drawn and "accuracy" in drawn
    unlabelled = found.erased[found.erased["measure"] != names.ACCURACY]
    assert "accuracy" not in svg(figures.erasure(unlabelled, page.TITLES))
    assert "<svg" in svg(figures.steering(found.doses, page.gap_of("gender", found.findings)))


def test_the_findings_on_a_model_that_uses_gender(found):
    table = found.findings.set_index("name")
    assert table.loc["gender.nearer.least_change.nothing", "low"] > 0.3
    assert table.loc["gender.nearer.least_change.random", "low"] > 0
    assert table.loc["gender.change.distance.least_change", "high"] < 0
    assert table.loc["gender.read.the_word.0", "value"] == 1 and table.loc["gender.without.majority", "value"] == 0.5
