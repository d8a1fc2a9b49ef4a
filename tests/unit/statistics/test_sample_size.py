"""How many texts a verdict needs."""

from bisect import bisect_left

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from emoscope.statistics.bounded import SHARE, bounded_test
from emoscope.statistics.sample_size import clusters_for_rate, texts_for_mean, texts_for_no_change, texts_for_rate


@given(st.floats(0, 1), st.floats(0.005, 0.3))
def test_texts_needed_grow_as_a_rate_nears_the_margin(value, target):
    assume(abs(value - target) > 1e-3)
    needed = texts_for_rate(value, target)
    assert needed > 0
    assert texts_for_rate((value + target) / 2, target) >= needed
    if value < target:
        assert binom.cdf(0, needed, target) <= 0.05, "so many texts without a single event settle it"


def test_texts_needed_for_a_rate_are_fleiss_levin_and_paiks():
    """((1.645 sqrt(0.1 x 0.9) + 0.8416 sqrt(0.2 x 0.8)) / 0.1)^2 = 68.9, and so on, by hand."""
    assert texts_for_rate(0.2, 0.1) == 69
    assert texts_for_rate(0.05, 0.1) == 184
    assert texts_for_rate(0.05, 0.1, alpha=0.01) == 311
    assert texts_for_rate(0, 0.02) == 149, "0.98^149 < 0.05 < 0.98^148"
    assert texts_for_rate(0, 0.02, alpha=0.01) == 228, "0.98^228 < 0.01 < 0.98^227"
    assert texts_for_rate(1, 0.02) == 1, "above the target one text may do"
    assert np.isinf(texts_for_rate(0.1, 0.1))


def test_texts_needed_for_a_mean_follow_the_root_of_the_sample():
    assert texts_for_mean(0.0, 0.02, 0.04, 100) == pytest.approx(400)
    assert texts_for_mean(-0.06, 0.02, 0.04, 100) == pytest.approx(100)
    assert np.isinf(texts_for_mean(-0.02, 0.02, 0.04, 100))


@pytest.mark.parametrize(("margin", "alpha"), [(0.02, 0.05), (0.1, 0.05), (0.02, 0.1), (0.5, 0.05)])
def test_so_many_texts_without_a_change_show_that_there_is_none_and_one_less_does_not(margin, alpha):
    needed = texts_for_no_change(margin, alpha)
    enough, few = (bounded_test(np.zeros(n), np.arange(n), margin, alpha=alpha) for n in (needed, needed - 1))
    assert enough.p_within <= alpha < few.p_within
    assert needed >= np.log(alpha) / np.log1p(-margin), "no valid test can do with fewer"


@pytest.mark.parametrize(("value", "target"), [(0, 0.02), (0.005, 0.02), (0.1, 0.02), (0.3, 0.1)])
def test_so_many_clusters_tell_a_rate_from_the_margin_by_betting_four_times_in_five(value, target):
    needed, below = int(clusters_for_rate(value, target)), value < target

    def power(clusters: int) -> float:
        """Of clusters of one row; the fewest events that show it decide, or below the margin the most."""

        def shown(count: int) -> bool:
            tested = bounded_test(np.arange(clusters) < count, np.arange(clusters), target, SHARE)
            return (tested.p_within if below else tested.p_beyond) <= 0.05

        decisive = bisect_left(range(clusters + 1), True, key=lambda count: shown(count) != below)
        return binom.cdf(decisive - 1, clusters, value) if below else binom.sf(decisive - 1, clusters, value)

    assert power(needed) >= 0.8 > power(int(0.9 * needed))
    assert needed > texts_for_rate(value, target), "betting asks for more than the binomial test"


def test_a_rate_on_the_margin_is_told_from_it_by_no_number_of_clusters():
    assert np.isinf(clusters_for_rate(0.02, 0.02))
