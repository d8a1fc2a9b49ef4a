"""The cheapest classifiers: they learn from training texts only, and each class is its own."""

import itertools

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score

from emoscope.training.baselines import best_constant, log_odds, state_features, without_blanks, word_features

WORDS = ["a happy day", "a sad day", "so happy now", "so sad now", "happy dog", "sad dog"]
HAPPY = np.array([[1, 0], [0, 1]] * 3)


def test_words_decide():
    training, asked = word_features(WORDS, ["the happy cat", "a sad cat", "rain"])
    found = log_odds(training, HAPPY, asked)
    assert (found[0] * [1, -1] > 0.5).all() and (found[1] * [-1, 1] > 0.5).all(), "classes keep their order"
    assert abs(found[2]).max() < 0.5, "a text of unknown words tells nothing"


def test_no_word_of_the_asked_texts_is_learnt():
    training, asked = word_features(WORDS, ["rain rain", "rain"])
    assert training.shape[1] == word_features(WORDS, ["sun"])[0].shape[1]
    assert asked.nnz == 0


def test_pairs_of_words_tell_what_words_do_not():
    training, asked = word_features(["not happy sad", "not happy sad", "not sad happy", "not sad happy"], ["not sad"])
    found = log_odds(training, np.array([[1], [1], [0], [0]]), asked)
    assert found[0, 0] < 0


UNSPACED = ["我今天很高兴", "他今天很难过", "高兴的一天。", "难过的一天。", "现在这么高兴", "现在这么难过"]


def test_where_words_have_no_blanks_between_them_characters_decide():
    training, asked = word_features([*UNSPACED, "so happy now"], ["那只猫非常高兴", "一只难过的猫", "下雨"])
    found = log_odds(training, np.vstack([HAPPY, [1, 0]]), asked)
    assert (found[0] * [1, -1] > 0.2).all() and (found[1] * [-1, 1] > 0.2).all()


def test_where_there_is_no_word_characters_decide():
    training, asked = word_features(["😀😀", "😢!", "😀", "😢😢"], ["😀", "😢"])
    found = log_odds(training, np.array([[1], [0], [1], [0]]), asked)
    assert found[0, 0] > 0.2 and found[1, 0] < -0.2


@pytest.mark.parametrize("texts", [WORDS, [*WORDS, *UNSPACED], [" ".join(text) for text in UNSPACED]])
def test_where_blanks_set_words_apart_words_decide(texts):
    """Also of a corpus in two scripts, and of Chinese that somebody has cut into words."""
    counted = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\b\w+\b").fit_transform(texts).toarray()
    for found in word_features(texts, texts):
        assert found.toarray() == pytest.approx(counted)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("今日はとても幸せです", True),
        ("วันนี้ฉันมีความสุขมาก เพราะฝนไม่ตก", True),
        ("我 今天 很 高兴", False),
        ("오늘은 정말 행복해요", False),
        ("Donaudampfschifffahrt", False),
        ("happy", False),
        ("see https://example.org 高兴", False),
        ("", False),
    ],
)
def test_scripts_without_blanks_are_known(text, without):
    assert without_blanks(text) == without


def test_states_are_scaled_by_the_training_texts():
    training, asked = np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[4.0, 9.0]])
    first, second = state_features(training, asked)
    assert first * np.sqrt(2) == pytest.approx(np.array([[-1, 0], [1, 0]]))
    assert second * np.sqrt(2) == pytest.approx(np.array([[3, 4]]))


def test_a_balanced_regression_says_yes_to_rare_labels_more_often():
    rng = np.random.default_rng(0)
    truth = rng.random((300, 1)) < 0.1
    states = rng.normal(size=(300, 2)) + truth * [1.0, 0]
    plain, weighted = (log_odds(states, truth, states, balanced) > 0 for balanced in (False, True))
    assert plain.mean() < 0.08 < 0.2 < weighted.mean()


def test_what_all_training_texts_have_is_certain():
    found = log_odds(np.eye(3), np.array([[1, 0]] * 3), np.eye(3))
    assert (found == [20, -20]).all()


def test_the_most_frequent_class_is_the_best_single_answer():
    truth = np.eye(3)[[2, 2, 1, 0, 2]]
    assert best_constant(truth, single=True).tolist() == [False, False, True]


@pytest.mark.parametrize("seed", range(5))
def test_no_other_set_of_labels_does_better_if_every_text_gets_it(seed):
    rng = np.random.default_rng(seed)
    truth = (rng.random((40, 4)) < rng.random(4)).astype(int)
    truth[0] = 1

    def score(answer) -> float:
        return f1_score(truth, np.tile(answer, (40, 1)).astype(int), average="micro", zero_division=0)

    best = max(score(answer) for answer in itertools.product([0, 1], repeat=4))
    assert score(best_constant(truth, single=False)) == pytest.approx(best)
