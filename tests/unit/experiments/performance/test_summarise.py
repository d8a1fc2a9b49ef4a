"""Metrics agree with scikit-learn, and their intervals count texts, not rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

from emoscope.experiments.performance import summarise as evaluate
from emoscope.experiments.performance.summarise import accuracy_difference, bounded, metrics

CLASSES = ["sadness", "joy", "love"]

OPTIONS = {"alpha": 0.05, "resamples": 200, "seed": 0}


def predictions(rows: int, seed: int = 0, skill: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, rows)
    p = rng.dirichlet([1, 1, 1], rows).round(2)  # rounded, so that there are ties
    p[np.arange(rows), label] += skill
    p /= p.sum(axis=1, keepdims=True)
    columns = {f"p_{name}": p[:, number] for number, name in enumerate(CLASSES)}
    texts = [f"text {number}" for number in range(rows)]
    return pd.DataFrame(
        {"text": texts, "label": label, "pred": p.argmax(axis=1), "confidence": p.max(axis=1), **columns}
    )


def estimates(found: dict) -> dict[str, tuple]:
    """Every value that has an interval beside it."""
    nested = [found, *found["per_class"].values(), *found["calibration"]]
    return [(part[name], *part[f"{name}_interval"]) for part in nested for name in part if f"{name}_interval" in part]


@pytest.mark.parametrize("skill", [0.0, 0.3, 1.0])
def test_the_numbers_are_those_of_scikit_learn(skill):
    table = predictions(300, skill=skill)
    found, label, pred = metrics(table, CLASSES, **OPTIONS), table["label"], table["pred"]
    precision, recall, f1, rows = precision_recall_fscore_support(label, pred, labels=range(3), zero_division=np.nan)
    per_class = pd.DataFrame(found["per_class"])
    for name, expected in (("precision", precision), ("recall", recall), ("f1", f1), ("rows", rows)):
        np.testing.assert_allclose(per_class.loc[name].astype(float), expected)
    areas = [roc_auc_score(label == number, table[f"p_{name}"]) for number, name in enumerate(CLASSES)]
    np.testing.assert_allclose(per_class.loc["auc"].astype(float), areas)
    assert found["auc_ovr"] == pytest.approx(np.mean(areas))
    assert found["macro_f1"] == pytest.approx(np.mean(f1))
    assert found["confusion"] == confusion_matrix(label, pred).tolist()


def test_every_number_lies_within_its_interval():
    found = estimates(metrics(predictions(400, skill=0.4), CLASSES, **OPTIONS))
    assert len(found) > 16
    for value, low, high in found:
        assert low <= value <= high and low < high


def test_a_perfect_and_a_hopeless_classifier():
    table = predictions(300)
    perfect = metrics(table.assign(label=table["pred"]), CLASSES, **OPTIONS)
    assert perfect["accuracy"] == 1 and perfect["macro_f1"] == 1
    assert perfect["accuracy_interval"][0] < 1, "three hundred texts do not prove perfection"
    wrong = metrics(table.assign(label=(table["pred"] + 1) % 3), CLASSES, **OPTIONS)
    assert wrong["accuracy"] == 0 and wrong["accuracy_interval"][0] == 0
    assert sum(cell["rows"] for cell in wrong["calibration"]) == 300


def test_what_cannot_be_measured_is_open():
    absent = metrics(predictions(30).assign(label=0), CLASSES, **OPTIONS)
    assert np.isnan(absent["auc_ovr"]) and np.isnan(absent["per_class"]["joy"]["recall"])
    nothing = metrics(predictions(0), CLASSES, **OPTIONS)
    assert np.isnan(nothing["accuracy"]) and np.isnan(nothing["macro_f1_interval"]).all()


def test_repeating_every_row_tells_nothing_new():
    table = predictions(200, skill=0.3)
    once, thrice = (metrics(pd.concat([table] * n), CLASSES, **OPTIONS) for n in (1, 3))
    np.testing.assert_allclose(estimates(once), estimates(thrice))


def test_a_text_in_other_capitals_is_the_same_text():
    table = predictions(200, skill=0.3)
    other = table.assign(text=table["text"].str.upper() + " ")
    np.testing.assert_allclose(
        *(estimates(metrics(pd.concat(two), CLASSES, **OPTIONS)) for two in ([table, other], [table, table]))
    )
    found = (accuracy_difference(two, table, **OPTIONS)["accuracy_interval"] for two in (table, other))
    assert list(found) == [[0, 0]] * 2


def test_a_text_that_makes_up_half_of_the_rows_leaves_little_that_is_independent():
    """Half a thousand times the same text, beside as many distinct ones, is worth some ten texts, not five hundred."""
    table = predictions(500, skill=0.3)
    right = table.index[table["label"] == table["pred"]][0]
    found = metrics(pd.concat([table, *[table.loc[[right]]] * 500]), CLASSES, **OPTIONS)
    hits = (table["label"] == table["pred"]).sum() + 500
    assert found["accuracy"] == hits / 1000, "every row counts for the accuracy itself"
    low, high = found["accuracy_interval"]
    once = metrics(table, CLASSES, **OPTIONS)["accuracy_interval"]
    assert low < found["accuracy"] - 0.2 and high - low > 3 * (once[1] - once[0])
    of = found["per_class"][CLASSES[table.loc[right, "label"]]]
    assert 1 < of["trials"] < 2, "two thirds of its class' rows are that text"
    assert of["recall_interval"][1] - of["recall_interval"][0] > 0.3


def test_the_gap_between_equal_sets_is_nil_and_that_between_unequal_ones_is_found():
    good, bad = predictions(400, skill=1.0), predictions(400, seed=1, skill=0.0)
    same = accuracy_difference(good, good, **OPTIONS)
    assert same["accuracy"] == 0 and same["accuracy_interval"] == [0, 0], "the same texts are drawn for both"
    gap = accuracy_difference(good, bad.assign(text=lambda table: "other " + table["text"]), **OPTIONS)
    assert 0 < gap["accuracy_interval"][0] < gap["accuracy"] < gap["accuracy_interval"][1]


def test_large_sets_get_fewer_resamples_but_never_too_few():
    assert bounded(2000, 16_000) == 2000
    assert evaluate.FEWEST <= bounded(2000, 333_000) < 2000
    assert bounded(2000, 10**9) == evaluate.FEWEST
    assert bounded(100, 10**9) == 100
