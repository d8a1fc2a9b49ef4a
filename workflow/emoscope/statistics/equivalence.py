"""Verdicts on "no effect": equivalence tests, and the smallest effect that a sample would have shown."""

import numpy as np
from scipy import stats

from emoscope.statistics.bounded import SHARE, bounded_test
from emoscope.statistics.clusters import POWER, Interval, MeanTest, Numbers, clustered
from emoscope.statistics.rates import minimum_detectable_rate, rate_interval


def minimum_detectable_mean(sd: Numbers, n: int, alpha: float = 0.05) -> Numbers:
    """Smallest mean that a two-sided t test on n independent clusters of spread sd finds with POWER; NaN if n < 2.

    With repeated texts, sd is the clustered standard error times sqrt(n). For n below some hundreds it is the least a
    test could ask for: one that allows for what is rare, such as `bounded_test`, needs more.
    """
    if n < 2:
        return np.full(np.shape(sd), np.nan)[()]
    from statsmodels.stats.power import TTestPower  # a second, which only the claims have to wait

    return np.asarray(sd) * float(TTestPower().solve_power(nobs=n, alpha=alpha, power=POWER))


def detectable_from_interval(
    low: Numbers, high: Numbers, alpha: float = 0.05, power: float = POWER, tests: Numbers = 1
) -> Numbers:
    """Smallest difference from a fixed number that shows with this power, where only a symmetric interval is known; at
    alpha over `tests`, elementwise, if it is one of a family of so many: even if all others are nil."""
    z, more = stats.norm.ppf([1 - alpha / 2, power])
    return ((high - low) / 2 * (stats.norm.isf(alpha / 2 / tests) + more) / z)[()]


def interval_test(
    value: float, low: float, high: float, margin: float, alpha: float = 0.05
) -> tuple[float, float, float]:
    """p that a value is as far from zero as the margin or further, p that it is not, and the smallest distance from a
    fixed number that would show with POWER.

    All that is known is an interval at 1 - alpha, from which normal standard errors follow: one below the value and one
    above, as the interval of a rare event is lopsided. Without an interval (NaN) the value counts as exact; one that is
    the margin is neither within nor beyond. All are NaN if the value is, or one end of the interval.
    """
    if np.isnan(value) or np.isnan(low) != np.isnan(high):
        return np.nan, np.nan, np.nan
    z, more = stats.norm.ppf([1 - alpha / 2, POWER])
    below, above = (0.0, 0.0) if np.isnan(low) else ((value - low) / z, (high - value) / z)
    within = max(_p(margin - value, above), _p(margin + value, below))
    beyond = min(1.0, 2 * min(_p(value - margin, below), _p(-value - margin, above)))
    return within, beyond, max(below, above) * (z + more)


def excess_test(
    value: float, low: float, high: float, margin: float, alpha: float = 0.05
) -> tuple[float, float, float]:
    """p that a value is no smaller than the margin, p that it is no larger, and what would show, as `interval_test`.

    Both p are two-sided, as the interval is: at most alpha where the whole of it lies below the margin, or above, which
    is what `excess_verdict` goes by. All are NaN without an interval.
    """
    z = stats.norm.isf(alpha / 2)
    below, above = (value - low) / z, (high - value) / z
    within = float(np.minimum(1, 2 * _p(margin - value, above)))
    beyond = float(np.minimum(1, 2 * _p(value - margin, below)))
    return within, beyond, float(max(below, above) * (z + stats.norm.ppf(POWER)))


def _p(gap: float, error: float) -> float:
    """One-sided p of a gap above zero, by its normal standard error; 0 or 1 without one, where the gap is exact."""
    return float(stats.norm.sf(gap / error)) if error else float(gap <= 0)


def equivalence_verdict(p_equivalence: Numbers, p_difference: Numbers, alpha: float = 0.05) -> str | np.ndarray:
    """Judge "it is nil", elementwise: equivalent (inside the margin of p_equivalence, even if not exactly zero),
    different (not shown to be inside, and not zero), or underpowered (neither: the sample cannot tell).

    Pass p_difference adjusted over its family. p_equivalence is not, as a claim that all of a family are nil needs each
    to pass on its own.
    """
    conditions = [np.asarray(p_equivalence) <= alpha, np.asarray(p_difference) <= alpha]
    return np.select(conditions, ["equivalent", "different"], "underpowered")[()]


def rate_test(events: np.ndarray, clusters: np.ndarray, margin: float, alpha: float = 0.05) -> MeanTest:
    """A rate of boolean events (n,), judged against a margin in (0, 1), else ValueError: by exact binomial tests where
    every row is a cluster, else by `bounded_test`. `p_difference` is NaN: one event shows that a rate is not zero.
    `detectable` is the smallest rate that would be shown to exceed the margin four times in five."""
    if not 0 < margin < 1:
        raise ValueError(f"margin must lie between 0 and 1, got {margin}")
    rows, independent = len(events), len(clustered(events, clusters).sizes)
    if rows == independent:
        count = int(np.sum(events))
        within, beyond = (stats.binomtest(count, rows, margin, side).pvalue for side in ("less", "greater"))
        detectable = minimum_detectable_rate(rows, margin, alpha)
        low, high = rate_interval(events, clusters, alpha)
        return MeanTest(count / rows, low, high, np.nan, within, beyond, detectable, detectable, rows)
    tested = bounded_test(np.asarray(events), clusters, margin, SHARE, alpha)
    detectable = margin + tested.detectable
    return tested._replace(p_difference=np.nan, detectable=detectable, detectable_in_family=detectable)


def largest(value: np.ndarray, low: np.ndarray, high: np.ndarray, alpha: float = 0.05) -> tuple[int, Interval]:
    """Which of several effects (n,) with intervals is furthest from zero, and its bounds: it was chosen for its size,
    so its own interval is too narrow.

    They reach from what one of the effects is shown to be, with Bonferroni's correction for all, to the far end of all
    their intervals, on the side of zero on which the largest lies.
    """
    place = int(np.nanargmax(np.abs(value)))
    wider = stats.norm.isf(alpha / 2 / len(value)) / stats.norm.isf(alpha / 2)
    reached = np.where(value >= 0, value + wider * (low - value), -(value + wider * (high - value)))
    near, far = float(reached.max()), float(np.maximum(np.abs(low), np.abs(high)).max())
    return place, Interval(near, far) if value[place] >= 0 else Interval(-far, -near)
