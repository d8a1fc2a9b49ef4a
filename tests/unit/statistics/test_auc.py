"""Areas under the ROC curve are scikit-learn's, and their p scipy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from emoscope.statistics.auc import one_vs_rest_auc, rank_auc


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30))
def test_the_weighted_area_is_scikit_learns(rows):
    positive, score, weights = (np.array(column) for column in zip(*rows, strict=True))
    found = one_vs_rest_auc(positive, score.astype(float))(weights.astype(float))
    drawn = positive[weights > 0]
    if drawn.all() or not drawn.any():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score(positive, score, sample_weight=weights))


def test_auc_and_p_agree_with_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    scores = np.round(rng.random((60, 4)), 1) * (rng.random((60, 4)) < 0.7)  # ties, many of them at zero
    labels = rng.integers(0, 3, 60)
    area, p = rank_auc(scores, labels[:, None] == np.arange(3))
    for column in range(4):
        for label in range(3):
            inside, outside = (scores[(labels == label) == kind, column] for kind in (True, False))
            assert area[column, label] == pytest.approx(roc_auc_score(labels == label, scores[:, column]))
            expected = mannwhitneyu(inside, outside, method="asymptotic", use_continuity=False).pvalue
            assert p[column, label] == pytest.approx(expected)
    assert np.isnan(rank_auc(np.zeros((60, 1)), labels[:, None] == np.arange(3))[1]).all()
