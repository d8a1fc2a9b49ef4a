"""The findings of prompting: the right number under each name."""

import pandas as pd
import pytest

from emoscope.writeups.prompting.correlations import weakest_sign
from emoscope.writeups.prompting.summarise import (
    baseline_findings,
    check_findings,
    correlation_findings,
    length_findings,
)

KINDS = {"mood": "a text", "view": "a text", "size": "another text"}  # of tasks, two of which have the same ones


def named(findings) -> dict:
    return {finding.name: finding for finding in findings}


def related(rows: list[tuple], texts: str, task: str) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["of", "with", "r", "low", "high"])
    return table.assign(
        texts=texts, task=task, epochs=3, measure="prediction", p=0.01, p_adjusted=0.02, n=9, planted=None
    )


REVIEWS = [("good", "joy", 0.5, 0.4, 0.6), ("good", "fear", -0.9, -1, -0.8), ("good", "anger", -0.2, -0.35, -0.1)]
TWEETS = [("joy", "good", 0.2, -0.1, 0.4), ("disgust", "good", -0.6, -0.7, -0.5)]


def test_the_weakest_sign_is_the_smallest_correlation_with_its_published_sign():
    assert weakest_sign(related(REVIEWS, "reviews", "mood")) == (0.2, 0.1, 0.35, ["joy", "anger"]), "fear has none"
    assert weakest_sign(related(TWEETS, "tweets", "view"))[:3] == (0.2, -0.1, 0.4)
    turned = [("good", "joy", -0.5, -0.6, -0.4), *REVIEWS[1:]]
    assert weakest_sign(related(turned, "reviews", "mood"))[:3] == (-0.5, -0.6, -0.4)
    silent = [("good", "joy", None, None, None), *REVIEWS[1:]]
    assert weakest_sign(related(silent, "reviews", "mood"))[:3] == (0, 0, 0), "a prompt that never says joy has no sign"
    assert weakest_sign(related([("good", "size", 0.9, 0.8, 1)], "a", "b")) is None


def test_correlations_are_named_by_texts_and_prompts():
    both = pd.concat([related(REVIEWS, "reviews", "mood"), related(TWEETS, "tweets", "view")])
    own = related([("joy", "joy", 0.7, 0.6, 0.8)], "tweets", "tweets")
    found = named(correlation_findings(pd.concat([both, own]).astype({"planted": float})))
    assert found["reviews.by_mood.3.pearson.prediction.good.anger"].value == -0.2
    assert found["tweets.by_view.3.pearson.prediction.disgust.good"].value == -0.6
    assert found["tweets.3.pearson.prediction.joy"].value == 0.7
    signs = found["reviews.by_mood.3.pearson.prediction.weakest_sign"]
    assert (signs.value, signs.low, signs.high, signs.texts) == (0.2, 0.1, 0.35, 9)
    assert "tweets.3.pearson.prediction.weakest_sign" not in found


def test_baselines_have_their_scores_once_and_a_difference_for_each_training():
    row = {"task": "mood", "method": "random probe", "row": "micro avg", "measure": "f1", "value": 0.3, "low": 0.2,
           "high": 0.4, "difference": 0.2, "difference_low": 0.1, "difference_high": 0.3, "detectable": 0.14,
           "texts": 80}  # fmt: skip
    one = row | {"task": "view", "method": "words", "row": "all", "measure": "accuracy"}
    rows = [row | {"epochs": 3}, row | {"epochs": 10, "difference": -0.2}, one | {"epochs": 3}]
    found = named(baseline_findings(pd.DataFrame(rows)))
    assert len(found) == 5
    assert found["mood.random_probe.f1.micro_avg"][1:4] == (0.3, 0.2, 0.4)
    above = found["mood.3.f1.micro_avg.above_random_probe"]
    assert (above[1:4], above.texts, above.detectable) == ((0.2, 0.1, 0.3), 80, 0.14)
    assert found["mood.10.f1.micro_avg.above_random_probe"].value == -0.2
    assert found["view.3.accuracy.above_words"].value == 0.2 and found["view.words.accuracy"].value == 0.3


def test_a_longer_training_is_named_by_both():
    row = {"task": "mood", "short": 3, "long": 10, "difference": -0.1, "low": -0.2, "high": 0, "texts": 80}
    rows = [row | {"measure": "f1", "of": "micro avg"}, row | {"measure": "pearson.prediction", "of": "joy"}]
    assert list(named(length_findings(pd.DataFrame(rows)))) == [
        "mood.10_minus_3.f1.micro_avg",
        "mood.10_minus_3.pearson.prediction.joy",
    ]


def test_the_largest_change_is_exact():
    moved = pd.DataFrame({
        "check": ["composite head"] * 2 + ["explicit positions"] * 2, "texts": "mood", "id": [3, 4] * 2,
        "moved": [1e-7, 8e-6, 0.1, 0.2], "flipped": [False, False, True, False],
    })  # fmt: skip
    texts = {"mood": pd.DataFrame({"id": [3, 4], "text": ["one", "other"]})}
    found = named(check_findings(moved, texts, alpha=0.05))
    exact = found["composite_head.moved"]
    assert exact.value == 8e-6 and pd.isna(exact.low) and pd.isna(exact.texts), "no sample, so no interval"
    assert found["explicit_positions.flipped"].value == pytest.approx(0.5)
    assert "composite_head.flipped" not in found


def test_a_text_of_two_tasks_is_checked_once():
    ids = range(40)
    moved = pd.DataFrame({"check": "implicit positions", "id": ids, "moved": 0.1, "flipped": [n % 4 == 0 for n in ids]})
    tables = {task: pd.DataFrame({"id": ids, "text": [f"{kind} {n}" for n in ids]}) for task, kind in KINDS.items()}
    both = pd.concat([moved.assign(texts="mood"), moved.assign(texts="view")])
    other = pd.concat([moved.assign(texts="mood"), moved.assign(texts="size")])
    once, same, apart = (
        named(check_findings(rows, tables, alpha=0.05))["implicit_positions.flipped"]
        for rows in (moved.assign(texts="mood"), both, other)
    )
    assert (same.value, same.low, same.high) == pytest.approx((0.25, once.low, once.high))
    assert apart.high - apart.low < 0.8 * (once.high - once.low)
