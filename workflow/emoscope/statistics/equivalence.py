"""Verdicts on "no effect": equivalence tests, and the smallest effect that a sample would have shown."""

from typing import NamedTuple

import numpy as np
from scipy import stats
from statsmodels.stats.power import TTestPower

from emoscope.statistics.clusters import Numbers, clustered
from emoscope.statistics.rates import minimum_detectable_rate


class Equivalence(NamedTuple):
    p: Numbers
    equivalent: bool | np.ndarray


class Verdict(NamedTuple):
    """equivalent, different or underpowered, and the numbers behind it: `detectable` is the smallest effect that
    a sample of this size and spread would probably have shown."""

    verdict: str | np.ndarray
    value: Numbers
    margin: float
    p_equivalence: Numbers
    p_difference: Numbers
    detectable: Numbers
    n: int


def tost_mean(values: np.ndarray, clusters: np.ndarray, margin: float, alpha: float = 0.05) -> Equivalence:
    """Two one-sided t tests, Schuirmann (1987), that each mean lies inside +/- margin (in the units of values).

    Values without any spread count as known exactly: p is 0 inside the margin and 1 outside.
    """
    if not margin > 0:
        raise ValueError(f"margin must be positive, got {margin}")
    data = clustered(values, clusters)
    with np.errstate(divide="ignore", invalid="ignore"):  # no spread: t is infinite
        t = (margin - np.abs(data.mean)) / data.standard_error
    p = data.shaped(stats.t.sf(t, len(data.sizes) - 1))
    return Equivalence(p, p <= alpha)


def minimum_detectable_mean(sd: Numbers, n: int, alpha: float = 0.05, power: float = 0.8) -> Numbers:
    """Smallest mean that a two-sided t test on n independent clusters of spread sd finds with this power; NaN if n < 2.

    With repeated texts, sd is the clustered standard error times sqrt(n).
    """
    if n < 2:
        return np.full(np.shape(sd), np.nan)[()]
    return np.asarray(sd) * float(TTestPower().solve_power(nobs=n, alpha=alpha, power=power))


def detectable_mean(differences: np.ndarray, clusters: np.ndarray, alpha: float = 0.05, power: float = 0.8) -> Numbers:
    """Smallest mean that differences with this spread and clustering would show; NaN for a single cluster."""
    data = clustered(differences, clusters)
    n = len(data.sizes)
    return minimum_detectable_mean(data.shaped(data.standard_error) * np.sqrt(n), n, alpha, power)


def detectable_from_interval(low: float, high: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest difference from a fixed number that shows with this power, where only a symmetric interval is known."""
    z, more = stats.norm.ppf([1 - alpha / 2, power])
    return float((high - low) / 2 * (z + more) / z)


def equivalence_verdict(p_equivalence: Numbers, p_difference: Numbers, alpha: float = 0.05) -> str | np.ndarray:
    """Judge "it is nil", elementwise: equivalent (inside the margin of p_equivalence, even if not exactly zero),
    different (not shown to be inside, and not zero), or underpowered (neither: the sample cannot tell).

    Pass p_difference adjusted over its family. p_equivalence is not, as a claim that all of a family are nil needs each
    to pass on its own.
    """
    conditions = [np.asarray(p_equivalence) <= alpha, np.asarray(p_difference) <= alpha]
    return np.select(conditions, ["equivalent", "different"], "underpowered")[()]


def rate_equivalence_verdict(count: int, n: int, margin: float, alpha: float = 0.05) -> Verdict:
    """Judge "the rate is nil" by exact binomial tests: equivalent (below margin), different (above it) or underpowered.

    n = 0 is underpowered with NaN numbers.
    """
    if not 0 < margin < 1 or not 0 <= count <= n:
        raise ValueError(f"need 0 < margin < 1 and 0 <= count <= n, got margin {margin}, count {count}, n {n}")
    if n == 0:
        return Verdict("underpowered", np.nan, margin, np.nan, np.nan, np.nan, 0)
    below, above = (stats.binomtest(count, n, margin, alternative=side).pvalue for side in ("less", "greater"))
    return Verdict(
        str(equivalence_verdict(below, above, alpha)), count / n, margin, below, above, minimum_detectable_rate(n), n
    )
