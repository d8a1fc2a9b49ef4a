"""Average precision is scikit-learn's, under any row weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from emoscope.statistics.average_precision import average_precision


def test_by_hand():
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
def test_as_scikit_learn_has_it(positive, score, weights):
    found = average_precision(positive, score)(weights.astype(float))
    if not (positive & (weights > 0)).any():
        assert np.isnan(found)
    else:
        drawn = np.repeat(np.arange(15), weights)
        assert found == pytest.approx(average_precision_score(positive[drawn], score[drawn]))
