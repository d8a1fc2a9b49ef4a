"""Which words are shown to push a class up, and whether the training texts bear it out; where nothing is, seldom."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logit

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.corpus import generate
from emoscope.data.planted.shortcuts import SHORTCUTS
from emoscope.data.text_words import words_of
from emoscope.experiments.words.measure import cut_words
from emoscope.experiments.words.overall import (
    OPEN,
    SUPPORTED,
    UNSHOWN,
    UNSUPPORTED,
    beyond_others,
    counted,
    learnt,
    least_push,
    pushes,
    verdicts,
)
from emoscope.experiments.words.read_texts import Reading, rewritten
from emoscope.experiments.words.removal import log_odds
from emoscope.models.logits import probabilities
from emoscope.storage.decisions import SEVERAL

OPTIONS, MARGIN, ALPHA = {"seed": 0, "resamples": 100, "alpha": 0.05}, 0.02, 0.05
PLAIN = {"texts": 40, "up": 40, "seen": 4000, "having": 1200, "others": 12_000, "others_having": 3600}

FREQUENT = {"seen": 15_200, "having": 4560, "others": 800}  # in 95 % of the texts


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
        ({"others_having": 10_800, "having": 3990}, SUPPORTED),  # nine in ten times 1.25 is more than all
        ({"others_having": 10_800, "having": 3600}, UNSUPPORTED),
        (FREQUENT | {"others_having": 400}, UNSUPPORTED),
        (FREQUENT | {"others_having": 80}, SUPPORTED),
        (FREQUENT | {"others_having": 0}, SUPPORTED),
        (FREQUENT | {"others": 20, "others_having": 6}, OPEN),
        (FREQUENT | {"others": 0, "others_having": 0}, OPEN),  # no text to compare those with the word with
        ({"seen": 0, "having": 0}, OPEN),
        ({"others_having": 0, "having": 0}, OPEN),  # nothing is known of the class
    ],
)
def test_verdicts(counts, expected):
    assert verdict_of(**counts) == expected


def test_each_p_is_that_of_its_exact_test():
    counts = {"up": 30, "seen": 100, "having": 35, "others": 300, "others_having": 90}
    found = verdicts(pd.DataFrame([PLAIN | counts]), ALPHA).iloc[0]
    assert found["p_up"] == pytest.approx(1_221_246_132 / 2**40)  # as many of all ways have 30 heads or more
    assert found["p_unsupported"] == pytest.approx(stats.nchypergeom_fisher.cdf(35, 400, 100, 125, 1.25))
    assert found["p_supported"] == pytest.approx(stats.fisher_exact([[35, 65], [90, 210]], "greater")[1])


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
    assert found["others"].tolist() == [1] * 4 and found["others_having"].tolist() == [1, 0, 1, 0]
    assert found.loc[("glad", "joy"), "others_share"] == 0 and found.loc[("glad", "anger"), "others_share"] == 1
    assert found.loc[("glad", "anger"), "share_low"] < 0.5 < found.loc[("glad", "anger"), "share_high"]


VOCABULARY, CLASSES = [f"word{number}" for number in range(10)], ["anger", "fear", "joy"]
PUSHED, FALLEN = ([f"{what}_{name}" for name in CLASSES] for what in ("push", "fall"))


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


@pytest.mark.slow
def test_where_nothing_is_planted_words_are_shown_to_push_in_one_table_of_twenty_at_most(monkeypatch):
    nowhere = [[np.nan] * len(CLASSES)] * 2
    monkeypatch.setattr("emoscope.experiments.words.overall.bootstrap_mean", lambda *_, **__: nowhere)
    rng, wrong = np.random.default_rng(0), 0
    learned = pd.DataFrame({"text": spoken(rng, 100, VOCABULARY), "label": rng.integers(0, 3, 100)})
    cuts = cut(spoken(rng, 40, VOCABULARY), lambda words, _: np.ones(len(words)))
    for _ in range(200):
        drawn = cuts.assign(**dict(zip(FALLEN, rng.normal(size=(3, len(cuts))), strict=True)))
        found = pushes(beyond_others(drawn, CLASSES), learned, CLASSES, OPTIONS, MARGIN)
        assert len(found) >= 15
        wrong += counted(found)["up"] > 0
    assert wrong <= 10


@pytest.mark.slow
@pytest.mark.parametrize(("ratio", "untrue"), [(1.25, UNSUPPORTED), (1.0, SUPPORTED)])
def test_words_that_push_are_seldom_given_a_verdict_that_is_untrue_of_all(ratio, untrue):
    """Every word pushes for certain, and the odds of its class are just so many times those without it that it is not
    unsupported; or the same, as where nothing is planted, so that none is supported."""
    rng, rest = np.random.default_rng(0), 0.3
    share, wrong = ratio * rest / (1 + (ratio - 1) * rest), 0
    for _ in range(200):
        having, others_having = rng.binomial(300, share, 20), rng.binomial(700, rest, 20)
        table = pd.DataFrame([PLAIN | {"seen": 300, "others": 700}] * 20)
        found = verdicts(table.assign(having=having, others_having=others_having), ALPHA)
        wrong += (found["verdict"] == untrue).any()
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
    for size, found in ((0.9 * 4 * MARGIN, set()), (1.1 * 4 * MARGIN, {("joy", "word0")})):
        assert {*shown(cut(texts, of_one("word0", size)), train)} == found


def test_a_class_may_be_called_like_a_column():
    rng, classes = np.random.default_rng(0), ["anger", "word", "joy"]
    texts, train = spoken(rng, 60, VOCABULARY), pd.DataFrame({"text": spoken(rng, 4000, VOCABULARY)})
    train["label"] = rng.integers(0, 3, len(train))
    pushed = cut(texts, of_one("word0", 0.5, "fear")).rename(columns={"push_fear": "push_word"})
    assert {*shown(pushed, train, classes)} == {("word", "word0")}


def test_a_word_that_lifts_a_class_in_most_texts_and_lowers_it_by_more_in_others_does_not_push_it_up():
    rng = np.random.default_rng(0)
    texts, train = spoken(rng, 60, VOCABULARY), pd.DataFrame({"text": spoken(rng, 4000, VOCABULARY)})
    train["label"] = rng.integers(0, 3, len(train))
    pushed = cut(texts, of_one("word0", 0.5))
    assert {*shown(pushed, train)} == {("joy", "word0")}
    few = pushed.index[pushed["word"] == "word0"][:5]
    pushed.loc[few, "push_joy"] = -20.0
    found = pushes(pushed, train, CLASSES, OPTIONS, MARGIN).set_index(["class", "word"]).loc["joy", "word0"]
    assert found["up"] > 0.8 * found["texts"] and found["p_up"] < ALPHA and found["value"] < 0
    assert found["verdict"] == UNSHOWN


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_what_counts_as_a_push_is_the_least_that_may_move_a_probability_by_the_margin(count, several):
    """From wherever, and whichever logits bring it about; some changes come close to the margin."""
    model, rng = model_of(several), np.random.default_rng(0)
    before = rng.normal(scale=2, size=(20_000, count))
    assert np.allclose(log_odds(model, before), logit(probabilities(model, before)))
    after = before + (0 if several else rng.normal(scale=2, size=before.shape))
    after[:, 0] += log_odds(model, before)[:, 0] + least_push(MARGIN) - log_odds(model, after)[:, 0]
    change = (probabilities(model, after) - probabilities(model, before))[:, 0]
    assert 0.99 * MARGIN < change.max() <= MARGIN


def model_of(several):
    return SimpleNamespace(config=SimpleNamespace(problem_type=SEVERAL if several else None))


BEFORE = {"joy": 2.08, "anger": 1.93}  # logits without the word; with it joy has 6 less and anger 3 more


@pytest.mark.parametrize("several", [False, True])
def test_a_word_that_moves_other_classes_does_not_push_a_class_up(several):
    """It speaks against joy and for anger, so of exclusive classes all others lose, from 5.3 % each to 0.7 %."""

    def without(readings, removals):
        told = [rewritten(readings[row], kept) for row, kept in removals]
        moved = [BEFORE | ({"joy": -3.92, "anger": 4.93} if "damn" in text else {}) for text in told]
        return np.array([[logits.get(name, 0.0) for name in EMOTIONS] for logits in moved])

    text = "such a damn day"
    reader = SimpleNamespace(model=model_of(several), without=without)
    readings = [Reading(text, words_of(text), {}, np.array([]))] * 20
    pushed = beyond_others(cut_words(reader, readings, pd.Series(range(20)), EMOTIONS), EMOTIONS)
    found = pushes(pushed, pd.DataFrame({"text": [text], "label": [0]}), EMOTIONS, OPTIONS, MARGIN)
    found = found[found["word"] == "damn"].set_index("class")
    assert found["up"].to_dict() == {name: 20 * (name == "anger") for name in EMOTIONS}
    others = found.drop(index=["joy", "anger"])["value"]
    assert np.allclose(others, 0) if several else (others < -1).all()


def test_a_push_is_what_goes_beyond_cutting_other_words_of_the_text():
    falls = [1.0, 5.0, 2.0, 9.0, 7.0]  # of `so` both times, and of three others
    words = ["so", "glad", "so", "now", "then"]
    table = pd.DataFrame({"id": 4, "word": words, "start": 0, "end": 1, "fall_joy": falls})
    alone = table.assign(id=5, word="so")
    found = beyond_others(pd.concat([alone, table], ignore_index=True), ["joy"])
    assert found["push_joy"].tolist() == [1 - 7, 5 - 4.5, 2 - 7, 9 - 3.5, 7 - 3.5]
    assert set(found["id"]) == {4}, "in the text of one word, however often, there is no other"


def test_that_any_hole_in_a_text_lowers_a_class_is_no_push_of_its_words():
    rng = np.random.default_rng(0)
    cuts = cut(spoken(rng, 60, VOCABULARY), lambda words, _: 1 + rng.normal(scale=0.01, size=len(words)))
    cuts = cuts.rename(columns=dict(zip(PUSHED, FALLEN, strict=True)))
    train = pd.DataFrame({"text": spoken(rng, 100, VOCABULARY), "label": rng.integers(0, 3, 100)})
    assert shown(beyond_others(cuts, CLASSES), train) == {}
    cuts.loc[cuts["word"] == "word3", "fall_joy"] += 1
    assert {*shown(beyond_others(cuts, CLASSES), train)} == {("joy", "word3")}


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
