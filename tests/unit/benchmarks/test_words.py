"""The ranking of methods of attribution over seeds: which texts are asked about, and what is averaged."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import words
from emoscope.data.planted.corpus import generate
from emoscope.data.planted.shortcuts import SHORTCUTS


def ranks(top, chance=0.25):
    rows = [("shapley", "top", top), ("shapley", "precision", 0.5), ("random", "top", 0.2)]
    return pd.DataFrame(rows, columns=["method", "measure", "value"]).assign(chance=chance, texts=80)


def test_seeds_count_alike_and_have_students_interval():
    found = words.over_seeds([ranks(0.8, 0.2), ranks(0.9, 0.3), ranks(1.0, 0.25)])
    assert found["shapley"]["top"] == [0.9, 0.652, 1.148]  # 0.9 +/- 4.303 x 0.1 / sqrt(3)
    assert found["random"]["top"] == [0.2, 0.2, 0.2] and found["chance"] == {"top": [0.25]}
    alone = ranks(0.8)[lambda table: table["measure"] == "top"].assign(measure="shortcut", chance=0.1)
    assert words.over_seeds([alone, alone])["chance"] == {"shortcut": [0.1]}, "each measure has a chance of its own"


def test_no_text_is_learned_and_asked_about_and_none_names_a_past_feeling():
    made = generate(600, seed=3, label_noise=0.0, duplicate_rate=0.0)
    train, test = words.texts_of(made, 3, pd.Series(True, made.table.index))
    ids = made.truth["ids"]
    assert len(test) == words.TEXTS and not set(train["id"]) & set(test["id"])
    assert len(train) + len(test) == 600 - len(ids["contrast"]) < 600
    assert {*ids["negation"], *ids["ambiguous"]} <= {*train["id"], *test["id"]}
    asked = pd.Series(np.arange(600) % 3 == 0, made.table.index)
    assert (words.texts_of(made, 3, asked)[1]["id"] % 3 == 0).all()


class Stop(Exception):
    pass


def asked_about(monkeypatch, shortcuts):
    """The texts that are asked about, without a model."""
    taken = []

    def trained(train, *_):
        taken.append(train)
        raise Stop

    monkeypatch.setattr(words, "trained", trained)
    with pytest.raises(Stop):
        words.measured(3, 2_000, shortcuts)
    made = generate(2_000, seed=3, label_noise=0.0, duplicate_rate=0.0, shortcut_share=shortcuts)
    table = made.table[~made.table["id"].isin([*taken[0]["id"], *made.truth["ids"]["contrast"]])]
    return table, taken[0]


def test_where_shortcuts_are_planted_texts_are_asked_about_whose_other_words_say_something_else(monkeypatch):
    test, train = asked_about(monkeypatch, 0.3)
    plain = generate(2_000, seed=3, label_noise=0.0, duplicate_rate=0.0).table.set_index("id").loc[test["id"]]
    assert len(test) == words.TEXTS and has_shortcut(test).all() and has_shortcut(train).any()
    assert (test["label"].to_numpy() != plain["label"].to_numpy()).all()
    assert not has_shortcut(plain).any()


def test_without_shortcuts_any_text_is_asked_about(monkeypatch):
    test, train = asked_about(monkeypatch, 0)
    assert len(test) == words.TEXTS and not has_shortcut(pd.concat([test, train])).any()


def has_shortcut(table):
    return table["text"].str.contains(rf"\b(?:{'|'.join(SHORTCUTS)})\b")


def test_a_slow_machine_takes_fewer_seeds_unless_they_are_named(monkeypatch):
    taken = []

    def measured(seed, rows, shortcuts):
        taken.append((seed, rows, shortcuts))
        return ranks(0.9), 0.95

    monkeypatch.setattr(words, "measured", measured)
    monkeypatch.setattr(words, "turns", lambda most, _: range(min(most, 2)))
    found = words.measure(rows="300")
    assert taken == [(1, 300, 0), (2, 300, 0), (1, 300, words.SHORTCUTS), (2, 300, words.SHORTCUTS)]
    for part in (found, found["shortcuts"]):
        assert part["seeds"] == 2 and part["accuracy"] == [0.95, 0.95]
    assert words.measure("3", "300")["seeds"] == 3


@pytest.mark.slow
def test_one_small_model_is_trained_and_explained(monkeypatch):
    monkeypatch.setattr(words, "TRAINING", words.TRAINING | {"epochs": 1})
    monkeypatch.setattr(words, "TEXTS", 20)
    monkeypatch.setattr(words, "WORDS", words.WORDS | {"texts": 20, "steps": 3, "orders": 1})
    table, accuracy = words.measured(1, 300, 0)
    assert {"planted", "random", "shapley", "attention", "integrated_half"} <= set(table["method"])
    planted = table[(table["method"] == "planted") & (table["measure"] == "top")].iloc[0]
    assert planted["value"] == 1 and 0 < planted["texts"] <= round(20 * accuracy)
    marked, _ = words.measured(1, 300, 0.6)
    assert set(marked["measure"]) == {"shortcut"} and {"random", "shapley"} <= set(marked["method"])
    assert (marked.set_index("method").loc["planted", "value"] == 1).all()
