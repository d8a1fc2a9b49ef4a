"""Which words were planted, and how high a method ranks them."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.words.faithfulness import unexplained
from emoscope.experiments.words.methods import METHODS, PLANTED, RANDOM, SPECIAL
from emoscope.experiments.words.ranking import above_random, best_ranked, found_words, rank_methods
from emoscope.experiments.words.scores import Scored, first_answers, planted_words, ranked

WORDS = [(0, 1), (2, 6), (7, 10), (11, 16)]


def one(number=0, planted=(False, False, True, True), **scores):
    scores |= {RANDOM: [1, 4, 2, 3]}
    return Scored(
        number,
        "joy",
        WORDS,
        {name: np.array(values, dtype=float) for name, values in scores.items()},
        np.array(planted),
    )


def test_a_planted_phrase_marks_all_of_its_words_and_a_past_feeling_none():
    planted = pd.DataFrame({"start": [7, 2], "end": [16, 6], "role": ["cue", "past"]})
    assert planted_words(WORDS, planted).tolist() == [False, False, True, True]
    assert planted_words(WORDS, None).tolist() == [False] * 4


def test_the_highest_score_comes_first_whatever_is_against():
    assert ranked(np.array([0.1, -9.0, 2.0, 0.1])).tolist() == [2, 0, 3, 1]


def test_measures_of_one_text():
    found = found_words([one(a=[4, 1, 3, 2], b=[1, 2, 3, 4])], {0: True}).set_index("method")
    assert found.loc["a", ["top", "precision", "average_precision"]].tolist() == [
        0,
        0.5,
        pytest.approx((1 / 2 + 2 / 3) / 2),
    ]
    assert found.loc["b", ["top", "precision", "average_precision"]].tolist() == [1, 1, 1]
    assert (found["chance"] == 0.5).all()


def test_texts_without_planted_words_and_with_no_others_tell_nothing():
    texts = [one(0, (False,) * 4, a=[1, 2, 3, 4]), one(1, (True,) * 4, a=[1, 2, 3, 4])]
    nothing = found_words(texts, {0: True, 1: True})
    assert nothing.empty and rank_methods(nothing, margin=0.02, alpha=0.05).empty


def test_only_texts_that_the_classifier_gets_right_count_and_the_best_comes_first():
    texts = [one(number, bad=[4, 3, 2, 1], good=[1, 2, 3, 4]) for number in range(10)]
    texts += [one(number, bad=[1, 2, 3, 4], good=[4, 3, 2, 1]) for number in range(10, 15)]
    ranks = rank_methods(found_words(texts, {number: number < 10 for number in range(15)}), margin=0.02, alpha=0.05)
    assert list(dict.fromkeys(ranks["method"])) == ["good", RANDOM, "bad"]
    top = ranks[ranks["measure"] == "top"].set_index("method")
    assert top.loc["good", "value"] == 1 and top.loc["bad", "value"] == 0 and (top["texts"] == 10).all()
    assert top.loc["good", "low"] == pytest.approx(0.025 ** (1 / 10))


def test_shortcuts_are_counted_apart_and_only_where_there_are_any():
    texts = [one(number, good=[1, 2, 3, 4], bad=[4, 3, 2, 1]) for number in range(12)]
    without = rank_methods(found_words(texts, dict.fromkeys(range(30), True)), margin=0.02, alpha=0.05)
    marked = [
        one(number, (True, False, False, False), good=[1, 2, 3, 4], bad=[4, 3, 2, 1])._replace(shortcut=True)
        for number in range(12, 30)
    ]
    ranks = rank_methods(found_words(texts + marked, dict.fromkeys(range(30), True)), margin=0.02, alpha=0.05)
    pd.testing.assert_frame_equal(
        ranks[ranks["measure"] != "shortcut"].reset_index(drop=True), without.reset_index(drop=True)
    )
    apart = ranks[ranks["measure"] == "shortcut"].set_index("method")
    assert apart["value"].to_dict() == {"good": 0, "bad": 1, RANDOM: 0} and (apart["texts"] == 18).all()
    assert (apart["chance"] == 0.25).all() and apart.loc["bad", "low"] == pytest.approx(0.025 ** (1 / 18))


def beside_random(differences, names=METHODS, texts=60):
    """Values of some methods that differ from a random order's by so much in the mean, (texts, methods)."""
    rng = np.random.default_rng(0)
    values = {name: 0.5 + gap + rng.uniform(-0.05, 0.05, texts) for name, gap in zip(names, differences, strict=True)}
    return pd.DataFrame(values | {RANDOM: 0.5, PLANTED: 1.0})


def test_a_method_is_better_or_worse_than_a_random_order_or_no_different_or_it_cannot_be_told():
    names = ["shapley", "attention", "rollout"]
    found = above_random(beside_random([0.3, -0.3, 0.0], names, 400), margin=0.05, alpha=0.05)
    assert found["verdict"].to_dict() == {
        "shapley": "better", "attention": "worse", "rollout": "equivalent", RANDOM: "", PLANTED: "",
    }  # fmt: skip
    assert found.loc["shapley", ["above", "above_low", "above_high"]].tolist() == pytest.approx([0.3] * 3, abs=0.05)
    turned = above_random(beside_random([0.3, -0.3, 0.0], names, 400), margin=0.05, alpha=0.05, sign=-1)
    assert turned["verdict"].tolist()[:3] == ["worse", "better", "equivalent"]
    few = above_random(beside_random([0.3, -0.3, 0.0], names, 6), margin=0.05, alpha=0.05)
    assert few["verdict"].tolist()[:3] == ["underpowered"] * 3


def test_a_method_is_tested_as_often_as_others_are():
    """With others beside it, the same method on the same texts needs more to be called better."""
    lone, many = (
        above_random(beside_random([0.12] + [0.0] * (count - 1), [*METHODS][:count], 60), margin=0.001, alpha=0.05)
        for count in (1, len(METHODS))
    )
    name = next(iter(METHODS))
    assert lone.loc[name, "above"] == many.loc[name, "above"]
    assert (lone.loc[name, "verdict"], many.loc[name, "verdict"]) == ("better", "underpowered")


def test_the_method_that_is_announced_ranks_planted_words_best():
    texts = [one(number, shapley=[4, 3, 2, 1], attention=[1, 2, 3, 4]) for number in range(10)]
    ranks = rank_methods(found_words(texts, dict.fromkeys(range(10), True)), margin=0.02, alpha=0.05)
    assert best_ranked(ranks, [*METHODS]) == "attention" and best_ranked(ranks, ["shapley", "rollout"]) == "shapley"
    assert best_ranked(ranks, ["rollout"]) is None


def test_a_random_order_does_not_tell_how_many_words_are_gone():
    """Where every word counts alike, what falls is their number; scores of one sign would tell nearly all of it."""
    rng, count = np.random.default_rng(0), 20
    table = pd.DataFrame({"id": np.repeat(range(100), count), "word": [*range(count)] * 100, "start": 0, "end": 1})
    left = []
    for one in first_answers(table.assign(**{"class": "joy", "shapley": 1.0}), None, seed=0):
        gone = np.array([rng.permutation(count) < size for size in rng.integers(1, count + 1, 12)])
        falls = gone.sum(axis=1).astype(float)
        assert unexplained(gone @ one.scores["shapley"], falls) == pytest.approx(0)
        left.append(unexplained(gone @ one.scores[RANDOM], falls))
    assert np.mean(left) > 0.5


def scores():
    rows = [
        (5, word, *place, kind, value if kind == "joy" else -value)
        for kind in ("joy", "fear")
        for word, (place, value) in enumerate(zip(WORDS, (1.0, 2.0, 3.0, 4.0), strict=True))
    ]
    rows += [(5, SPECIAL, 0, 0, kind, 99.0) for kind in ("joy", "fear")]
    return pd.DataFrame(rows, columns=["id", "word", "start", "end", "class", "shapley"])


def test_scores_are_those_of_the_class_explained_first_without_special_tokens():
    planted = pd.DataFrame({"id": [5], "start": [2], "end": [6], "role": ["emotion"]})
    [found] = first_answers(scores(), planted, seed=0)
    assert found.answer == "joy" and found.scores["shapley"].tolist() == [1, 2, 3, 4]
    assert found.scores[PLANTED].tolist() == [0, 1, 0, 0] and set(found.scores) == {"shapley", RANDOM, PLANTED}
    [unknown] = first_answers(scores(), None, seed=0)
    assert unknown.planted is None and PLANTED not in unknown.scores and not unknown.shortcut
    assert not found.shortcut
    [marked] = first_answers(scores(), planted.assign(role="shortcut"), seed=0)
    assert marked.shortcut and marked.planted.tolist() == [False, True, False, False]
