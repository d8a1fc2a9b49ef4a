"""Correlations of what prompts say with what texts are: scipy's numbers, and the right ones of many are read."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from emoscope.writeups.prompting.answers import Answer
from emoscope.writeups.prompting.correlations import (
    correlate,
    crossed,
    of_own_labels,
    planted_signs,
    weighted_correlations,
)

DRAWN = {"seed": 0, "resamples": 50, "alpha": 0.05}
TASKS = {
    "mood": {"name": "mood", "kind": "multiple", "classes": ["joy", "fear"]},
    "view": {"name": "view", "kind": "single", "classes": ["bad", "good"]},
}


def test_correlations_are_scipys_and_nan_without_spread():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 3))
    y[:, 2] = 1
    found = weighted_correlations(x, y, np.ones(30))
    assert found[1, 0] == pytest.approx(pearsonr(x[:, 1], y[:, 0]).statistic)
    assert np.isnan(found[:, 2]).all()


@pytest.fixture(scope="module")
def answered():
    """Forty texts of moods, and what two prompts say of them."""
    rng = np.random.default_rng(1)
    truth, scores = rng.random((40, 2)) < 0.5, rng.random((40, 2))
    table = pd.DataFrame({"text": [f"text {row}" for row in range(40)]})
    table[["is_joy", "is_fear"]] = truth.astype(int)
    table["planted_good"] = truth[:, 0] & ~truth[:, 1]
    own = Answer("mood", "mood", "all", 3, ["joy", "fear"], scores, scores > 0.6)
    other = Answer("mood", "view", "all", 3, ["bad", "good"], scores, scores > 0.6)
    return truth, scores, {"mood": table}, own, other


def test_two_tasks_of_one_kind_have_no_planted_sentiment():
    """Labels that go with themselves say nothing of good and bad."""
    columns = ["texts", "task", "epochs", "measure", "of", "with", "r", "low", "high", "planted"]
    rows = [
        ("small", "large", 3, "score", "joy", "joy", 0.9, 0.8, 1.0, 1.0),
        ("small", "large", 3, "score", "joy", "anger", -0.3, -0.4, -0.2, -0.3),
        ("view", "taste", 3, "score", "good", "good", 0.9, 0.8, 1.0, 1.0),
    ]
    assert planted_signs(pd.DataFrame(rows, columns=columns)) == []
    [found] = planted_signs(pd.DataFrame([(*rows[0][:5], "good", *rows[0][6:])], columns=columns))
    assert (found.good, found.right) == (["joy"], 1)


def test_own_labels_are_held_against_themselves_and_others_against_all(answered):
    truth, scores, texts, own, other = answered
    rows = correlate(own, texts, TASKS, DRAWN).set_index(["measure", "of", "with"])
    assert list(rows.loc["score"].index) == [("joy", "joy"), ("fear", "fear")]
    assert rows.loc[("score", "fear", "fear"), "r"] == pytest.approx(pearsonr(truth[:, 1], scores[:, 1]).statistic)
    said = scores[:, 1] > 0.6
    assert rows.loc[("prediction", "fear", "fear"), "r"] == pytest.approx(pearsonr(truth[:, 1], said).statistic)
    assert rows["planted"].isna().all()
    rows = correlate(other, texts, TASKS, DRAWN).set_index(["measure", "of", "with"])
    assert list(rows.loc["score"].index) == [("joy", "good"), ("fear", "good")], "of two classes the second speaks"
    assert rows.loc[("score", "joy", "good"), "r"] == pytest.approx(pearsonr(truth[:, 0], scores[:, 1]).statistic)
    good = truth[:, 0] & ~truth[:, 1]
    assert rows.loc[("score", "joy", "good"), "planted"] == pytest.approx(pearsonr(truth[:, 0], good).statistic)


def test_p_values_are_of_texts_and_not_of_rows(answered):
    truth, scores, texts, own, _ = answered
    copies = np.repeat(np.arange(40), 3)
    often = own._replace(score=own.score[copies], predicted=own.predicted[copies])
    once, more = (
        correlate(answer, {"mood": texts["mood"].iloc[rows]}, TASKS, DRAWN)
        for answer, rows in ((own, np.arange(40)), (often, copies))
    )
    assert once["p"][0] == pytest.approx(pearsonr(truth[:, 0], scores[:, 0]).pvalue)
    numbers = ["r", "low", "high", "p", "n"]
    np.testing.assert_allclose(more[numbers], once[numbers])


def table_of(rows: list[tuple], **columns: object) -> pd.DataFrame:
    names = ["texts", "task", "epochs", "measure", "of", "with", "r", "low", "high", "planted"]
    return pd.DataFrame(rows, columns=names).assign(**columns)


CROSSED = table_of([
    ("mood", "view", 10, "score", "fear", "good", -0.5, -0.7, -0.3, -0.6),
    ("mood", "view", 10, "score", "joy", "good", 0.4, 0.2, 0.6, 0.6),
    ("mood", "view", 10, "score", "love", "good", 0.1, -0.1, 0.3, 0.3),
    ("mood", "view", 10, "score", "anger", "good", 0.3, 0.1, 0.5, -0.3),
    ("mood", "view", 10, "score", "surprise", "good", 0.9, 0.8, 1.0, 0.05),
    ("mood", "view", 10, "prediction", "joy", "good", -0.9, -1.0, -0.8, 0.6),
    ("mood", "view", 3, "score", "joy", "good", -0.9, -1.0, -0.8, 0.6),
    ("view", "mood", 10, "score", "good", "joy", 0.4, 0.2, 0.6, 0.6),
    ("view", "mood", 10, "score", "good", "fear", -0.4, -0.6, -0.2, -0.6),
])  # fmt: skip


def test_signs_are_found_only_if_the_whole_interval_has_them():
    moods, views = planted_signs(CROSSED)
    assert (moods.texts, moods.task) == ("mood", "view")
    assert (moods.good, moods.bad) == (["joy", "love"], ["fear", "anger"]), "surprise is planted too weakly"
    assert (moods.right, moods.planted) == (2, 4)
    assert (views.good, views.bad, views.right) == (["joy"], ["fear"], 2), "the prompts' labels, where one class speaks"
    assert planted_signs(CROSSED.assign(planted=np.nan)) == []


def test_crossed_correlations_are_those_of_the_longest_training_strongest_first():
    found = crossed(CROSSED, "mood", "view")
    scores = found[found["measure"] == "score"]
    assert scores["with"].eq("good").all() and scores["of"].tolist() == ["surprise", "joy", "anger", "love", "fear"]
    assert (found["epochs"] == 10).all()
    joy = found[found["of"] == "joy"]
    assert joy["measure"].tolist() == ["score", "prediction"], "its prediction, however weak, stands beside its score"


def test_own_labels_are_those_of_tasks_with_several():
    rows = [(task, task, epochs, "score", "x", "x", 0.5, 0.4, 0.6, np.nan) for task in TASKS for epochs in (3, 10)]
    found = of_own_labels(pd.concat([table_of(rows), CROSSED]), list(TASKS.values()))
    assert found[["texts", "task", "epochs"]].to_numpy().tolist() == [["mood", "mood", 10]]
