"""The ranking of methods of attribution over seeds: which texts are asked about, and what is averaged."""

import pandas as pd
import pytest

from benchmarks import words
from emoscope.data.planted.corpus import generate


def ranks(top, chance=0.25):
    rows = [("shapley", "top", top), ("shapley", "precision", 0.5), ("random", "top", 0.2)]
    return pd.DataFrame(rows, columns=["method", "measure", "value"]).assign(chance=chance, texts=80)


def test_seeds_count_alike_and_have_students_interval():
    found = words.over_seeds([ranks(0.8, 0.2), ranks(0.9, 0.3), ranks(1.0, 0.25)])
    assert found["shapley"]["top"] == [0.9, 0.652, 1.148]  # 0.9 +/- 4.303 x 0.1 / sqrt(3)
    assert found["random"]["top"] == [0.2, 0.2, 0.2] and found["chance"]["top"] == [0.25]


def test_no_text_is_learned_and_asked_about_and_none_names_a_past_feeling():
    made = generate(600, seed=3, label_noise=0.0, duplicate_rate=0.0)
    train, test = words.texts_of(made, seed=3)
    ids = made.truth["ids"]
    assert len(test) == words.TEXTS and not set(train["id"]) & set(test["id"])
    assert len(train) + len(test) == 600 - len(ids["contrast"]) < 600
    assert {*ids["negation"], *ids["ambiguous"]} <= {*train["id"], *test["id"]}


def test_a_slow_machine_takes_fewer_seeds_unless_they_are_named(monkeypatch):
    taken = []

    def measured(seed, rows):
        taken.append((seed, rows))
        return ranks(0.9), 0.95

    monkeypatch.setattr(words, "measured", measured)
    monkeypatch.setattr(words, "turns", lambda most: range(min(most, 2)))
    found = words.measure(rows="300")
    assert taken == [(1, 300), (2, 300)] and found["seeds"] == 2 and found["accuracy"] == [0.95, 0.95]
    assert words.measure("3", "300")["seeds"] == 3


@pytest.mark.slow
def test_one_small_model_is_trained_and_explained(monkeypatch):
    monkeypatch.setattr(words, "TRAINING", words.TRAINING | {"epochs": 1})
    monkeypatch.setattr(words, "TEXTS", 20)
    monkeypatch.setattr(words, "WORDS", words.WORDS | {"texts": 20, "steps": 3, "orders": 1})
    table, accuracy = words.measured(1, 300)
    assert {"planted", "random", "shapley", "attention", "integrated_half"} <= set(table["method"])
    planted = table[(table["method"] == "planted") & (table["measure"] == "top")].iloc[0]
    assert planted["value"] == 1 and 0 < planted["texts"] <= round(20 * accuracy)
