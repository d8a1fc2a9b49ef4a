"""Which texts are learned from and judged, and what probes read of them."""

import numpy as np
import pandas as pd

from emoscope.experiments.flips.training_pairs import flip_training_texts
from emoscope.experiments.probing.concepts import (
    OF_TEXTS,
    class_examples,
    enough,
    negation_examples,
    people_examples,
    unseen,
)
from emoscope.experiments.probing.names import BAG, LOOKUP, MAJORITY, SENTENCES
from emoscope.experiments.probing.probe import cheapest, probed
from planted_gender import flips
from project import ROOT


def test_a_flip_gives_two_texts_of_which_each_names_its_own_group():
    pairs = flips(20, 1)
    table = people_examples(pairs, 40, 0)
    assert table["value"].tolist() == [0, 1] * 20 or set(table.groupby("pair")["value"].sum()) == {1}
    men = {"he", "brother", "uncle"}
    for row in table.itertuples():
        [(start, end)] = row.spans
        assert row.text[start:end] == row.kind and (row.kind in men) == (row.value == 0)
        [said] = row.said
        assert row.kind in said.split("/")
    assert (table.groupby("pair")["cluster"].nunique() == 1).all()
    twins = table.assign(said=table["said"].str[0]).groupby("pair")
    assert (twins["said"].nunique() == 1).all()
    assert [set(name.split("/")) for name in twins["said"].first()] == [set(kinds) for _, kinds in twins["kind"]]


def test_flips_that_do_not_count_or_name_both_groups_are_left_out_and_templates_come_last():
    pairs = pd.concat([flips(6, 1, "template"), flips(6, 2)], ignore_index=True)
    pairs["id"] = range(12)
    pairs.at[6, "flags"] = ["uncertain"]
    pairs.loc[7, "direction"] = "mixed"
    table = people_examples(pairs, 12, 0)
    natural = set(pairs.loc[8:, "text"])
    assert len(table) == 12 and natural <= set(table["text"])
    assert len(people_examples(pairs, 8, 0)) == 8 and set(people_examples(pairs, 8, 0)["cluster"]) == natural


def test_which_texts_have_a_neutral_swap_says_nothing_of_which_are_read():
    """A probe reads flips alone: texts with words that can be swapped are texts of another kind."""
    pairs = flips(40, 1)
    swaps = pairs.head(10).assign(origin="natural control", direction="")
    both = pd.concat([pairs, swaps], ignore_index=True)
    assert people_examples(both, 20, 0)["text"].tolist() == people_examples(pairs, 20, 0)["text"].tolist()


def test_texts_with_one_of_several_labels_have_a_class():
    texts = pd.DataFrame({"text": ["a b", "c", "d!", "a b"], "labels": [[2], [0, 1], [], [1]]})
    table = class_examples(texts, 10, 0)
    assert table[["text", "value", "kind"]].values.tolist() == [["a b", 2, ""]]


def test_as_many_texts_with_a_negator_as_without():
    negated = ["i am not sad", "i DONT care", "it wasn't me", "nobody came"]
    others = ["i want it", "the note said so", "a moment", "no" + "w we know", "knot", "cant" + "een"]
    table = negation_examples(pd.DataFrame({"text": [*negated, *others]}), 8, 0)
    assert set(table.loc[table["value"] == 1, "text"]) == set(negated)
    assert (table["value"] == 0).sum() == 4 and set(table.loc[table["value"] == 0, "text"]) < set(others)


def test_too_few_clusters_or_values_are_not_enough():
    table = pd.DataFrame({"value": [0, 1] * 8, "cluster": range(16)})
    assert enough(table) and not enough(table.assign(value=1)) and not enough(table.assign(cluster=0))


def test_concepts_that_texts_say_as_wholes_are_known_to_the_page():
    assert set(OF_TEXTS) == set(SENTENCES)


def test_what_is_known_is_left_out():
    pairs = pd.DataFrame({"text": ["a", "b", "c"], "perturbed": ["d", "e", "f"]})
    assert unseen(pairs, pd.Series(["b", "f"]))["text"].tolist() == ["a"]
    assert unseen(pairs[["text"]], pd.Series(["b", "f"]))["text"].tolist() == ["a", "c"]


def examples(values, kinds=None):
    texts = [f"text{value} same" for value in values]
    return pd.DataFrame({"text": texts, "value": values, "kind": kinds or texts})


def test_a_probe_learns_from_the_ones_and_is_judged_on_the_others():
    rng = np.random.default_rng(0)
    learned, judged = np.array([0, 1, 2] * 30), np.array([2, 0, 1] * 10)
    states = np.eye(3)[learned] + rng.normal(0, 0.1, (90, 3))
    others = np.eye(3)[judged]
    others[:10] = np.eye(3)[(judged[:10] + 1) % 3]
    assert probed(states, others, learned, judged).tolist() == [False] * 10 + [True] * 20


def test_the_cheapest_methods_by_hand():
    learned = examples([0, 0, 0, 1, 1], ["a", "a", "b", "b", "b"])
    judged = examples([0, 1, 1], ["a", "b", "new"])
    found = dict(cheapest(learned, judged))
    assert found[MAJORITY].tolist() == [True, False, False]
    assert found[LOOKUP].tolist() == [True, True, False]
    assert found[BAG].tolist() == [True, True, True]
    wholes = (table.assign(kind="") for table in (learned, judged))
    assert [name for name, _ in cheapest(*wholes)] == [MAJORITY, BAG], "no single word says it"


def test_training_texts_that_name_one_group_are_flipped(tmp_path):
    texts = ["he is sad", "she said that he left", "nothing here", "my mom called", "my mom called", "it is late"]
    pd.DataFrame({"id": range(6), "text": texts, "label": 0}).to_parquet(tmp_path / "train.parquet")
    for count in (9, 1):
        flip_training_texts(
            tmp_path / "train.parquet", ROOT / "data/lexicons/gender.csv", "gender", {"pairs": count, "seed": 0},
            tmp_path / "pairs.parquet",
        )  # fmt: skip
        table = pd.read_parquet(tmp_path / "pairs.parquet").set_index("text")
        if count == 9:
            assert table["perturbed"].to_dict() == {"he is sad": "she is sad", "my mom called": "my dad called"}
            assert table["direction"].to_dict()["my mom called"] == "female to male"
    assert len(table) == 1


def test_what_rounding_leaves_is_no_reading():
    values = np.array([0, 1] * 30)
    states = np.random.default_rng(0).normal(0, 1, (60, 4)).astype(np.float32)
    states[:, 2] = 100 + 1e-5 * values
    right = probed(states, states, values, values)
    states[:, 2] = 100 + 1.0 * values
    assert right.mean() < 0.9 and probed(states, states, values, values).all()
