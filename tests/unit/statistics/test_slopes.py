"""Least-squares slopes and their intervals; the p of a correlation."""

import numpy as np
import pytest
from scipy.stats import linregress, pearsonr, t

from emoscope.statistics.slopes import correlation_p, slopes, slopes_over_groups


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


LATIN = np.array([(j - i) % 3 for i in range(3) for j in range(3)])  # every seed has every size of either column
SIZES = np.array([(one, other) for one in (0, 0.2, 0.8) for other in (0, 0.2, 0.8)])


@pytest.mark.parametrize("spread", [0, 0.2])
def test_groups_with_slopes_of_their_own_are_covered_as_often_as_is_said(spread):
    rng = np.random.default_rng(2)
    covered, by_runs = [], []
    for _ in range(1_000):
        rates = 1 + rng.normal(0, spread, 3)
        y = rates[LATIN] * SIZES[:, 0] + rng.normal(0, 0.02, 9)
        for found, function in ((covered, slopes_over_groups), (by_runs, slopes)):
            groups = (LATIN,) if found is covered else ()
            _, (low, high) = function(SIZES, y, *groups)
            found.append([low[0] <= 1 <= high[0], low[1] <= 0 <= high[1]])
    assert (np.mean(covered, axis=0) > 0.95 - 0.015).all()
    assert (np.mean(by_runs, axis=0) < 0.9).any() == (spread > 0)


def test_of_one_column_groups_are_judged_by_their_own_slopes():
    x, rates = np.tile([0.0, 0.2, 0.8], 3)[:, None], np.repeat([0.7, 1.0, 1.3], 3)
    found, (low, high) = slopes_over_groups(x, rates * x[:, 0], np.repeat([0, 1, 2], 3))
    half = t.isf(0.025, 2) * 0.3 / np.sqrt(3)
    np.testing.assert_allclose([found[0], low[0], high[0]], [1, 1 - half, 1 + half])


def test_one_group_is_judged_by_its_runs_and_each_run_may_be_a_group():
    y = SIZES[:, 0] + np.random.default_rng(3).normal(0, 0.1, 9)
    one, runs = slopes_over_groups(SIZES, y, np.zeros(9)), slopes(SIZES, y)
    np.testing.assert_array_equal([one[0], *one[1]], [runs[0], *runs[1]])
    found, (low, high) = slopes_over_groups(SIZES, y, np.arange(9))
    assert (high - low >= runs[1].high - runs[1].low).all() and (found == runs[0]).all()


def test_without_a_group_that_tells_the_columns_apart_there_is_no_interval():
    x = np.array([(0, 0), (1, 1), (2, 2), (0, 1), (1, 0)])
    found, interval = slopes_over_groups(x, np.arange(5), np.array([1, 1, 2, 3, 3]))
    assert np.isnan([interval.low, interval.high]).all() and not np.isnan(found).any()


@pytest.mark.parametrize("x", [[[0, 0], [1, 1], [2, 2], [3, 3]], [[0], [1]], [[1], [1], [1]]])
def test_what_cannot_be_told_is_nan(x):
    found, interval = slopes(np.array(x), np.arange(len(x)))
    assert np.isnan([found, *interval]).all()
    assert found.shape == interval.low.shape == interval.high.shape == (len(x[0]),)


def test_the_p_of_a_correlation_is_scipys_where_rows_are_independent():
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    for other in (y, x + y, -x - y, y > 0):
        assert correlation_p(x, other, np.arange(30)) == pytest.approx(pearsonr(x, other).pvalue)


def test_a_table_written_several_times_says_no_more_of_a_correlation():
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    copies = np.repeat(np.arange(30), 4)
    once = pearsonr(x, x + y).pvalue
    assert correlation_p(x[copies], (x + y)[copies], copies) == pytest.approx(once)
    assert pearsonr(x[copies], (x + y)[copies]).pvalue < 0.01 * once


@pytest.mark.parametrize(("shared", "enough"), [(True, 0.15), (False, 0)])
def test_the_p_of_a_correlation_holds_its_level_in_clusters(shared, enough):
    """Clusters of 1 to 9 rows, in which one side is alike, and the other too if `shared`; then rows alone mislead."""
    rng, wrong, naive = np.random.default_rng(0), 0, 0
    ids = np.repeat(np.arange(60), rng.integers(1, 10, 60))
    for _ in range(400):
        x, y = (rng.normal(size=60)[ids] + rng.normal(size=len(ids)) * 0.3 for _ in range(2))
        y = y if shared else rng.permutation(y)  # then its rows are as alike as any
        wrong += correlation_p(x, y, ids) <= 0.05
        naive += pearsonr(x, y).pvalue <= 0.05
    assert 0.01 * 400 <= wrong <= 0.08 * 400 and naive >= enough * 400


def test_what_cannot_be_tested_has_no_p():
    x, y = np.random.default_rng(0).normal(size=(2, 40))
    assert np.isnan(correlation_p(x, np.ones(40), np.arange(40)))
    assert np.isnan(correlation_p(x, y, np.arange(40) % 7)) and not np.isnan(correlation_p(x, y, np.arange(40) % 8))
