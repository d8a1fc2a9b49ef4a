"""How often something happens: intervals and tests of rates, where rows may share a text."""

from bisect import bisect_left

import numpy as np
from scipy import stats

from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval
from emoscope.statistics.clusters import FEWEST_CLUSTERS, POWER, Interval, Numbers, clustered


def wilson_interval(count: Numbers, n: Numbers, alpha: float = 0.05) -> Interval:
    """Wilson score interval of a rate, elementwise; NaN where n is 0. Rows must be independent: see `described_rate`.

    Wilson (1927), Journal of the American Statistical Association 22, 209; statsmodels' `proportion_confint`, number
    for number, without the second that importing it takes.
    """
    count, n = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not ((count >= 0) & (count <= n)).all():
        raise ValueError("a rate needs 0 <= count <= n")
    rows, z = np.where(n > 0, n, 1), stats.norm.isf(alpha / 2)
    rate = count / rows
    shrunk = 1 + z**2 / rows
    centre = (rate + z**2 / (2 * rows)) / shrunk
    half = z * np.sqrt(rate * (1 - rate) / rows + z**2 / (4 * rows**2)) / shrunk
    low, high = np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
    low, high = np.where(count == 0, 0.0, low), np.where(count == n, 1.0, high)  # rounding leaves 3e-18 there
    return Interval(np.where(n > 0, low, np.nan)[()], np.where(n > 0, high, np.nan)[()])


def exact_interval(count: Numbers, n: Numbers, alpha: float = 0.05) -> Interval:
    """Clopper-Pearson interval of a rate, elementwise, which never covers too rarely; NaN where n is 0."""
    count, n = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not ((count >= 0) & (count <= n)).all():
        raise ValueError("a rate needs 0 <= count <= n")
    low = np.where(count > 0, stats.beta.ppf(alpha / 2, count, n - count + 1), 0.0)
    high = np.where(count < n, stats.beta.isf(alpha / 2, count + 1, n - count), 1.0)
    return Interval(np.where(n > 0, low, np.nan)[()], np.where(n > 0, high, np.nan)[()])


def rows_if_alike(sizes: np.ndarray) -> float:
    """Effective sample size if the rows of each cluster, of these sizes, are all alike: the number of clusters where
    these are of one size, fewer where a few hold most rows; 0 without any. Kish (1965), Survey Sampling."""
    rows = sizes.sum()
    return float(rows**2 / (sizes**2).sum()) if rows else 0.0


def effective_rows(events: np.ndarray, clusters: np.ndarray, alpha: float = 0.05) -> float:
    """Effective sample size of a rate: p(1 - p) over its cluster-robust variance, Kish (1965).

    It is adjusted for a variance known from few clusters, as Korn and Graubard (1998), Survey Methodology 24, 193, do
    for intervals of level alpha. Not above the number of rows, nor below `rows_if_alike`. It is that unless the event
    happens in FEWEST_CLUSTERS clusters and fails to in as many: a few do not show how alike the rows of one are.
    """
    data = clustered(events, clusters)
    rows, rate, error, independent = len(events), data.mean[0], data.standard_error[0], len(data.sizes)
    if independent == rows:
        return rows
    least = rows_if_alike(data.sizes)
    if min((data.sums[:, 0] > 0).sum(), (data.sums[:, 0] < data.sizes).sum()) < FEWEST_CLUSTERS:
        return least
    known = (stats.t.ppf(alpha / 2, rows - 1) / stats.t.ppf(alpha / 2, least - 1)) ** 2
    return float(np.clip(known * rate * (1 - rate) / error**2, least, rows)) if error else rows


def described_rate(events: np.ndarray, clusters: np.ndarray, alpha: float = 0.05) -> Interval:
    """Wilson's interval of a rate, with effective rows for rows: Korn and Graubard (1998). NaN for fewer than
    FEWEST_CLUSTERS clusters of several rows. Of rare events in few clusters it is too narrow: see `rate_interval`."""
    events = np.asarray(events, dtype=bool)
    if len(np.unique(clusters)) < min(FEWEST_CLUSTERS, len(events)):
        return Interval(np.nan, np.nan)
    rows = effective_rows(events, clusters, alpha)
    return wilson_interval(events.mean() * rows, rows, alpha)


def rate_interval(events: np.ndarray, clusters: np.ndarray, alpha: float = 0.05) -> Interval:
    """Interval of how often something happens that never covers too rarely: Clopper and Pearson's where every row is a
    cluster, else that of a bounded mean. NaN for fewer than FEWEST_CLUSTERS clusters of several rows.

    Counting effective rows instead (Korn and Graubard 1998) covers 91 % for 34 clusters of 10 with rare events.
    """
    events = np.asarray(events)
    if len(np.unique(clusters)) == len(events):
        return exact_interval(events.sum(), len(events), alpha)
    return bounded_interval(events, clusters, SHARE, alpha)


def zero_event_bound(n: Numbers, alpha: float = 0.05) -> Numbers:
    """Largest rate that zero events in n independent rows still allow: the end of the exact interval, about 3.7 / n for
    a two-sided alpha of 0.05. NaN if n is 0."""
    return exact_interval(0, n, alpha).high


def minimum_detectable_rate(n: int, margin: float, alpha: float = 0.05) -> float:
    """Smallest rate that the exact one-sided test on n rows finds to exceed the margin with POWER; NaN if none is."""
    return _found_with_power(int(stats.binom.isf(alpha, n, margin)) + 1, n)  # the fewest events that are significant


def mcnemar_test(before: np.ndarray, after: np.ndarray, clusters: np.ndarray | None = None) -> float:
    """Two-sided p of the exact McNemar test on two boolean vectors (n,) of correctness; without `clusters` (n,), their
    rows are independent.

    The binomial test of the rows that differ, McNemar (1947), Psychometrika 12, 153. The rows of a cluster are one
    trial, lost or gained as most of those that differ are, left out if as many are either; so what they have in common
    does not count twice.
    """
    before, after = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    if before.ndim != 1 or before.size == 0 or before.shape != after.shape:
        raise ValueError(f"need two non-empty vectors of one length, got {before.shape} and {after.shape}")
    ids = np.arange(before.size) if clusters is None else clusters
    change = clustered(after.astype(int) - before, ids).sums[:, 0]
    lost, gained = int((change < 0).sum()), int((change > 0).sum())
    return min(1.0, 2 * float(stats.binom.cdf(min(lost, gained), lost + gained, 0.5)))


def rate_difference_interval(
    first: np.ndarray,
    second: np.ndarray,
    *,
    paired: bool,
    clusters: tuple[np.ndarray, np.ndarray] | None = None,
    alpha: float = 0.05,
) -> Interval:
    """Newcombe's hybrid score interval of rate(first) - rate(second), for boolean vectors.

    `clusters` holds the ids of both vectors' rows; without them, rows are independent. NaN where a vector has fewer
    than FEWEST_CLUSTERS clusters of several rows.

    It combines two Wilson intervals, so that it has a width where no event was seen. Independent samples: method 10 of
    Newcombe (1998), Statistics in Medicine 17, 873; `paired` rows: method 10 of the same volume, 2635.
    """
    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if first.size == 0 or second.size == 0 or (paired and first.shape != second.shape):
        raise ValueError(f"need two non-empty vectors, of one length if paired, got {first.shape} and {second.shape}")
    clusters = clusters or (np.arange(first.size), np.arange(second.size))
    (p1, l1, u1), (p2, l2, u2) = (
        (events.mean(), *described_rate(events, ids, alpha))
        for events, ids in zip((first, second), clusters, strict=True)
    )
    phi = _phi(first, second) if paired else 0.0
    down = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    up = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return Interval(float(p1 - p2 - np.sqrt(down)), float(p1 - p2 + np.sqrt(up)))


def excess_interval(events: np.ndarray, baseline: np.ndarray, clusters: np.ndarray, alpha: float = 0.05) -> Interval:
    """Interval of rate(events) - rate(baseline), paired row by row, that a verdict may rest on: Newcombe's where every
    row is a cluster, else that of a bounded mean. NaN for fewer than FEWEST_CLUSTERS clusters of several rows.

    Effective rows would not do: few events tell too little of how alike the rows of a cluster are, and then "more" and
    "no more" are wrong too often (`python -m benchmarks nulls`).
    """
    events, baseline = np.asarray(events, dtype=bool), np.asarray(baseline, dtype=bool)
    if len(np.unique(clusters)) == len(events):
        return rate_difference_interval(events, baseline, paired=True, alpha=alpha)
    return bounded_interval(events.astype(float) - baseline, clusters, CHANGE, alpha)


def excess_verdict(interval: Interval, margin: float) -> str:
    """Judge "no more than a baseline" by `excess_interval`, of a rate minus that of its baseline.

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
    return _excess_p(events.sum(), events.size, baseline, margin)


def detectable_excess(n: int, baseline: np.ndarray, margin: float, alpha: float = 0.05) -> float:
    """Smallest rate that `rate_excess_test` on n rows finds with POWER; NaN if it finds none, or has no baseline."""
    baseline = np.asarray(baseline, dtype=bool)
    if n == 0 or baseline.size == 0:
        return np.nan
    events = bisect_left(range(n + 1), True, key=lambda count: _excess_p(count, n, baseline, margin) <= alpha)
    return _found_with_power(events, n)


def _excess_p(count: int, n: int, baseline: np.ndarray, margin: float) -> float:
    quantiles = (np.arange(200) + 0.5) / 200
    known = stats.beta.ppf(quantiles, baseline.sum() + 0.5, (~baseline).sum() + 0.5)
    bounds = np.minimum(known + margin, 1)
    return float(stats.binom.sf(count - 1, n, bounds).mean())


def _found_with_power(events: int, n: int) -> float:
    """The rate that makes so many events of n as likely as POWER: the beta quantile inverts the binomial; scipy's NaN
    if they are more than n."""
    return float(stats.beta.ppf(POWER, events, n - events + 1))


def _phi(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of two paired boolean vectors, shrunk as Newcombe does if it is positive; 0 if it is unknown."""
    both, neither = (first & second).sum(), (~first & ~second).sum()
    margins = float(first.sum()) * (~first).sum() * second.sum() * (~second).sum()
    product = both * neither - (first & ~second).sum() * (~first & second).sum()
    shrunk = max(product - first.size / 2, 0) if product > 0 else product
    return shrunk / np.sqrt(margins) if margins else 0.0
