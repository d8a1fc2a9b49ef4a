"""How often something happens: intervals and tests of rates, where rows may share a text."""

from typing import NamedTuple

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from emoscope.statistics.clusters import Interval, Numbers, clustered


class McNemar(NamedTuple):
    """Rows that were right and became wrong (lost), wrong and became right (gained), and the exact two-sided p."""

    lost: int
    gained: int
    p: float


def wilson_interval(count: Numbers, n: Numbers, alpha: float = 0.05) -> Interval:
    """Wilson score interval of a rate, elementwise; NaN where n is 0. For rows repeating a text, count it once."""
    count, n = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not ((count >= 0) & (count <= n)).all():
        raise ValueError("a rate needs 0 <= count <= n")
    low, high = proportion_confint(count, np.where(n > 0, n, 1), alpha=alpha, method="wilson")
    low, high = np.where(count == 0, 0.0, low), np.where(count == n, 1.0, high)  # rounding leaves 3e-18 there
    return Interval(np.where(n > 0, low, np.nan)[()], np.where(n > 0, high, np.nan)[()])


def effective_rows(events: np.ndarray, clusters: np.ndarray) -> float:
    """Effective sample size of a rate: p(1 - p) over its cluster-robust variance, Kish (1965).

    Not below the number of clusters, nor above that of rows. An event that never or always happens does not show how
    much the rows of a cluster resemble each other; then it is the number of clusters.
    """
    data = clustered(events, clusters)
    rows, rate, error = len(events), data.mean[0], data.standard_error[0]
    if len(data.sizes) == rows:
        return rows
    if rate in (0, 1) or len(data.sizes) == 1:
        return len(data.sizes)
    return float(np.clip(rate * (1 - rate) / error**2, len(data.sizes), rows)) if error else rows


def rate_interval(events: np.ndarray, clusters: np.ndarray, alpha: float = 0.05) -> Interval:
    """Wilson score interval of how often something happens; clustered rows count with their effective number.

    Franco, Little, Louis and Slud (2019), Journal of Survey Statistics and Methodology 7, 334.
    """
    rows = effective_rows(events, clusters)
    return wilson_interval(np.mean(events) * rows, rows, alpha)


def minimum_detectable_rate(n: Numbers, alpha: float = 0.05) -> Numbers:
    """Largest rate that zero events in n still allow (two-sided Wilson upper bound, about 3.84 / n); NaN if n is 0."""
    return wilson_interval(0, n, alpha).high


def mcnemar_test(before: np.ndarray, after: np.ndarray) -> McNemar:
    """Exact McNemar test on two boolean vectors (n,) of correctness, one row per independent text."""
    before, after = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    if before.ndim != 1 or before.size == 0 or before.shape != after.shape:
        raise ValueError(f"need two non-empty vectors of one length, got {before.shape} and {after.shape}")
    lost, gained = int((before & ~after).sum()), int((~before & after).sum())
    return McNemar(lost, gained, float(mcnemar([[0, lost], [gained, 0]], exact=True).pvalue))


def rate_difference_interval(
    first: np.ndarray,
    second: np.ndarray,
    *,
    paired: bool,
    clusters: tuple[np.ndarray, np.ndarray] | None = None,
    alpha: float = 0.05,
) -> Interval:
    """Newcombe's hybrid score interval of rate(first) - rate(second), for boolean vectors.

    `clusters` holds the ids of both vectors' rows; without them, rows are independent.

    It combines two Wilson intervals, so that it has a width where no event was seen. Independent samples: method 10 of
    Newcombe (1998), Statistics in Medicine 17, 873; `paired` rows: method 10 of the same volume, 2635.
    """
    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if first.size == 0 or second.size == 0 or (paired and first.shape != second.shape):
        raise ValueError(f"need two non-empty vectors, of one length if paired, got {first.shape} and {second.shape}")
    clusters = clusters or (np.arange(first.size), np.arange(second.size))
    (p1, l1, u1), (p2, l2, u2) = (
        (events.mean(), *rate_interval(events, ids, alpha))
        for events, ids in zip((first, second), clusters, strict=True)
    )
    phi = _phi(first, second) if paired else 0.0
    down = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    up = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return Interval(float(p1 - p2 - np.sqrt(down)), float(p1 - p2 + np.sqrt(up)))


def excess_verdict(interval: Interval, margin: float) -> str:
    """Judge "no more than a baseline" by the two-sided interval of the difference of rates, rate minus baseline.

    `no more`: not inferior, as the whole interval lies below the margin, even if not at zero; `more`: above zero and
    not shown to be below the margin; else `not settled`. With a 95 % interval each of the two is wrong in 2.5 %:
    CONSORT's rule for non-inferiority, Piaggio et al. (2012), JAMA 308, 2594. Newcombe's paired interval keeps that at
    rates of 0 to 3 % and 10 to 2,000 texts (`python -m benchmarks nulls`); where no event is seen, a margin of 2 %
    takes 189 texts.
    """
    if not margin > 0:
        raise ValueError(f"margin must be positive, got {margin}")
    if interval.high < margin:
        return "no more"
    return "more" if interval.low > 0 else "not settled"


def rate_excess_test(events: np.ndarray, baseline: np.ndarray, margin: float) -> float:
    """p that a rate is not above that of a baseline by more than `margin`: exact one-sided binomial test.

    Boolean vectors of independent rows. The p is averaged over what the baseline's rows leave open of its rate:
    Jeffreys' posterior, Brown, Cai and DasGupta (2001), Statistical Science 16, 101. NaN if either has no rows.
    """
    events, baseline = np.asarray(events, dtype=bool), np.asarray(baseline, dtype=bool)
    if events.size == 0 or baseline.size == 0:
        return np.nan
    quantiles = (np.arange(200) + 0.5) / 200
    known = stats.beta.ppf(quantiles, baseline.sum() + 0.5, (~baseline).sum() + 0.5)
    bounds = np.minimum(known + margin, 1)
    return float(stats.binom.sf(events.sum() - 1, events.size, bounds).mean())


def _phi(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of two paired boolean vectors, shrunk as Newcombe does if it is positive; 0 if it is unknown."""
    both, neither = (first & second).sum(), (~first & ~second).sum()
    margins = float(first.sum()) * (~first).sum() * second.sum() * (~second).sum()
    product = both * neither - (first & ~second).sum() * (~first & second).sum()
    shrunk = max(product - first.size / 2, 0) if product > 0 else product
    return shrunk / np.sqrt(margins) if margins else 0.0
