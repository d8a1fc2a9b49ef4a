"""Least-squares slopes and their intervals."""

import numpy as np
import pytest
from scipy.stats import linregress, t

from emoscope.statistics.slopes import slopes


def test_one_slope_is_that_of_y_on_x_and_not_of_x_on_y():
    x, y = np.array([0.0, 1, 2, 3, 4]), np.array([0.3, 1.4, 4.9, 5.2, 9.1])
    found, (low, high) = slopes(x[:, None], y, alpha=0.1)
    known = linregress(x, y)
    half = t.isf(0.05, 3) * known.stderr
    np.testing.assert_allclose([found[0], low[0], high[0]], [known.slope, known.slope - half, known.slope + half])
    assert found[0] > 1.5


def test_two_slopes_are_told_apart_by_a_balanced_design():
    x = np.array([(one, other) for one in (0, 0.2, 0.8) for other in (0, 0.2, 0.8)])
    noise = np.random.default_rng(0).normal(0, 0.05, 9)
    found, (low, high) = slopes(x, 0.3 + 2 * x[:, 0] - x[:, 1] + noise)
    assert found == pytest.approx([2, -1], abs=0.1)
    assert (low < [2, -1]).all() and (high > [2, -1]).all() and (high - low < 0.5).all()


def test_intervals_cover_the_true_slope_as_often_as_they_say():
    rng = np.random.default_rng(1)
    x = np.array([(one, other) for one in (0, 0.2, 0.8) for other in (0, 0.2, 0.8)])
    covered = []
    for _ in range(2_000):
        _, (low, high) = slopes(x, x[:, 0] + rng.normal(0, 0.1, 9))
        covered.append([low[0] <= 1 <= high[0], low[1] <= 0 <= high[1]])
    assert np.mean(covered, axis=0) == pytest.approx(0.95, abs=0.016)


@pytest.mark.parametrize("x", [[[0, 0], [1, 1], [2, 2], [3, 3]], [[0], [1]], [[1], [1], [1]]])
def test_what_cannot_be_told_is_nan(x):
    found, interval = slopes(np.array(x), np.arange(len(x)))
    assert np.isnan([found, *interval]).all()
    assert found.shape == interval.low.shape == interval.high.shape == (len(x[0]),)
