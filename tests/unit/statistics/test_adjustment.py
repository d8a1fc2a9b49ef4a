from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from emoscope.statistics import adjustment


@given(st.lists(st.floats(0, 1) | st.just(np.nan), max_size=40))
def test_adjustment_ignores_missing_tests(p):
    p = np.array(p)
    adjusted = adjustment.benjamini_hochberg(p)
    tested = ~np.isnan(p)
    assert (np.isnan(adjusted) == ~tested).all()
    if tested.any():
        np.testing.assert_allclose(adjusted[tested], scipy_stats.false_discovery_control(p[tested]), atol=1e-300)
        assert (adjusted[tested] >= p[tested]).all()


@patch("gc.collect")  # which theirs calls each time, and which walks through all that other tests have left
@given(st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.5, 1.0, 5e-324]), min_size=1, max_size=40))
def test_adjusted_values_are_those_of_statsmodels_to_the_bit(_, p):
    for ours, method in ((adjustment.benjamini_hochberg, "fdr_bh"), (adjustment.holm, "holm")):
        np.testing.assert_array_equal(ours(np.array(p)), multipletests(p, method=method)[1], strict=True)


def test_holm_lies_between_a_false_discovery_rate_and_bonferroni():
    p = np.array([0.01, np.nan, 0.04, 0.03])
    np.testing.assert_allclose(adjustment.benjamini_hochberg(p), [0.03, np.nan, 0.04, 0.04])
    np.testing.assert_allclose(adjustment.holm(p), [0.03, np.nan, 0.06, 0.06])


def test_a_family_keeps_its_shape():
    p = np.array([[0.01, 0.02, np.nan], [0.03, 0.04, 0.05]])
    np.testing.assert_allclose(adjustment.benjamini_hochberg(p), [[0.05, 0.05, np.nan], [0.05, 0.05, 0.05]])
    with pytest.raises(ValueError, match="0, 1"):
        adjustment.benjamini_hochberg(np.array([1.2]))


def test_tests_chosen_by_the_same_data_pay_for_the_choice():
    """300 heads without effect, of which the 15 are tested whose means are largest: in 5 % of samples, and hardly more,
    may one be called a discovery."""
    rng, found = np.random.default_rng(0), {1: [], 20: []}
    for _ in range(300):
        changes = rng.normal(size=(40, 300))
        largest = np.argsort(-np.abs(changes.mean(axis=0)))[:15]
        p = scipy_stats.ttest_1samp(changes[:, largest], 0).pvalue
        for chosen_from, discoveries in found.items():
            discoveries.append((adjustment.benjamini_hochberg(p, chosen_from) <= 0.05).any())
    assert np.mean(found[20]) <= 0.08 < 0.5 < np.mean(found[1])


def test_what_was_left_out_counts_with_a_p_of_one():
    p = np.array([0.001, 0.04, np.nan, 0.3])
    whole = adjustment.benjamini_hochberg(np.concatenate([p, np.ones(6)]))[:4]
    np.testing.assert_allclose(adjustment.benjamini_hochberg(p, 3), whole)
