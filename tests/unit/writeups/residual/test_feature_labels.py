"""Which features go with a label: scikit-learn's and scipy's numbers, and only what was planted."""

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from emoscope.writeups.residual import feature_labels

STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}


def test_auc_and_p_agree_with_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    scores = np.round(rng.random((60, 4)), 1) * (rng.random((60, 4)) < 0.7)  # ties, many of them at zero
    labels = rng.integers(0, 3, 60)
    area, p = feature_labels.rank_auc(scores, labels[:, None] == np.arange(3))
    for column in range(4):
        for label in range(3):
            inside, outside = (scores[(labels == label) == kind, column] for kind in (True, False))
            assert area[column, label] == pytest.approx(roc_auc_score(labels == label, scores[:, column]))
            expected = mannwhitneyu(inside, outside, method="asymptotic", use_continuity=False).pvalue
            assert p[column, label] == pytest.approx(expected)
    assert np.isnan(feature_labels.rank_auc(np.zeros((60, 1)), labels[:, None] == np.arange(3))[1]).all()


def test_only_a_planted_direction_is_found_and_survives_the_other_half():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    scores = rng.random((400, 30))
    scores[:, 7] += labels
    found = feature_labels.label_associations(scores, labels, ["no", "yes"])
    assert set(found.loc[found["p_adjusted"] < 0.01, "feature"]) == {7}
    assert feature_labels.shuffled_labels(scores, labels, 0.05, 0)["found"].max() < 3
    chosen = feature_labels.chosen_directions({"feature": scores}, labels, ["no", "yes"], STATISTICS)
    best = chosen.set_index("label").loc["yes"]
    assert best["number"] == 7
    assert best["low"] <= best["auc"] <= best["high"]
    assert best["auc"] > 0.9


def test_text_scores_take_the_largest_of_a_texts_tokens():
    values = torch.tensor([[0.0, 2.0], [1.0, -3.0], [-1.0, -5.0]])
    found = feature_labels.text_scores(values, np.array([0, 0, 2]), 3)
    np.testing.assert_array_equal(found, [[1, 2], [0, 0], [0, 0]])
