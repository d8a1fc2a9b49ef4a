"""Whether what can be read is used: every verdict comes out, from findings and from answers to twins."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.probing import names, verdict
from emoscope.experiments.probing.erasing.shown import answers_moved, beyond_neutral, nearer
from emoscope.experiments.probing.erasing.twins import twin_measures
from emoscope.reporting.passages import Findings
from twin_answers import PAIRS, answers

STATISTICS = {"confidence": 0.95, "margin": 0.02}
NEARER, ALIKE, UNSURE, BARELY = (0.1, 0.2, 1.0), (-0.01, 0.01, 0.01), (-0.1, 0.1, 0.5), (0.001, 0.01, 0.01)


@pytest.mark.parametrize(
    ("nothing", "random", "lost", "everywhere", "moved", "left", "fallen", "readability", "said"),
    [
        (NEARER, NEARER, ALIKE, UNSURE, NEARER, 0.58, -0.1, verdict.READ, verdict.USED),
        (NEARER, NEARER, ALIKE, UNSURE, NEARER, 0.8, 0.1, verdict.TYPES, verdict.USED),
        (BARELY, BARELY, ALIKE, UNSURE, NEARER, 0.58, -0.1, verdict.READ, verdict.SLIGHT),
        (BARELY, BARELY, ALIKE, ALIKE, ALIKE, 0.58, -0.1, verdict.READ, verdict.SLIGHT),
        (BARELY, BARELY, UNSURE, ALIKE, ALIKE, 0.58, -0.1, verdict.READ, verdict.COSTLY),
        (BARELY, UNSURE, ALIKE, ALIKE, ALIKE, 0.58, -0.1, verdict.READ, verdict.UNUSED),
        (NEARER, NEARER, ALIKE, ALIKE, ALIKE, 0.58, -0.1, verdict.READ, verdict.UNSETTLED),
        (NEARER, NEARER, NEARER, UNSURE, NEARER, 0.58, -0.1, verdict.READ, verdict.COSTLY),
        (NEARER, NEARER, UNSURE, ALIKE, ALIKE, 0.58, -0.1, verdict.READ, verdict.COSTLY),
        (NEARER, NEARER, None, ALIKE, ALIKE, 0.58, -0.1, verdict.READ, verdict.COSTLY),
        (NEARER, UNSURE, ALIKE, NEARER, NEARER, 0.58, -0.1, verdict.READ, verdict.UNSETTLED),
        (ALIKE, ALIKE, NEARER, ALIKE, ALIKE, 0.58, -0.1, verdict.READ, verdict.UNUSED),
        (ALIKE, ALIKE, ALIKE, NEARER, ALIKE, 0.58, -0.1, verdict.READ, verdict.UNSETTLED),
        (ALIKE, ALIKE, ALIKE, ALIKE, NEARER, 0.58, -0.1, verdict.READ, verdict.UNSETTLED),
        (ALIKE, ALIKE, ALIKE, ALIKE, UNSURE, 0.58, -0.1, verdict.READ, verdict.UNSETTLED),
        (ALIKE, ALIKE, ALIKE, ALIKE, ALIKE, 0.62, -0.1, verdict.READ, verdict.UNSETTLED),
        (ALIKE, ALIKE, ALIKE, ALIKE, ALIKE, np.nan, -0.1, verdict.READ, verdict.UNSETTLED),
        (ALIKE, ALIKE, ALIKE, ALIKE, ALIKE, 0.58, 0.1, verdict.READ, verdict.UNSETTLED),
        (NEARER, NEARER, ALIKE, NEARER, NEARER, 0.58, -0.1, verdict.UNREAD, verdict.UNASKED),
        (ALIKE, ALIKE, ALIKE, ALIKE, ALIKE, 0.58, -0.1, verdict.UNREAD, verdict.UNASKED),
    ],
)
def test_the_verdict_comes_out_every_way(nothing, random, lost, everywhere, moved, left, fallen, readability, said):
    """`left`: the most that a fresh probe reads with the group erased, at a level of 0.5; `fallen`: the upper bound of
    what it reads more than with nothing erased, which too few texts cannot show to be below nil."""
    quoted = {"embeddings.nearer.least_change.nothing": nothing, "embeddings.nearer.least_change.random": random}
    quoted |= {"embeddings.accuracy_lost.least_change": lost, "nearer.least_change.nothing": everywhere}
    quoted |= {"answers_moved.least_change": moved, "pooled_token_last.least_change": (0.4, left, np.nan)}
    quoted |= {"change.pooled_token_last.least_change": (-0.6, fallen, np.nan), "beyond_neutral": NEARER}
    rows = [(f"gender.{name}", *numbers) for name, numbers in quoted.items() if numbers]
    table = pd.DataFrame(rows, columns=["name", "low", "high", "within"])
    assert verdict.verdict("gender", readability, 0.5, Findings(table), 0.05) == said


@pytest.mark.parametrize(
    ("concept", "over_majority", "selectivity", "over_words", "said"),
    [
        ("gender", 0.1, 0.1, -0.1, verdict.READ),
        ("gender", 0.1, -0.1, -0.1, verdict.TYPES),
        ("gender", -0.1, 0.1, 0.1, verdict.UNREAD),
        ("race", 0.1, np.nan, 0.1, verdict.UNCONTROLLED),
        ("race", -0.1, np.nan, 0.1, verdict.UNREAD),
        ("class", 0.1, 0.1, 0.1, verdict.READ),
        ("class", 0.1, 0.1, -0.1, verdict.WORDS),
        ("negation", 0.1, -0.1, 0.1, verdict.TYPES),
        ("negation", np.nan, 0.1, 0.1, verdict.UNREAD),
    ],
)
def test_what_is_read_is_told_from_words(concept, over_majority, selectivity, over_words, said):
    row = {"concept": concept, "over_majority_low": over_majority, "selectivity_low": selectivity}
    assert verdict.readable(row | {"over_words_low": over_words}) == said


def from_answers(before: tuple, everywhere: tuple, embeddings: tuple, swap: float | None = 0, **labels: float) -> str:
    """The verdict on answers to both texts of pairs, as the model is, with the group erased at every depth and at the
    embeddings; random directions move nothing, a fresh probe reads nothing, and accuracy stays. Neutral swaps, if there
    are any, move P(anger) by `swap`. `labels` are others' probabilities, where a text may have several."""
    parts = [answers(*before), answers(*everywhere, names.LEAST), answers(*embeddings, names.LEAST).assign(depth=0)]
    for method in (names.RANDOM, names.DIMENSIONS):
        parts += [answers(*before, method), answers(*before, method).assign(depth=0)]
    table = pd.concat(parts)
    if labels:
        table = table.assign(**labels, pred=[np.array([0])] * len(table))
    twins = twin_measures(table, "anger")
    quoted = [*nearer("gender", twins, STATISTICS), *answers_moved("gender", twins, STATISTICS)]
    quoted += beyond_neutral("gender", table, with_swaps(table[table["method"] == names.NOTHING], swap), STATISTICS)
    rows = [(one.name, one.low, one.high, one.within) for one in quoted]
    rows += [("gender.embeddings.accuracy_lost.least_change", *ALIKE)]
    rows += [("gender.pooled_token_last.least_change", 0.45, 0.55, np.nan)]
    rows += [("gender.change.pooled_token_last.least_change", -0.5, -0.4, np.nan)]
    found = Findings(pd.DataFrame(rows, columns=["name", "low", "high", "within"]))
    return verdict.verdict("gender", verdict.READ, 0.5, found, 0.05)


def with_swaps(said: pd.DataFrame, swap: float | None) -> pd.DataFrame:
    """Scored flips of these answers, and neutral swaps."""
    first, second = (said[said["value"] == value].sort_values("pair").reset_index(drop=True) for value in (0, 1))
    swapped = first if swap is None else first.assign(p_anger=first["p_anger"] - swap, p_joy=first["p_joy"] + swap)
    kinds = {"natural": second} | ({} if swap is None else {"natural control": swapped.assign(text="swapped")})
    parts = []
    for origin, changed in kinds.items():
        pairs = first.rename(columns={"pair": "id"})[["id", "text", "cluster"]]
        pairs = pairs.assign(origin=origin, perturbed=changed["text"], flags=[[]] * len(pairs))
        for when, side in (("before", first), ("after", changed)):
            pairs = pairs.join(side.filter(regex="^p_").add_prefix(f"{when}_"))
            pairs = pairs.assign(**({f"pred_{when}": side["pred"]} if "pred" in side else {}))
        parts.append(pairs)
    return pd.concat(parts).sample(frac=1, random_state=0)


HALVES = np.arange(PAIRS) % 2 == 0
APART, TOGETHER, ALL_OTHERS = (0.7, 0.5), (0.6, 0.6), {f"p_other{number}": 0.1 for number in range(27)}


@pytest.mark.parametrize("labels", [{}, ALL_OTHERS], ids=["classes", "28 labels"])
@pytest.mark.parametrize(
    ("before", "everywhere", "embeddings", "said"),
    [
        (APART, TOGETHER, TOGETHER, verdict.USED),
        (APART, TOGETHER, APART, verdict.UNSETTLED),
        (APART, (0.701, 0.5), APART, verdict.UNUSED),
        (APART, (0.9, 0.7), APART, verdict.UNSETTLED),
        (APART, (0.5, 0.7), APART, verdict.UNSETTLED),
        ((np.where(HALVES, 0.6, 0.5), 0.5), (np.where(HALVES, 0.5, 0.6), 0.5), (0.55, 0.5), verdict.UNSETTLED),
        ((0.5, 0.5), (0.5, 0.5), (0.5, 0.5), verdict.UNUSED),
    ],
    ids=["nearer", "nearer late", "still", "alike", "exchanged", "half nearer, half apart", "no difference"],
)
def test_the_verdict_on_answers(before, everywhere, embeddings, said, labels):
    """That the distance between twins stays in the mean is not that answers stay."""
    assert from_answers(before, everywhere, embeddings, **labels) == said


@pytest.mark.parametrize("labels", [{}, ALL_OTHERS], ids=["classes", "28 labels"])
@pytest.mark.parametrize(
    ("swap", "said"),
    [(0, verdict.USED), (0.1, verdict.USED), (0.2, verdict.COMMON), (0.4, verdict.COMMON), (None, verdict.COMMON)],
)
def test_what_any_exchanged_word_does_is_not_called_used(swap, said, labels):
    """Flips move P(anger) by 0.2, and erased, not at all; in a model that reacts to every word alike, so they would."""
    assert from_answers(APART, TOGETHER, TOGETHER, swap, **labels) == said


def test_that_it_is_not_used_needs_no_swaps():
    assert from_answers(APART, (0.701, 0.5), APART, swap=0.4) == verdict.UNUSED


def test_what_many_answers_show_to_be_little_is_used_by_less_than_counts(monkeypatch):
    monkeypatch.setattr("twin_answers.PAIRS", 4000)
    assert from_answers(APART, (0.69, 0.5), (0.69, 0.5)) == verdict.SLIGHT
    assert from_answers(APART, (0.69, 0.5), (0.69, 0.5), swap=0.4) == verdict.SLIGHT
