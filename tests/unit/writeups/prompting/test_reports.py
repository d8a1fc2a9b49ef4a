"""Reports of prompts: the numbers are scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import classification_report, f1_score, jaccard_score

from asked_texts import CLASSES, TASKS, texts_of
from emoscope.writeups.prompting.answers import Answer, answers_of
from emoscope.writeups.prompting.reports import headline_score, overall_scores, report_of, report_values

AVERAGES = ["micro avg", "macro avg", "weighted avg", "samples avg"]
DRAWN = {"seed": 0, "resamples": 50, "alpha": 0.05}

tables = arrays(bool, (12, 3))


@given(tables, tables)
def test_reports_are_scikit_learns(truth, predicted):
    expected = classification_report(truth, predicted, target_names=CLASSES, output_dict=True, zero_division=0)
    found = report_values(truth, predicted, np.ones(12))
    for name, row in zip(CLASSES + AVERAGES, found, strict=True):
        wanted = [expected[name][measure] for measure in ("precision", "recall", "f1-score")]
        assert row == pytest.approx(wanted), name


@given(tables, tables, arrays(int, 12, elements=st.integers(0, 3)).filter(lambda weights: weights.sum() > 0))
def test_a_weight_counts_as_so_many_copies(truth, predicted, weights):
    copies = [np.repeat(values, weights, axis=0) for values in (truth, predicted)]
    found = report_values(truth, predicted, weights.astype(float))
    assert found == pytest.approx(report_values(*copies, np.ones(weights.sum())))


def scores_of(logits: np.ndarray, classes: list[str], task: str, label: str = "all") -> pd.DataFrame:
    ids, names = np.repeat(range(len(logits)), len(classes)), np.tile(classes, len(logits))
    return pd.DataFrame({"texts": "mood", "id": ids, "task": task, "label": label, "epochs": 3, "class": names}).assign(
        logit=logits.ravel()
    )


def test_logits_become_predictions_by_the_kind_of_task():
    logits = np.array([[2.0, 1.0, -1.0], [-3.0, -2.0, -1.0]])
    several = answers_of(scores_of(logits, CLASSES, "mood"), TASKS)[0]
    assert several.predicted.tolist() == [[True, True, False], [False, False, False]], "any number of labels"
    assert several.score[0, 0] == pytest.approx(1 / (1 + np.exp(-2)))
    pair = np.array([[2.0, 1.0], [-3.0, -2.0]])
    one = answers_of(scores_of(pair, ["bad", "good"], "view"), TASKS)[0]
    assert one.predicted.tolist() == [[True, False], [False, True]], "one class each"
    assert one.score[1] == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])
    alone = answers_of(scores_of(pair, ["not joy", "joy"], "mood", "joy"), TASKS)[0]
    assert alone.predicted.tolist() == [[True, False], [False, True]], "a label alone is one class of two"


def test_accuracy_is_a_share_of_texts_or_jaccards_index():
    rng = np.random.default_rng(0)
    truth, predicted = rng.random((40, 3)) < 0.4, rng.random((40, 3)) < 0.6
    answer = Answer("mood", "mood", "all", 3, CLASSES, predicted * 1.0, predicted)
    report = report_of(answer, {"mood": texts_of(truth, CLASSES)}, TASKS, DRAWN)
    wanted = jaccard_score(truth, predicted, average="samples", zero_division=1)
    assert report.query("measure == 'accuracy'")["value"].item() == pytest.approx(wanted)
    anger = report.set_index(["row", "measure"]).loc["anger"]
    assert anger["support"].tolist() == [truth[:, 0].sum()] * 3, "support counts what is there, not what is said"
    averages = report[report["row"].isin(AVERAGES)]
    assert truth.sum() != 40 and (averages["support"] == 40).all(), "texts, of which one may have several labels"
    assert anger.loc["precision", "value"] == pytest.approx((truth & predicted)[:, 0].sum() / predicted[:, 0].sum())
    pair = np.eye(2, dtype=bool)[rng.integers(0, 2, 40)]
    answer = Answer("view", "view", "all", 3, ["bad", "good"], pair * 1.0, pair)
    report = report_of(answer, {"view": texts_of(pair[::-1], ["bad", "good"])}, TASKS, DRAWN)
    assert headline_score(report, TASKS["view"], 3)["value"] == pytest.approx((pair[::-1] == pair).all(axis=1).mean())


@pytest.mark.parametrize("task", TASKS)
def test_texts_that_stand_several_times_say_no_more(task):
    classes = TASKS[task]["classes"]
    rng, copies = np.random.default_rng(0), np.repeat(np.arange(40), 5)
    truth = np.eye(len(classes), dtype=bool)[rng.integers(0, len(classes), 40)]
    predicted = np.where(rng.random((40, 1)) < 0.7, truth, np.roll(truth, 1, axis=1))

    def reported(rows: np.ndarray) -> pd.DataFrame:
        answer = Answer(task, task, "all", 3, classes, predicted[rows] * 1.0, predicted[rows])
        return report_of(answer, {task: texts_of(truth, classes).iloc[rows]}, TASKS, DRAWN)

    once, often = (reported(rows)[["value", "low", "high"]] for rows in (np.arange(40), copies))
    assert once["low"].notna().all()
    np.testing.assert_allclose(often, once, atol=1e-4)


def test_the_score_that_stands_for_a_task_is_of_the_asked_training():
    row = {"task": "mood", "row": "micro avg", "measure": "f1", "value": 0.7}
    rows = [row, row | {"epochs": 3, "value": 0.1}, row | {"measure": "recall", "value": 0.2}]
    rows += [row | {"row": "macro avg", "value": 0.3}, row | {"task": "view", "value": 0.4}]
    report = pd.DataFrame(rows).fillna({"epochs": 10})
    assert headline_score(report, TASKS["mood"], 10)["value"] == 0.7


def test_the_scores_that_stand_for_a_task_are_scikit_learns():
    rng = np.random.default_rng(3)
    truth, predicted = rng.random((30, 3)) < 0.4, rng.random((30, 3)) < 0.6
    wanted = [f1_score(truth, predicted, average=average) for average in ("micro", "macro")]
    assert overall_scores(truth, predicted, np.ones(30), "multiple") == pytest.approx(wanted)
    truth, predicted = np.eye(3, dtype=bool)[[0, 1, 2, 2]], np.eye(3, dtype=bool)[[0, 1, 1, 2]]
    assert overall_scores(truth, predicted, np.array([1, 1, 1, 5]), "single") == pytest.approx([7 / 8])
