import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats as scipy_stats

from emoscope.statistics import distances


def distributions(rows: int = 5):
    weights = arrays(np.float64, (rows, 6), elements=st.sampled_from([0.0, 1e-12, 1e-3, 0.2, 1.0, 7.0]))
    return weights.map(lambda w: w + np.eye(rows, 6)).map(lambda w: w / w.sum(axis=1, keepdims=True))


@given(distributions(), distributions())
@settings(deadline=None)
def test_distances_between_predictions(p, q):
    js, tv = distances.jensen_shannon(p, q), distances.total_variation(p, q)
    assert js.shape == tv.shape == (5,)
    assert (js >= 0).all() and (js <= tv + 1e-12).all() and (tv <= 1 + 1e-12).all()  # Lin (1991), theorem 3
    np.testing.assert_allclose(js, distances.jensen_shannon(q, p), atol=1e-15)
    np.testing.assert_array_equal(distances.jensen_shannon(p, p), 0)
    mixed, own, other = (scipy_stats.entropy(rows, axis=1, base=2) for rows in ((p + q) / 2, p, q))
    np.testing.assert_allclose(js, mixed - (own + other) / 2, atol=1e-12)


def test_distances_at_the_extremes():
    some, other = np.array([[0.5, 0.5, 0], [0, 0, 1]]), np.array([[0.2, 0.3, 0.5], [0, 0, 1]])
    np.testing.assert_allclose(distances.total_variation(some, other), [0.5, 0])
    sadness, joy = np.eye(6)[:1], np.eye(6)[1:2]
    assert distances.jensen_shannon(1.0005 * sadness, 1.0005 * joy) == [1]  # sums are known to a thousandth
    assert distances.jensen_shannon(sadness, joy) == distances.total_variation(sadness, joy) == [1]
    nearly = np.random.default_rng(0).dirichlet(np.ones(6), size=1000)
    assert (distances.jensen_shannon(nearly, nearly + 1e-12) >= 0).all()  # never NaN
    assert distances.jensen_shannon(np.zeros((0, 6)), np.zeros((0, 6))).shape == (0,)


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        (np.eye(6), np.eye(5), "shape"),
        (np.eye(6)[0], np.eye(6)[0], "shape"),
        (2 * np.eye(6), np.eye(6), "distribution"),
        (np.full((1, 6), np.nan), np.eye(6)[:1], "distribution"),
    ],
)
def test_rows_that_are_not_probabilities_are_refused(p, q, message):
    for distance in (distances.jensen_shannon, distances.total_variation):
        with pytest.raises(ValueError, match=message):
            distance(p, q)
