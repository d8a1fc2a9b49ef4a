"""Areas under curves are scikit-learn's, under any row weights, and their p scipy's."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import mannwhitneyu
from sklearn.metrics import average_precision_score, roc_auc_score

from emoscope.statistics.auc import average_precision, one_vs_rest_auc, rank_auc


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


def test_p_holds_its_level_however_few_texts_a_column_is_above_its_lowest_value_in():
    """All 1,820 groups of 4 among 16 texts; of column k, k texts are above zero."""
    groups = list(combinations(range(16), 4))
    members = np.zeros((16, len(groups)), bool)
    for number, group in enumerate(groups):
        members[list(group), number] = True
    scores = np.stack([np.maximum(np.arange(16) - 15 + above, 0) for above in range(1, 17)], axis=1)
    _, p = rank_auc(scores, members)
    for level in (0.001, 0.002, 0.005, 0.01):
        assert ((p <= level).mean(axis=1) <= level).all(), "the normal approximation: where half or more are above"
    for exact in p[:7]:
        assert all((exact <= level).mean() <= level + 1e-12 for level in exact)
    assert p[3].min() == pytest.approx(2 / 1820), "the four texts of the group, and no others: told apart"


def test_average_precision_by_hand():
    positive = np.array([True, False, True, False])
    assert average_precision(positive, np.array([0.9, 0.8, 0.7, 0.1]))(np.ones(4)) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(positive, np.array([0.1, 0.8, 0.7, 0.9]))(np.ones(4)) == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert np.isnan(average_precision(np.zeros(4, bool), np.arange(4.0))(np.ones(4)))
    assert np.isnan(average_precision(np.zeros(0, bool), np.zeros(0))(np.zeros(0)))


@given(
    arrays(bool, 15),
    arrays(float, 15, elements=st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])),
    arrays(np.int64, 15, elements=st.integers(0, 3)),
)
def test_average_precision_is_scikit_learns(positive, score, weights):
    found = average_precision(positive, score)(weights.astype(float))
    if not (positive & (weights > 0)).any():
        assert np.isnan(found)
    else:
        drawn = np.repeat(np.arange(15), weights)
        assert found == pytest.approx(average_precision_score(positive[drawn], score[drawn]))
