"""Tables by hand, and what the page says of them, either way."""

import re

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.probing import figures, names, page
from emoscope.experiments.probing.summarise import (
    accuracy_lost,
    erased_table,
    moved_class,
    nearer,
    outcomes,
    read_table,
    steered_table,
    twin_measures,
)
from emoscope.reporting.passages import Findings
from emoscope.reporting.plots import svg
from emoscope.storage.names import EVERYWHERE, NONE
from made_up import words

PAIRS = 400
STATISTICS = {"confidence": 0.95, "margin": 0.02}


def answers(first: float, second: float, method: str = names.NOTHING, learned: bool = False) -> pd.DataFrame:
    """P(anger) of the texts that name the first and the second group; the rest is joy."""
    rows = [
        (method, 0, EVERYWHERE, f"{pair} {value}", value, pair, f"{pair}", learned, p, 1 - p)
        for pair in range(PAIRS)
        for value, p in ((1, second), (0, first))
    ]
    columns = ["method", "draw", "depth", "text", "value", "pair", "cluster", "learned", "p_anger", "p_joy"]
    return pd.DataFrame(rows, columns=columns)


def test_gaps_and_distances_of_twins_by_hand():
    table = twin_measures(answers(0.9, 0.3), "anger")
    assert len(table) == PAIRS
    np.testing.assert_allclose(table["gap"], 0.6)
    np.testing.assert_allclose(table["distance"], 0.6)
    assert table["changed"].eq(1).all()
    np.testing.assert_allclose(twin_measures(answers(0.3, 0.9), "joy")["gap"], 0.6)
    assert twin_measures(answers(0.9, 0.6), "anger")["changed"].eq(0).all()


def test_the_class_is_chosen_by_training_texts():
    judged = answers(0.9, 0.1).assign(p_other=0.0)
    learned = answers(0.5, 0.5, learned=True).assign(p_other=lambda rows: (rows["value"] == 0) * 0.5)
    assert moved_class(pd.concat([judged, learned])) == "other"


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


def test_how_much_nearer_twins_are():
    embeddings = pd.concat([answers(0.9, 0.5, method).assign(depth=0) for method in names.METHODS])
    twins = pd.concat([both(), twin_measures(embeddings, "anger")])
    found = {finding.name: finding for finding in nearer("gender", twins, STATISTICS)}
    least = names.LEAST.replace(" ", "_")
    assert found[f"gender.embeddings.nearer.{least}.nothing"].value == pytest.approx(0.2)
    assert found[f"gender.embeddings.nearer.{least}.random"].value == pytest.approx(0)
    assert found[f"gender.nearer.{least}.nothing"].value == pytest.approx(0.5)
    assert found[f"gender.nearer.{least}.random"].value == pytest.approx(0.4)
    assert found["gender.nearer.random.nothing"].value == pytest.approx(0.1)
    assert found[f"gender.nearer.{least}.largest_dimensions"].within < 0.05


def test_control_labels_are_taken_away_row_by_row():
    rows = {"concept": "class", "place": names.POOLED, "cluster": [f"{n}" for n in range(20)]}
    readings = pd.concat([
        pd.DataFrame({**rows, "depth": 0, "right": [True] * 15 + [False] * 5, "control": 0.25}),
        pd.DataFrame({**rows, "place": names.MAJORITY, "depth": NONE, "right": [True, False] * 10, "control": np.nan}),
    ])  # fmt: skip
    table = read_table(readings, 0.05).set_index("place")
    assert table.loc[names.POOLED, ["right", "control", "selectivity"]].tolist() == [0.75, 0.25, 0.5]
    assert table.loc[names.POOLED, "selectivity_low"] < 0.5 and np.isnan(table.loc[names.MAJORITY, "selectivity"])


def test_steering_counts_towards_the_first_group():
    before = answers(0.9, 0.3).assign(dose=0.0)
    after = answers(0.7, 0.8, names.DIRECTION).assign(depth=0, dose=1.0)
    table = steered_table(pd.concat([before, after]), "anger", 0.05)
    assert table["value"].tolist() == pytest.approx([(0.2 + 0.5) / 2]), "down for the first group, up for the second"
    mixed = after.sample(frac=1, random_state=0)
    assert steered_table(pd.concat([before, mixed]), "anger", 0.05)["value"].tolist() == pytest.approx([0.35])


def test_several_labels_are_judged_each_by_itself_and_by_their_thresholds():
    """Both may be given; of anger 0.5 is enough, of joy 0.8."""
    least = np.array([0.5, 0.8])
    table = answers(0.9, 0.3).assign(p_joy=0.7)
    given = table[["p_anger", "p_joy"]].to_numpy() >= least
    table = twin_measures(table.assign(pred=[np.flatnonzero(row) for row in given]), "anger")
    np.testing.assert_allclose(table["distance"], 0.3, err_msg="of anger 0.6, of joy 0")
    assert table["changed"].eq(1).all(), "the most probable class changes, too"
    table = answers(0.9, 0.6).assign(p_joy=0.7)
    table = twin_measures(table.assign(pred=[np.array([0])] * len(table)), "anger")
    assert table["changed"].eq(0).all(), "the most probable class changes, what is given does not"


def test_lost_accuracy_is_judged_text_by_text_where_no_group_is_named():
    texts = pd.DataFrame({"method": names.NOTHING, "draw": 0, "depth": EVERYWHERE, "text": range(900), "named": False})
    accuracy = pd.concat([
        texts.assign(right=True),
        texts.assign(method=names.LEAST, right=texts["text"] % 2 == 0),
        texts.assign(method=names.LEAST, depth=0, right=True),
        texts.assign(method=names.LEAST, depth=0, named=True, text=-1 - texts["text"], right=False),
    ])  # fmt: skip
    found = {finding.name: finding for finding in accuracy_lost("race", accuracy.sample(frac=1), STATISTICS)}
    everywhere, embeddings = (found[f"race.{where}accuracy_lost.least_change"] for where in ("", "embeddings."))
    assert everywhere.value == 0.5 and everywhere.low > 0.4 and everywhere.beyond < 0.05 < everywhere.within
    assert embeddings.value == 0 and embeddings.within < 0.05 < embeddings.beyond
    assert not [*accuracy_lost("race", accuracy.assign(named=True), STATISTICS)]


NEARER, ALIKE, UNSURE = (0.1, 0.2, 1.0), (-0.01, 0.01, 0.01), (-0.1, 0.1, 0.5)


@pytest.mark.parametrize(
    ("nothing", "random", "lost", "everywhere", "left", "fallen", "readability", "said"),
    [
        (NEARER, NEARER, ALIKE, UNSURE, 0.4, -0.1, page.READ, page.USED),
        (NEARER, NEARER, ALIKE, UNSURE, 0.6, 0.1, page.TYPES, page.USED),
        (NEARER, NEARER, NEARER, UNSURE, 0.4, -0.1, page.READ, page.COSTLY),
        (NEARER, NEARER, UNSURE, ALIKE, 0.4, -0.1, page.READ, page.COSTLY),
        (NEARER, NEARER, None, ALIKE, 0.4, -0.1, page.READ, page.COSTLY),
        (NEARER, UNSURE, ALIKE, NEARER, 0.4, -0.1, page.READ, page.UNSETTLED),
        (ALIKE, ALIKE, NEARER, ALIKE, 0.4, -0.1, page.READ, page.UNUSED),
        (ALIKE, ALIKE, ALIKE, NEARER, 0.4, -0.1, page.READ, page.UNSETTLED),
        (ALIKE, ALIKE, ALIKE, ALIKE, 0.6, -0.1, page.READ, page.UNSETTLED),
        (ALIKE, ALIKE, ALIKE, ALIKE, 0.4, 0.1, page.READ, page.UNSETTLED),
        (NEARER, NEARER, ALIKE, NEARER, 0.4, -0.1, page.UNREAD, page.UNASKED),
        (ALIKE, ALIKE, ALIKE, ALIKE, 0.4, -0.1, page.UNREAD, page.UNASKED),
    ],
)
def test_the_verdict_comes_out_every_way(nothing, random, lost, everywhere, left, fallen, readability, said):
    """`left`: the least that a fresh probe reads with the group erased, at a level of 0.5; `fallen`: the upper bound of
    what it reads more than with nothing erased, which too few texts cannot show to be below nil."""
    quoted = {"embeddings.nearer.least_change.nothing": nothing, "embeddings.nearer.least_change.random": random}
    quoted |= {"embeddings.accuracy_lost.least_change": lost, "nearer.least_change.nothing": everywhere}
    quoted |= {"nearer.least_change.random": everywhere, "pooled_token_last.least_change": (left, 1.0, np.nan)}
    quoted |= {"change.pooled_token_last.least_change": (-0.6, fallen, np.nan)}
    rows = [(f"gender.{name}", *numbers) for name, numbers in quoted.items() if numbers]
    table = pd.DataFrame(rows, columns=["name", "low", "high", "within"])
    assert page.verdict("gender", readability, 0.5, Findings(table), 0.05) == said


@pytest.mark.parametrize(
    ("low", "selectivity", "said"), [(0.6, 0.1, page.READ), (0.6, -0.1, page.TYPES), (0.4, 0.1, page.UNREAD)]
)
def test_what_is_read_is_told_from_word_types(low, selectivity, said):
    assert page.readable({"low": low, "selectivity_low": selectivity}, 0.5) == said


def test_the_page_says_what_was_found(found):
    said = words(page.main_result(["gender", "race"], found.depths, found.findings, 0.05))
    assert said.startswith("Gender ") and page.USED in said and "Race" not in said
    assert re.search(r"without the model, by (a bag of words|the word itself) \d+\.\d %\), and what", said), said
    unread = found.depths.assign(low=0.4)
    told = words(page.main_result(["gender"], unread, found.findings, 0.05))
    assert told.endswith(f"{page.UNASKED}."), "no figures of erasing what cannot be read"
    assert "Race: left out." in words(page.left_out(found.texts))
    table = words(page.erased_table("gender", found.erased))
    assert "largest dimensions" in table and "random directions" in table and "LEACE" in table
    assert words(page.reading_table(found.depths)).count("gender") == 3
    assert page.class_of("gender", found.findings) in ("anger", "sadness")
    nothing = pd.DataFrame(columns=["name", "value", "low", "high", "note"])
    assert "No group of people could be erased" in words(page.main_result(["race"], found.depths, nothing, 0.05))
    few = found.depths.assign(selectivity_low=-0.1)
    said = words(page.main_result(["gender"], few, found.findings, 0.05))
    assert "Gender is not shown to be read better than control labels" in said
    unlabelled = found.erased[found.erased["measure"] != names.ACCURACY]
    assert "n/a" in words(page.erased_table("gender", unlabelled)) and "n/a" not in table


def test_the_figures_draw_every_concept_and_way(found):
    assert "<svg" in svg(figures.depths(found.depths))
    assert "<svg" in svg(figures.erasure(found.erased, page.TITLES))
    assert "<svg" in svg(figures.steering(found.doses, page.gap_of("gender", found.findings)))


def test_the_findings_on_a_model_that_uses_gender(found):
    table = found.findings.set_index("name")
    assert table.loc["gender.nearer.least_change.nothing", "low"] > 0.3
    assert table.loc["gender.nearer.least_change.random", "low"] > 0
    assert table.loc["gender.change.distance.least_change", "high"] < 0
    assert table.loc["gender.read.the_word.0", "value"] == 1 and table.loc["gender.without.majority", "value"] == 0.5
