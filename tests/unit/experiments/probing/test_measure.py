"""What is read where, on a model in which it is known where each concept is."""

import pandas as pd
import pytest

from emoscope.experiments.probing.measure import examples_of_people, examples_of_texts
from emoscope.experiments.probing.names import BAG, LOOKUP, MAJORITY, MEAN, PLACES, POOLED, WORD
from emoscope.storage.names import NONE
from planted_gender import CONFIG, flips


def rate(found, concept: str, place: str) -> pd.Series:
    """By depth, the share of texts in which a concept is read."""
    rows = found.depths[(found.depths["concept"] == concept) & (found.depths["place"] == place)]
    return rows.set_index("depth")["right"]


def test_gender_is_at_its_word_first_and_later_where_the_classifier_reads(found):
    [block] = [node[1] for node, role in found.circuit.roles.items() if role == "gender"]
    word, pooled = rate(found, "gender", WORD), rate(found, "gender", POOLED)
    assert list(word.index) == list(pooled.index) == [0, 1, 2, 3, 4]
    assert word[0] == 1 and rate(found, "gender", MEAN)[0] > 0.9
    assert (pooled[:block] < 0.65).all() and (pooled[block + 1 :] == 1).all()


def test_the_class_is_read_behind_the_last_block(found):
    pooled = rate(found, "class", POOLED)
    assert pooled[4] > 0.95 and pooled[0] < 0.6
    assert WORD not in set(found.depths.loc[found.depths["concept"] == "class", "place"]), "no single word says it"


def test_negation_is_read(found):
    assert rate(found, "negation", MEAN)[0] > 0.95 and rate(found, "negation", POOLED)[0] < 0.65


def test_beside_the_probes_stands_what_needs_no_model(found):
    without = found.depths[found.depths["depth"] == NONE].set_index(["concept", "place"])
    assert without["selectivity"].isna().all()
    assert without.loc[("gender", MAJORITY), "right"] == 0.5, "both texts of each flip"
    assert without.loc[("gender", LOOKUP), "right"] == 1 and without.loc[("gender", BAG), "right"] > 0.95
    assert without.loc[("class", MAJORITY), "right"] < 0.6


def test_selectivity_is_what_control_labels_do_not_reach(found):
    table = found.depths[found.depths["depth"] != NONE]
    pd.testing.assert_series_equal(table["selectivity"], table["right"] - table["control"], check_names=False)
    last = table[(table["concept"] == "class") & (table["place"] == POOLED) & (table["depth"] == 4)].iloc[0]
    assert last["selectivity_low"] > 0.3, "random sums over the words are not read where the class is"
    assert last["over_words_low"] > 0.1, "nor are the words: negators turn what they say"


def test_too_few_texts_are_told_and_not_probed(found):
    told = found.texts.set_index("concept")
    assert not told.loc["race", "probed"] and told.loc["gender", "probed"]
    assert set(found.readings["concept"]) == {"class", "negation", "gender"}
    assert pd.read_parquet(found.folder / "race_answers.parquet").empty
    assert pd.read_parquet(found.folder / "race_steered.parquet").empty


def test_nothing_is_judged_that_was_trained_on():
    training = pd.DataFrame({"text": [f"text {n}" for n in range(40)], "label": [0, 1] * 20})
    testing = pd.DataFrame({"text": [f"text {n}" for n in range(20, 60)], "label": [0, 1] * 20})
    learned, judged = examples_of_texts("class", training, testing, CONFIG)
    assert set(learned["text"]) == set(training["text"]) and set(judged["text"]) == {f"text {n}" for n in range(40, 60)}


@pytest.mark.parametrize("side", ["text", "perturbed"])
def test_no_flip_is_judged_that_shares_a_text_with_one_that_is_learned_from(side):
    taught, pairs = flips(30, 1), flips(30, 2)
    pairs.loc[0, side] = taught.loc[3, "perturbed"]
    pairs.loc[1, side] = "a training text"
    learned, judged = examples_of_people(taught, pairs, pd.Series(["a training text"]), CONFIG)
    assert not {taught.loc[3, "perturbed"], "a training text"} & set(judged["text"])
    assert len(learned) == 60 and len(judged) == 56


def test_what_texts_say_as_wholes_no_word_says(found):
    without = found.depths[found.depths["depth"] == NONE].groupby("concept")["place"].agg(set)
    assert without["gender"] == {MAJORITY, BAG, LOOKUP} and without["class"] == without["negation"] == {MAJORITY, BAG}


def test_places_are_those_of_the_table(found):
    assert set(found.readings["place"]) == {*PLACES, MAJORITY, BAG, LOOKUP}
