"""How far answers to twins are apart and moved, and what is shown of it: by hand."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.probing import names
from emoscope.experiments.probing.erasing.shown import accuracy_lost, answers_moved, beyond_neutral, nearer
from emoscope.experiments.probing.erasing.twins import moved_class, twin_measures
from emoscope.storage.names import EVERYWHERE
from twin_answers import PAIRS, answers

STATISTICS = {"confidence": 0.95, "margin": 0.02}


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


def test_several_labels_are_judged_each_by_itself_and_by_their_thresholds():
    """Both may be given; of anger 0.5 is enough, of joy 0.8."""
    least = np.array([0.5, 0.8])
    table = answers(0.9, 0.3).assign(p_joy=0.7)
    given = table[["p_anger", "p_joy"]].to_numpy() >= least
    table = twin_measures(table.assign(pred=[np.flatnonzero(row) for row in given]), "anger")
    np.testing.assert_allclose(table["distance"], 0.6, err_msg="of anger 0.6, of joy 0")
    assert table["changed"].eq(1).all(), "the most probable class changes, too"
    table = answers(0.9, 0.6).assign(p_joy=0.7)
    table = twin_measures(table.assign(pred=[np.array([0])] * len(table)), "anger")
    assert table["changed"].eq(0).all(), "the most probable class changes, what is given does not"


def test_how_much_nearer_twins_are():
    parts = [answers(0.9, 0.5, method).assign(depth=0) for method in names.METHODS]
    parts += [answers(0.9, 0.3), answers(0.5, 0.4, names.LEAST), answers(0.5, 0.4, names.DIMENSIONS)]
    parts += [answers(0.7, 0.3, names.RANDOM), answers(0.9, 0.3, names.RANDOM).assign(draw=1)]
    twins = twin_measures(pd.concat(parts), "anger")
    found = {finding.name: finding for finding in nearer("gender", twins, STATISTICS)}
    least = names.LEAST.replace(" ", "_")
    assert found[f"gender.embeddings.nearer.{least}.nothing"].value == pytest.approx(0.2)
    assert found[f"gender.embeddings.nearer.{least}.random"].value == pytest.approx(0)
    assert found[f"gender.nearer.{least}.nothing"].value == pytest.approx(0.5)
    assert found[f"gender.nearer.{least}.random"].value == pytest.approx(0.4)
    assert found["gender.nearer.random.nothing"].value == pytest.approx(0.1)
    assert found[f"gender.nearer.{least}.largest_dimensions"].within < 0.05


def test_answers_of_twins_that_move_alike_are_no_nearer_and_have_moved():
    parts = [answers(0.9, 0.5), answers(0.6, 0.2, names.LEAST), answers(0.6, 0.2, names.LEAST).assign(depth=0)]
    parts += [answers(0.9, 0.5, names.RANDOM), answers(0.1, 0.5, names.RANDOM).assign(draw=1)]
    twins = twin_measures(pd.concat(parts).sample(frac=1, random_state=0), "anger")
    found = {finding.name: finding for finding in answers_moved("gender", twins, STATISTICS)}
    assert set(found) == {f"gender.{n}" for n in (
        "answers_moved.least_change", "answers_moved.random", "embeddings.answers_moved.least_change",
    )}  # fmt: skip
    moved, random = found["gender.answers_moved.least_change"], found["gender.answers_moved.random"]
    assert moved.value == pytest.approx(0.3) and moved.within > 0.05 > moved.beyond
    assert random.value == pytest.approx((0 + (0.8 + 0) / 2) / 2), "over draws and both texts"
    still = twin_measures(pd.concat([answers(0.9, 0.5), answers(0.9, 0.5, names.LEAST)]), "anger")
    [same, *_] = answers_moved("gender", still, STATISTICS)
    assert same.value == 0 and same.within < 0.05


def test_flips_are_held_against_neutral_swaps_of_the_judged_texts():
    """Anger moves by 0.4, with a swap by 0.1; pairs that were not judged, or do not count, would say otherwise."""

    def scored(origin: str, flips: range, anger: float, perturbed: str, flags: list = ()) -> pd.DataFrame:
        texts = pd.DataFrame({"id": flips, "origin": origin, "cluster": flips, "flags": [[*flags]] * len(flips)})
        texts = texts.assign(text=[f"{k} 0" for k in flips], perturbed=[f"{k} {perturbed}" for k in flips])
        return texts.assign(before_anger=0.9, before_joy=0.1, after_anger=anger, after_joy=1 - anger)

    half, rest, others = range(PAIRS // 2), range(PAIRS // 2, PAIRS - 20), range(PAIRS, 3 * PAIRS)
    parts = [scored("natural", half, 0.5, "1"), scored("natural control", half, 0.8, "swapped")]
    parts += [scored("template", rest, 0.5, "1"), scored("template control", rest, 0.8, "swapped")]
    parts += [scored("template control", half, 0.0, "swapped"), scored("natural", others, 0.9, "1")]
    parts += [scored("natural control", others, 0.0, "swapped")]
    parts += [scored("natural", range(PAIRS - 20, PAIRS - 10), 0.5, "1")]
    parts += [scored("natural control", range(PAIRS - 20, PAIRS - 10), 0.9, "swapped", ["uncertain"])]
    parts += [scored("natural", range(PAIRS - 10, PAIRS), 0.9, "1", ["uncertain"])]
    parts += [scored("natural control", range(PAIRS - 10, PAIRS), 0.0, "swapped")]
    pairs = pd.concat(parts).sample(frac=1, random_state=0)
    [found] = beyond_neutral("gender", answers(0.9, 0.5), pairs, STATISTICS)
    assert found.name == "gender.beyond_neutral" and found.note == f"{PAIRS - 20} pairs that have a neutral swap."
    assert found.value == pytest.approx(0.3) and 0.25 < found.low < found.high < 0.35
    assert not [*beyond_neutral("gender", answers(0.9, 0.5), scored("natural", half, 0.5, "1"), STATISTICS)]


def test_one_of_many_labels_is_not_lost_in_their_mean():
    quiet = {f"p_other{number}": 0.1 for number in range(26)}
    table = answers(0.7, 0.5).assign(p_joy=0.1, **quiet)
    table = pd.concat([table, table.assign(method=names.LEAST, p_anger=0.6)])
    twins = twin_measures(table.assign(pred=[np.array([0])] * len(table)), "anger").set_index("method")
    np.testing.assert_allclose(twins.loc[names.NOTHING, "distance"], 0.2)
    np.testing.assert_allclose(twins.loc[names.LEAST, "distance"], 0, atol=1e-12)
    np.testing.assert_allclose(twins.loc[names.LEAST, "moved"], 0.1)


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
