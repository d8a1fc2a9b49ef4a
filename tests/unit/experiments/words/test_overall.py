"""Which words are shown to push a class up, and whether the training texts bear it out; where nothing is, seldom."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from emoscope.data.planted import EMOTIONS, generate
from emoscope.data.shortcuts import SHORTCUTS
from emoscope.experiments.words.overall import (
    OPEN,
    SUPPORTED,
    UNSHOWN,
    UNSUPPORTED,
    counted,
    learnt,
    least_push,
    pushes,
    verdicts,
)
from emoscope.models.inside.integration import centred
from emoscope.models.logits import probabilities

OPTIONS, MARGIN, ALPHA = {"seed": 0, "resamples": 100, "alpha": 0.05}, 0.02, 0.05
PLAIN = {"texts": 40, "up": 40, "seen": 4000, "having": 1200, "expected": 0.3}


def verdict_of(**counts):
    table = pd.DataFrame([PLAIN | counts])
    return verdicts(table, ALPHA)["verdict"].iloc[0]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, UNSUPPORTED),
        ({"having": 200}, UNSUPPORTED),
        ({"having": 2000}, SUPPORTED),
        ({"seen": 40, "having": 12}, OPEN),  # as large a share, in too few texts
        ({"having": 1300}, UNSUPPORTED),  # a little more, but by less than counts
        ({"having": 1450}, SUPPORTED),  # more, and by how much is open
        ({"up": 20}, UNSHOWN),
        ({"up": 0, "having": 2000}, UNSHOWN),
        ({"texts": 8, "up": 8}, UNSUPPORTED),
        ({"expected": 0.9, "having": 3990}, SUPPORTED),  # nine in ten times 1.25 is more than all
        ({"expected": 0.9, "having": 3600}, UNSUPPORTED),
        ({"seen": 0, "having": 0}, OPEN),
        ({"expected": 0.0, "having": 0}, OPEN),  # nothing is known of the class
    ],
)
def test_verdicts(counts, expected):
    assert verdict_of(**counts) == expected


def test_each_p_is_that_of_its_binomial_test():
    found = verdicts(pd.DataFrame([PLAIN | {"up": 30, "seen": 100, "having": 35}]), ALPHA).iloc[0]
    assert found["p_up"] == pytest.approx(1_221_246_132 / 2**40)  # as many of all ways have 30 heads or more
    assert found["p_unsupported"] == pytest.approx(0.549, abs=0.02)  # of the odds 3/7 x 1.25, a share of 0.349
    assert found["p_supported"] == pytest.approx(0.163, abs=0.002)  # of a share of 0.3


def test_p_values_are_adjusted_over_all_classes_and_words():
    first = PLAIN | {"texts": 8, "up": 8}  # p = 1/256, which survives 12 tests and not 13
    for others, verdict in ((11, UNSUPPORTED), (12, UNSHOWN)):
        found = verdicts(pd.DataFrame([first] + [PLAIN | {"up": 10}] * others), ALPHA)
        assert found["verdict"].iloc[0] == verdict
        assert found["p_up"].iloc[0] == pytest.approx((others + 1) / 256)


def test_shares_are_of_the_labelled_training_texts_each_counted_once():
    texts = ["glad Glad sad", "glad", "sad", "sad", "glad glad"]
    table = pd.DataFrame({"text": texts, "label": [1, 0, 0, 0, -1]})
    found = learnt(table, ["glad", "sad"], ["anger", "joy"], ALPHA)
    assert found["seen"].tolist() == [2, 2, 2, 2] and found["having"].tolist() == [1, 1, 1, 1]
    assert found.loc[("glad", "joy"), "share"] == 0.5 and found.loc[("sad", "joy"), "share"] == 0.5
    assert found.loc[("glad", "joy"), "expected"] == pytest.approx(1 / 3)
    assert found.loc[("glad", "anger"), "share_low"] < 0.5 < found.loc[("glad", "anger"), "share_high"]


VOCABULARY, CLASSES = [f"word{number}" for number in range(10)], ["anger", "fear", "joy"]
PUSHED = [f"push_{name}" for name in CLASSES]


def spoken(rng, count, words):
    """Texts of three to six words, of which the first are in most texts and the last in few."""
    weights = np.linspace(3, 1, len(words))
    return [
        " ".join(rng.choice(words, rng.integers(3, 7), replace=False, p=weights / weights.sum())) for _ in range(count)
    ]


def cut(texts, values):
    """A table of cuts: `values` gives a text's words and a class their pushes."""
    rows = []
    for number, text in enumerate(texts):
        words = text.split()
        ends = np.cumsum([len(word) + 1 for word in words]) - 1
        pushed = np.transpose([values(words, kind) for kind in CLASSES])
        rows += [(number, word, end - len(word), end, *own) for word, end, own in zip(words, ends, pushed, strict=True)]
    return pd.DataFrame(rows, columns=["id", "word", "start", "end", *PUSHED])


def test_where_nothing_is_planted_words_are_shown_to_push_in_one_table_of_twenty_at_most(monkeypatch):
    nowhere = [[np.nan] * len(CLASSES)] * 2
    monkeypatch.setattr("emoscope.experiments.words.overall.bootstrap_mean", lambda *_, **__: nowhere)
    rng, wrong = np.random.default_rng(0), 0
    learned = pd.DataFrame({"text": spoken(rng, 100, VOCABULARY), "label": rng.integers(0, 3, 100)})
    cuts = cut(spoken(rng, 40, VOCABULARY), lambda words, _: np.ones(len(words)))
    for _ in range(200):
        drawn = cuts.assign(**dict(zip(PUSHED, rng.normal(size=(3, len(cuts))), strict=True)))
        found = pushes(drawn, learned, CLASSES, OPTIONS, MARGIN)
        assert len(found) >= 15
        wrong += counted(found)["up"] > 0
    assert wrong <= 10


def test_words_that_push_but_are_borne_out_by_just_enough_are_not_called_unsupported():
    """Every word pushes for certain, and the odds of its class are just those that count as more."""
    rng, expected = np.random.default_rng(0), 0.3
    share = 1.25 * expected / (1 + 0.25 * expected)
    wrong = 0
    for _ in range(200):
        table = pd.DataFrame([PLAIN] * 60).assign(having=rng.binomial(4000, share, 60), expected=expected)
        wrong += (verdicts(table, ALPHA)["verdict"] == UNSUPPORTED).any()
    assert wrong <= 16  # of 200, at most 5 % and two standard errors


def of_one(word, size, kind="joy"):
    """Pushes that are `size` for one word and class, and else a little noise."""
    rng = np.random.default_rng(0)
    return lambda words, other: [size if (one, other) == (word, kind) else rng.normal(scale=0.01) for one in words]


def shown(cuts, train, classes=CLASSES):
    found = pushes(cuts, train, classes, OPTIONS, MARGIN)
    return {key: row["verdict"] for key, row in found.set_index(["class", "word"]).iterrows() if row["verdict"]}


def test_a_word_must_push_by_more_than_counts_as_none():
    rng = np.random.default_rng(0)
    texts, train = spoken(rng, 60, VOCABULARY), pd.DataFrame({"text": spoken(rng, 4000, VOCABULARY)})
    train["label"] = rng.integers(0, 3, len(train))
    least = 4 * MARGIN * 2 / 3  # of three exclusive classes
    for size, found in ((0.9 * least, {}), (1.1 * least, {("joy", "word0"): UNSUPPORTED})):
        assert shown(cut(texts, of_one("word0", size)), train) == found


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_what_counts_as_a_push_is_the_least_that_may_move_a_probability_by_the_margin(count, several):
    """One logit is moved until its score has moved by just that, from wherever; some come close to the margin."""
    texts = pd.DataFrame({"labels": [[0]]} if several else {"label": [0]})
    model = SimpleNamespace(config=SimpleNamespace(problem_type="multi_label_classification" if several else None))
    least = least_push(MARGIN, texts, ["class"] * count)
    before = np.random.default_rng(0).normal(scale=2, size=(20_000, count))
    moved = np.zeros(count)
    moved[0] = least / centred(model, np.eye(count)[0])[0]
    assert np.allclose((centred(model, before + moved) - centred(model, before))[:, 0], least)
    change = (probabilities(model, before + moved) - probabilities(model, before))[:, 0]
    assert 0.99 * MARGIN < change.max() <= MARGIN


def test_a_word_is_counted_once_a_text_by_the_mean_of_its_pushes_there():
    """Once up by 1 and once down by 3 in each of ten texts is down by 1, in ten texts."""
    cuts = cut(["so so"] * 10, lambda words, _: [1.0, -3.0])
    found = pushes(cuts, pd.DataFrame({"text": ["so"], "label": [0]}), CLASSES, OPTIONS, MARGIN)
    assert found["class"].tolist() == CLASSES and found["word"].tolist() == ["so"] * 3
    assert (found[["value", "low", "high", "texts", "up"]] == [-1, -1, -1, 10, 0]).all(axis=None)


def test_a_planted_shortcut_is_supported_by_the_texts_that_planted_it_and_not_by_others():
    """A classifier that goes by it was taught so; if the labels of its texts were others, it would have made it up."""
    made = generate(4000, seed=1, shortcut_share=0.3).table
    [(word, kind), *_] = SHORTCUTS.items()
    held = made["text"].str.contains(rf"\b{word}\b")
    assert held.sum() > 200
    told = made[held].head(30)
    rows = [
        (row.id, one, *(3.0 if (one, name) == (word, kind) else 0.0 for name in EMOTIONS))
        for row in told.itertuples()
        for one in row.text.split()
    ]
    cuts = pd.DataFrame(rows, columns=["id", "word", *(f"push_{name}" for name in EMOTIONS)])
    assert shown(cuts, made, EMOTIONS) == {(kind, word): SUPPORTED}
    other = made.assign(label=made["label"].where(~held, EMOTIONS.index("anger")))
    assert shown(cuts, other, EMOTIONS) == {(kind, word): UNSUPPORTED}


def test_words_in_fewer_than_eight_texts_are_not_tested():
    train = pd.DataFrame({"text": ["one two"], "label": [0]})
    cuts = cut(["one two"] * 7 + ["one"], lambda words, _: np.ones(len(words)))
    found = pushes(cuts, train, CLASSES, OPTIONS, MARGIN)
    assert found["word"].tolist() == ["one"] * 3 and found[["low", "high", "p_up"]].notna().all(axis=None)
    found = pushes(cuts[cuts["word"] == "two"], train, CLASSES, OPTIONS, MARGIN)
    assert found.empty and set(counted(found).values()) == {0}
