"""How many texts a verdict needs."""

from bisect import bisect_left

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from emoscope.statistics.bounded import SHARE, bounded_test
from emoscope.statistics.sample_size import clusters_for_rate, texts_for_mean, texts_for_no_change, texts_for_rate


@given(st.floats(0, 1), st.floats(0.005, 0.3))
def test_texts_needed_grow_as_a_rate_nears_the_margin(value, target):
    assume(abs(value - target) > 0.01)
    needed = texts_for_rate(value, target)
    assert needed > 0
    assert texts_for_rate((value + target) / 2, target) >= needed
    if value < target:
        assert binom.cdf(0, needed, target) <= 0.05, "so many texts without a single event settle it"


@pytest.mark.parametrize(
    ("rate", "target", "alpha"),
    [(0.2, 0.1, 0.05), (0.05, 0.1, 0.01), (0.3, 0.02, 0.025), (0.9, 0.5, 0.05), (0, 0.1, 0.05)],
)
def test_from_so_many_texts_on_the_exact_test_finds_a_rate_four_times_in_five(rate, target, alpha):
    def power(texts: int) -> float:
        """How likely a number of events is that the exact test finds significant."""
        side = "less" if rate < target else "greater"
        significant = [k for k in range(texts + 1) if binomtest(k, texts, target, side).pvalue <= alpha]
        return binom.pmf(significant, texts, rate).sum()

    needed = int(texts_for_rate(rate, target, alpha))
    assert min(power(texts) for texts in range(needed, needed + 40)) >= 0.8 > (power(needed - 1) if needed > 1 else 0)


def test_texts_needed_for_a_rate_are_no_fewer_than_by_the_normal_curve_and_not_many_more():
    """((1.645 sqrt(0.1 x 0.9) + 0.8416 sqrt(0.2 x 0.8)) / 0.1)^2 = 68.9, and so on, by hand: Fleiss, Levin & Paik
    (2003), section 2.5."""
    for by_curve, exact in ((69, texts_for_rate(0.2, 0.1)), (184, texts_for_rate(0.05, 0.1))):
        assert by_curve <= exact < 1.3 * by_curve
    assert texts_for_rate(0, 0.02) == 149, "0.98^149 < 0.05 < 0.98^148"
    assert texts_for_rate(0, 0.02, alpha=0.01) == 228, "0.98^228 < 0.01 < 0.98^227"
    assert texts_for_rate(1, 0.02) == 1, "above the target one text may do"
    assert np.isinf(texts_for_rate(0.1, 0.1)) and np.isinf(texts_for_rate(0.1001, 0.1)), "more than MOST"


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
