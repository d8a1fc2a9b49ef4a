"""Summaries of prompts: the numbers are scikit-learn's and scipy's, and what was put in is found."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr
from sklearn.metrics import classification_report

from emoscope.writeups.prompting.summarise import report_values, weighted_correlations

CLASSES = ["anger", "joy", "trust"]
AVERAGES = ["micro avg", "macro avg", "weighted avg", "samples avg"]

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


def test_correlations_are_scipys_and_nan_without_spread():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 3))
    y[:, 2] = 1
    found = weighted_correlations(x, y, np.ones(30))
    assert found[1, 0] == pytest.approx(pearsonr(x[:, 1], y[:, 0]).statistic)
    assert np.isnan(found[:, 2]).all()


def test_findings_hold_every_number_with_its_interval(summary):
    found = pd.read_csv(summary["findings"]).set_index("name")
    assert not found.index.duplicated().any()
    for name in ("view.2.accuracy", "mood.2.f1.micro_avg", "mood.2.pearson.prediction.joy",
                 "mood.by_view.2.pearson.score.joy.good", "view.by_mood.2.pearson.score.good.fear"):  # fmt: skip
        row = found.loc[name]
        assert row["low"] <= row["value"] <= row["high"], name
        assert row["high"] - row["low"] < 0.6, name
    assert found.loc["view.by_mood.2.pearson.score.good.joy", "low"] > 0
    assert found.loc["view.by_mood.2.pearson.score.good.fear", "high"] < 0
    assert found.loc["mood.joy_alone.2.pearson.difference", "high"] < 0  # its own prompt has less noise
    assert found.loc["composite_head.moved", "value"] == pytest.approx(1e-6)
    assert found.loc["implicit_positions.flipped", "value"] == 1
