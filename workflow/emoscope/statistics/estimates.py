"""Uncertainty for every table: intervals, tests and equivalence verdicts that count each distinct text once.

Rows that share a text are one cluster (`clusters`, shape (n,), sortable ids; `np.arange(n)` if all are independent).
`values` has shape (n,) or (n, ...): each trailing cell is a column, all columns share the resamples, and results have
the trailing shape. A mean weighs rows, not clusters. Empty, misaligned or non-finite input raises ValueError; with a
single cluster there is no measure of spread, so intervals and t-based p values are NaN and a sign-flip p is 1.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

Numbers = float | np.ndarray
BATCH_CELLS = 4_000_000  # resamples x clusters, or columns, held at once: 32 MB of float64
SIGN_FLIPS = 19_999  # resamples of a sign-flip test, at least


class Interval(NamedTuple):
    low: Numbers
    high: Numbers


class Estimate(NamedTuple):
    """A mean, its interval, its two-sided p against zero, and the number of independent clusters behind it."""

    value: Numbers
    low: Numbers
    high: Numbers
    p: Numbers
    n: int


class Equivalence(NamedTuple):
    p: Numbers
    equivalent: bool | np.ndarray


class McNemar(NamedTuple):
    """Rows that were right and became wrong (lost), wrong and became right (gained), and the exact two-sided p."""

    lost: int
    gained: int
    p: float


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


class _Clustered(NamedTuple):
    sums: np.ndarray  # (clusters, columns)
    sizes: np.ndarray  # (clusters,) rows in each
    shape: tuple[int, ...]  # trailing shape of the results

    @property
    def mean(self) -> np.ndarray:
        return self.sums.sum(axis=0) / self.sizes.sum()

    @property
    def standard_error(self) -> np.ndarray:
        """Cluster-robust, with clusters - 1 degrees of freedom; sd / sqrt(n) when every text is distinct."""
        n = len(self.sizes)
        residuals = self.sums - self.mean * self.sizes[:, None]
        return np.sqrt((residuals**2).sum(axis=0) * (n / (n - 1) if n > 1 else np.nan)) / self.sizes.sum()

    def shaped(self, columns: np.ndarray) -> Numbers:
        return columns.reshape(self.shape)[()]


def _cluster_codes(clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    clusters = np.asarray(clusters)
    if clusters.ndim != 1 or clusters.size == 0:
        raise ValueError(f"clusters must be a non-empty vector of ids, got shape {clusters.shape}")
    _, codes, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    return codes, sizes


def _clustered(values: np.ndarray, clusters: np.ndarray) -> _Clustered:
    values = np.asarray(values, dtype=np.float64)
    codes, sizes = _cluster_codes(clusters)
    if values.ndim == 0 or len(values) != len(codes):
        raise ValueError(f"values of shape {values.shape} do not match {len(codes)} cluster ids")
    if not np.isfinite(values).all():
        raise ValueError("values must be finite: drop or impute missing rows first")
    rows = values.reshape(len(values), -1)[np.argsort(codes, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return _Clustered(np.add.reduceat(rows, starts, axis=0), sizes, values.shape[1:])


def _batches(resamples: int, width: int) -> Iterator[int]:
    size = max(1, BATCH_CELLS // width)
    return (min(size, resamples - start) for start in range(0, resamples, size))


def _bootstrap_weights(n_clusters: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each cluster is drawn in each resample, in batches of shape (resamples, clusters)."""
    rng = np.random.default_rng(seed)
    for size in _batches(resamples, n_clusters):
        cells = rng.integers(0, n_clusters, size=(size, n_clusters)) + np.arange(size)[:, None] * n_clusters
        yield np.bincount(cells.ravel(), minlength=size * n_clusters).reshape(size, n_clusters).astype(np.float64)


def _expanded_percentiles(replicates: np.ndarray, n_clusters: int, alpha: float) -> np.ndarray:
    # Expanded percentiles (Hesterberg 2015): BCa stays too narrow at tens of texts and needs a jackknife per metric.
    if n_clusters < 2:
        return np.full((2, *replicates.shape[1:]), np.nan)
    tail = stats.norm.cdf(np.sqrt(n_clusters / (n_clusters - 1)) * stats.t.ppf(alpha / 2, n_clusters - 1))
    return np.nanquantile(replicates, [tail, 1 - tail], axis=0)


def bootstrap_mean(
    values: np.ndarray, clusters: np.ndarray, *, seed: int, resamples: int = 9_999, alpha: float = 0.05
) -> Interval:
    """Cluster-bootstrap interval of each column's mean. For a rate near 0 or 1 use `wilson_interval`."""
    data = _clustered(values, clusters)
    totals = np.column_stack([data.sums, data.sizes])
    drawn = np.concatenate([w @ totals for w in _bootstrap_weights(len(totals), resamples, seed)])
    low, high = _expanded_percentiles(drawn[:, :-1] / drawn[:, -1:], len(totals), alpha)
    return Interval(data.shaped(low), data.shaped(high))


def bootstrap_statistic(
    statistic: Callable[[np.ndarray], Numbers],
    clusters: np.ndarray,
    *,
    seed: int,
    resamples: int = 999,
    alpha: float = 0.05,
) -> Interval:
    """Cluster-bootstrap interval of anything computed from row weights (n,), such as F1, AUC or their difference
    (scikit-learn's `sample_weight`). Resamples where it is NaN, such as an AUC without positives, are left out."""
    codes, sizes = _cluster_codes(clusters)
    batches = _bootstrap_weights(len(sizes), resamples, seed)
    drawn = np.array([statistic(weights[codes]) for batch in batches for weights in batch], dtype=np.float64)
    return Interval(*_expanded_percentiles(drawn, len(sizes), alpha))


def sign_flip_test(values: np.ndarray, clusters: np.ndarray, *, seed: int, resamples: int = SIGN_FLIPS) -> Numbers:
    """Two-sided p of a zero mean, flipping the sign of whole clusters; (1 + b) / (1 + m), Phipson & Smyth (2010).

    p is at least 1 / (resamples + 1): for a lone effect to survive FDR among k tests, take resamples >= k / alpha.
    """
    data = _clustered(values, clusters)
    rng = np.random.default_rng(seed)
    total = data.sums.sum(axis=0)
    observed = np.abs(total) - 1e-12 * np.abs(data.sums).sum(axis=0)  # equal sums may differ by rounding
    reached = np.zeros(total.shape, dtype=np.int64)
    for size in _batches(resamples, max(data.sums.shape)):
        kept = rng.integers(0, 2, size=(size, len(data.sums)), dtype=np.int8).astype(np.float64)
        reached += (np.abs(2 * (kept @ data.sums) - total) >= observed).sum(axis=0)
    return data.shaped((1 + reached) / (1 + resamples))


def estimate_mean(
    differences: np.ndarray,
    clusters: np.ndarray,
    *,
    seed: int,
    resamples: int = 9_999,
    alpha: float = 0.05,
    tests: int = 1,
) -> Estimate:
    """Summary of paired differences (after minus before): mean, bootstrap interval, sign-flip p, independent texts.

    `resamples` are the bootstrap's. The sign-flip test takes as many as its p needs to survive adjustment over a family
    of `tests`, or of all columns if these are more.
    """
    data = _clustered(differences, clusters)
    low, high = bootstrap_mean(differences, clusters, seed=seed, resamples=resamples, alpha=alpha)
    flips = max(SIGN_FLIPS, math.ceil(max(tests, data.sums.shape[1]) / alpha))
    p = sign_flip_test(differences, clusters, seed=seed, resamples=flips)
    return Estimate(data.shaped(data.mean), low, high, p, len(data.sizes))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """FDR-adjusted p over the whole array as one family, same shape; NaN stays NaN and does not count as a test."""
    return _adjusted(p, "fdr_bh")


def holm(p: np.ndarray) -> np.ndarray:
    """As `benjamini_hochberg`, but against even one false finding in the family (Holm 1979): to name single members."""
    return _adjusted(p, "holm")


def _adjusted(p: np.ndarray, method: str) -> np.ndarray:
    p = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(p)
    if ((p[tested] < 0) | (p[tested] > 1)).any():
        raise ValueError("p values must lie in [0, 1]")
    adjusted = np.full(p.shape, np.nan)
    if tested.any():
        adjusted[tested] = multipletests(p[tested], method=method)[1]
    return adjusted


def wilson_interval(count: Numbers, n: Numbers, alpha: float = 0.05) -> Interval:
    """Wilson score interval of a rate, elementwise; NaN where n is 0. For rows repeating a text, count it once."""
    count, n = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not ((count >= 0) & (count <= n)).all():
        raise ValueError("a rate needs 0 <= count <= n")
    low, high = proportion_confint(count, np.where(n > 0, n, 1), alpha=alpha, method="wilson")
    low, high = np.where(count == 0, 0.0, low), np.where(count == n, 1.0, high)  # rounding leaves 3e-18 there
    return Interval(np.where(n > 0, low, np.nan)[()], np.where(n > 0, high, np.nan)[()])


def effective_rows(events: np.ndarray, clusters: np.ndarray) -> float:
    """How many independent rows would tell as much of a rate: p(1 - p) over its cluster-robust variance, Kish (1965).

    Not below the number of clusters, nor above that of rows. An event that never or always happens does not show how
    much the rows of a cluster resemble each other; then it is the number of clusters.
    """
    data = _clustered(events, clusters)
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


def _phi(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of two paired boolean vectors, shrunk as Newcombe does if it is positive; 0 if it is unknown."""
    both, neither = (first & second).sum(), (~first & ~second).sum()
    margins = float(first.sum()) * (~first).sum() * second.sum() * (~second).sum()
    product = both * neither - (first & ~second).sum() * (~first & second).sum()
    shrunk = max(product - first.size / 2, 0) if product > 0 else product
    return shrunk / np.sqrt(margins) if margins else 0.0


def rate_excess_test(events: np.ndarray, baseline: np.ndarray, margin: float) -> float:
    """p that a rate is not above that of a baseline by more than `margin`: exact one-sided binomial test.

    Boolean vectors of independent rows. The baseline's rate counts as known, so it should have many more rows than
    `events`. NaN if either has none.
    """
    events, baseline = np.asarray(events, dtype=bool), np.asarray(baseline, dtype=bool)
    if events.size == 0 or baseline.size == 0:
        return np.nan
    bound = min(float(baseline.mean()) + margin, 1)
    return float(stats.binomtest(int(events.sum()), events.size, bound, alternative="greater").pvalue)


def tost_mean(values: np.ndarray, clusters: np.ndarray, margin: float, alpha: float = 0.05) -> Equivalence:
    """Two one-sided t tests, Schuirmann (1987), that each mean lies inside +/- margin (in the units of values).

    Values without any spread count as known exactly: p is 0 inside the margin and 1 outside.
    """
    if not margin > 0:
        raise ValueError(f"margin must be positive, got {margin}")
    data = _clustered(values, clusters)
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


def minimum_detectable_rate(n: Numbers, alpha: float = 0.05) -> Numbers:
    """Largest rate that zero events in n still allow (two-sided Wilson upper bound, about 3.84 / n); NaN if n is 0."""
    return wilson_interval(0, n, alpha).high


def detectable_mean(differences: np.ndarray, clusters: np.ndarray, alpha: float = 0.05, power: float = 0.8) -> Numbers:
    """Smallest mean that differences with this spread and clustering would show; NaN for a single cluster."""
    data = _clustered(differences, clusters)
    n = len(data.sizes)
    return minimum_detectable_mean(data.shaped(data.standard_error) * np.sqrt(n), n, alpha, power)


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


def _distributions(p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if p.ndim != 2 or p.shape != q.shape:
        raise ValueError(f"need two arrays of one shape (n, classes), got {p.shape} and {q.shape}")
    for rows in (p, q):
        if not ((rows >= 0).all() and (np.abs(rows.sum(axis=1) - 1) < 1e-3).all()):
            raise ValueError("each row must be a probability distribution: non-negative and summing to 1")
    return p, q


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence of paired rows, (n, classes) x 2 -> (n,), base 2, in [0, 1]; Lin (1991)."""
    p, q = _distributions(p, q)
    m = (p + q) / 2
    bits = (special.rel_entr(p, m) + special.rel_entr(q, m)).sum(axis=1) / (2 * np.log(2))
    return np.clip(bits, 0, 1)  # rounding leaves near-equal rows below 0, where scipy's jensenshannon gives NaN


def total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Total variation distance of paired rows, (n, classes) x 2 -> (n,), in [0, 1]: half the summed |p - q|."""
    p, q = _distributions(p, q)
    return np.abs(p - q).sum(axis=1) / 2
