"""Differences on the same test texts: who is held against whom, and with which sign."""

import numpy as np
import pandas as pd
import pytest

from asked_texts import CLASSES, TASKS, texts_of
from emoscope.writeups.prompting.answers import Answer
from emoscope.writeups.prompting.comparisons import (
    LONGER,
    baseline_answers,
    compare_alone,
    compare_baseline,
    compare_lengths,
    pairs_alone,
    pairs_beside,
    pairs_longer,
)

DRAWN = {"seed": 0, "resamples": 200, "alpha": 0.05}


def said(predicted: np.ndarray, task: str = "mood", label: str = "all", epochs: int = 3, texts: str = "") -> Answer:
    names = TASKS[task]["classes"] if label == "all" else [f"not {label}", label]
    return Answer(texts or task, task, label, epochs, names, np.where(predicted, 0.9, 0.1), predicted)


def test_a_difference_is_joint_minus_alone_on_the_labels_texts():
    truth = np.array([[0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=bool)
    wrong = ~truth[:, 1]
    alone = said(np.column_stack([~wrong, wrong]), label="joy")
    rows = compare_alone(said(truth), alone, {"mood": texts_of(truth, CLASSES)}, DRAWN)
    found = {row[3]: row for row in rows}
    assert found["accuracy"][4:7] == (1, 0, 1)
    assert found["pearson"][4:7] == pytest.approx((1, -1, 2))
    assert found["accuracy"][9] == pytest.approx(2 * 0.5**6), "McNemar: six texts lost, none gained"
    assert np.isnan(found["f1"][9])


def test_a_shares_difference_is_prompt_minus_baseline_text_by_text():
    good = np.arange(60) % 2 == 1
    truth = np.column_stack([~good, good])
    prompt, baseline = truth.copy(), truth.copy()
    prompt[:6] = ~prompt[:6]
    baseline[:15] = ~baseline[:15]  # wrong wherever the prompt is, and at nine more
    rows = compare_baseline(
        said(prompt, "view"), "words", said(baseline, "view", epochs=0), {"view": texts_of(truth, ["bad", "good"])},
        TASKS, DRAWN,
    )  # fmt: skip
    row = rows.iloc[0]
    assert (row["row"], row["measure"], row["method"], row["epochs"], row["texts"]) == (
        "all",
        "accuracy",
        "words",
        3,
        60,
    )
    assert row["value"] == pytest.approx(0.75) and row["low"] < 0.75 < row["high"]
    assert row["difference"] == pytest.approx(0.15)
    assert 0.03 < row["difference_low"] < 0.15 < row["difference_high"] < 0.27, "paired: unpaired it would reach zero"
    assert 0.1 < row["detectable"] < 0.2
    same = compare_baseline(
        said(prompt, "view"), "words", said(prompt, "view"), {"view": texts_of(truth, ["bad", "good"])}, TASKS, DRAWN
    ).iloc[0]
    assert same["difference"] == 0 and same["difference_low"] < 0 < same["difference_high"]


def test_texts_that_stand_several_times_say_no_more():
    rng, copies = np.random.default_rng(0), np.repeat(np.arange(60), 4)
    good = np.arange(60) % 2 == 1
    truth = np.column_stack([~good, good])
    prompt, baseline = (truth ^ (rng.random((60, 1)) < wrong) for wrong in (0.1, 0.3))
    once, often = (
        compare_baseline(
            said(prompt[rows], "view"), "words", said(baseline[rows], "view", epochs=0),
            {"view": texts_of(truth, ["bad", "good"]).iloc[rows]}, TASKS, DRAWN,
        ).iloc[0]
        for rows in (np.arange(60), copies)
    )  # fmt: skip
    numbers = ["value", "low", "high", "difference", "difference_low", "difference_high", "detectable", "texts"]
    assert often[numbers].tolist() == pytest.approx(once[numbers].tolist(), abs=0.005)  # Newcombe's phi is of rows


def test_a_text_that_stands_several_times_is_lost_once():
    truth = np.array([[0, 1, 0]] * 6, dtype=bool)
    wrong = said(np.array([[True, False]] * 24), label="joy")
    copies = np.repeat(np.arange(6), 4)
    rows = compare_alone(said(truth[copies]), wrong, {"mood": texts_of(truth, CLASSES).iloc[copies]}, DRAWN)
    assert next(row[9] for row in rows if row[3] == "accuracy") == pytest.approx(2 * 0.5**6)


def test_f1_is_compared_as_micro_and_macro():
    rng = np.random.default_rng(0)
    truth = rng.random((50, 3)) < 0.5
    baseline = truth ^ (rng.random((50, 3)) < [0.05, 0.05, 0.5])
    rows = compare_baseline(
        said(truth), "probe", said(baseline, epochs=0), {"mood": texts_of(truth, CLASSES)}, TASKS, DRAWN
    )
    assert rows[["row", "measure"]].to_numpy().tolist() == [["micro avg", "f1"], ["macro avg", "f1"]]
    assert rows["difference"].to_numpy() == pytest.approx(1 - rows["value"].to_numpy())
    assert (rows["difference_low"] > 0).all() and (rows["low"] < rows["value"]).all()


def test_baselines_are_read_by_method_and_by_the_kind_of_task():
    logits = {"words": [1.0, 1.0, -1.0], "probe": [-1.0, 1.0, 1.0]}
    parts = [pd.DataFrame({"texts": "mood", "id": 0, "method": method, "class": CLASSES, "logit": values})
             for method, values in logits.items()]  # fmt: skip
    found = baseline_answers(pd.concat(parts), TASKS)
    assert found["words"][0].predicted.tolist() == [[True, True, False]]
    assert found["probe"][0].predicted.tolist() == [[False, True, True]]
    assert found["probe"][0].own


def test_a_longer_training_is_held_against_a_shorter_one():
    rng = np.random.default_rng(1)
    truth = rng.random((60, 3)) < 0.5
    spoilt = truth.copy()
    spoilt[:, 1] ^= rng.random(60) < 0.4  # the longer training loses joy
    rows = compare_lengths(said(truth), said(spoilt, epochs=10), {"mood": texts_of(truth, CLASSES)}, TASKS, DRAWN)
    found = pd.DataFrame(list(rows), columns=LONGER).set_index(["measure", "of"])
    assert (found["short"] == 3).all() and (found["long"] == 10).all() and (found["texts"] == 60).all()
    assert found.loc[("f1", "micro avg"), "high"] < 0 and found.loc[("pearson.prediction", "joy"), "high"] < 0
    assert found.loc[("pearson.prediction", "anger"), "difference"] == 0
    wanted = np.corrcoef(truth[:, 1], spoilt[:, 1])[0, 1] - 1
    assert found.loc[("pearson.prediction", "joy"), "difference"] == pytest.approx(wanted)


def test_only_a_tasks_own_prompts_are_paired():
    nothing = np.zeros((1, 3), dtype=bool)
    pair = np.zeros((1, 2), dtype=bool)
    answers = [
        said(nothing, epochs=10), said(nothing), said(nothing, texts="view"), said(pair, label="joy"),
        said(pair, label="joy", texts="view"), said(pair, "view"), said(pair, "view", texts="mood", epochs=10),
    ]  # fmt: skip
    assert [(short.epochs, long.epochs, long.task) for short, long in pairs_longer(answers)] == [(3, 10, "mood")]
    [(joint, alone)] = pairs_alone(answers)
    assert (joint.epochs, joint.label, joint.texts, alone.label) == (3, "all", "mood", "joy")
    beside = pairs_beside(answers, {"words": [said(nothing), said(pair, "view")]})
    assert [(own.task, own.epochs, method, other.texts) for own, method, other in beside] == [
        ("mood", 10, "words", "mood"),
        ("mood", 3, "words", "mood"),
        ("view", 3, "words", "view"),
    ]
