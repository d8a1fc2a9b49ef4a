"""Verdicts on "no effect": equivalence tests, and the smallest effect that a sample would have shown."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from emoscope.statistics.bounded import SHARE, bounded_test
from emoscope.statistics.clusters import POWER, Interval, MeanTest, Numbers, clustered
from emoscope.statistics.rates import minimum_detectable_rate, rate_interval


class Verdict(NamedTuple):
    """equivalent, different or underpowered, and the numbers behind it: `detectable` is the smallest rate that a sample
    of this size would have shown to exceed the margin four times in five."""

    verdict: str | np.ndarray
    value: Numbers
    margin: float
    p_equivalence: Numbers
    p_difference: Numbers
    detectable: Numbers
    n: int


def minimum_detectable_mean(sd: Numbers, n: int, alpha: float = 0.05) -> Numbers:
    """Smallest mean that a two-sided t test on n independent clusters of spread sd finds with POWER; NaN if n < 2.

    With repeated texts, sd is the clustered standard error times sqrt(n). For n below some hundreds it is the least a
    test could ask for: one that allows for what is rare, such as `bounded_test`, needs more.
    """
    if n < 2:
        return np.full(np.shape(sd), np.nan)[()]
    from statsmodels.stats.power import TTestPower  # a second, which only the claims have to wait

    return np.asarray(sd) * float(TTestPower().solve_power(nobs=n, alpha=alpha, power=POWER))


def detectable_from_interval(low: float, high: float, alpha: float = 0.05, power: float = POWER) -> float:
    """Smallest difference from a fixed number that shows with this power, where only a symmetric interval is known."""
    z, more = stats.norm.ppf([1 - alpha / 2, power])
    return float((high - low) / 2 * (z + more) / z)


def interval_test(
    value: float, low: float, high: float, margin: float, alpha: float = 0.05
) -> tuple[float, float, float]:
    """p that a value is as far from zero as the margin or further, p that it is not, and the larger standard error.

    All that is known is an interval at 1 - alpha, from which normal standard errors follow: one below the value and one
    above, as the interval of a rare event is lopsided. Without an interval (NaN) the value counts as exact; one that is
    the margin is neither within nor beyond. All are NaN if the value is, or one end of the interval.
    """
    if np.isnan(value) or np.isnan(low) != np.isnan(high):
        return np.nan, np.nan, np.nan
    z = stats.norm.ppf(1 - alpha / 2)
    below, above = (0.0, 0.0) if np.isnan(low) else ((value - low) / z, (high - value) / z)

    def p(gap: float, error: float) -> float:
        return float(stats.norm.sf(gap / error)) if error else float(gap <= 0)

    within = max(p(margin - value, above), p(margin + value, below))
    beyond = min(1.0, 2 * min(p(value - margin, below), p(-value - margin, above)))
    return within, beyond, max(below, above)


def equivalence_verdict(p_equivalence: Numbers, p_difference: Numbers, alpha: float = 0.05) -> str | np.ndarray:
    """Judge "it is nil", elementwise: equivalent (inside the margin of p_equivalence, even if not exactly zero),
    different (not shown to be inside, and not zero), or underpowered (neither: the sample cannot tell).

    Pass p_difference adjusted over its family. p_equivalence is not, as a claim that all of a family are nil needs each
    to pass on its own.
    """
    conditions = [np.asarray(p_equivalence) <= alpha, np.asarray(p_difference) <= alpha]
    return np.select(conditions, ["equivalent", "different"], "underpowered")[()]


def rate_test(events: np.ndarray, clusters: np.ndarray, margin: float, alpha: float = 0.05) -> MeanTest:
    """A rate of boolean events (n,), judged against zero and a margin in (0, 1): exactly where every row is a cluster,
    else by `bounded_test`. `p_difference` is NaN: one event shows that a rate is not zero. `detectable` is the smallest
    rate that would be shown to exceed the margin."""
    data = clustered(events, clusters)
    rows, independent = len(events), len(data.sizes)
    if rows == independent:
        count = int(np.sum(events))
        tested = rate_equivalence_verdict(count, rows, margin, alpha)
        low, high = rate_interval(events, clusters, alpha)
        within, beyond, detectable = tested.p_equivalence, tested.p_difference, tested.detectable
        return MeanTest(tested.value, low, high, np.nan, within, beyond, detectable, rows)
    tested = bounded_test(np.asarray(events), clusters, margin, SHARE, alpha)
    return tested._replace(p_difference=np.nan, detectable=margin + tested.detectable)


def rate_equivalence_verdict(count: int, n: int, margin: float, alpha: float = 0.05) -> Verdict:
    """Judge "the rate is nil" by exact binomial tests: equivalent (below margin), different (above it) or underpowered.

    n = 0 is underpowered with NaN numbers.
    """
    if not 0 < margin < 1 or not 0 <= count <= n:
        raise ValueError(f"need 0 < margin < 1 and 0 <= count <= n, got margin {margin}, count {count}, n {n}")
    if n == 0:
        return Verdict("underpowered", np.nan, margin, np.nan, np.nan, np.nan, 0)
    below, above = (stats.binomtest(count, n, margin, alternative=side).pvalue for side in ("less", "greater"))
    detectable = minimum_detectable_rate(n, margin, alpha)
    return Verdict(str(equivalence_verdict(below, above, alpha)), count / n, margin, below, above, detectable, n)


def largest_interval(value: np.ndarray, low: np.ndarray, high: np.ndarray, alpha: float = 0.05) -> Interval:
    """How large the largest of many effects is: it was chosen for its size, so its own interval is too narrow.

    Of the largest distance from zero of several values (n,) with intervals: from what one of them is shown to reach,
    with Bonferroni's correction for all, to the far end of all their intervals.
    """
    wider = stats.norm.isf(alpha / 2 / len(value)) / stats.norm.isf(alpha / 2)
    reached = np.where(value >= 0, value + wider * (low - value), -(value + wider * (high - value)))
    return Interval(float(reached.max()), float(np.maximum(np.abs(low), np.abs(high)).max()))
