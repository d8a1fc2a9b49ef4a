"""Means and other statistics of clustered rows with bootstrap intervals and sign-flip tests.

All columns share the resamples. With a single cluster there is no measure of spread: intervals are NaN and a sign-flip
p is 1. See clusters.py for the shapes.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats

from emoscope.statistics.clusters import Interval, Numbers, cluster_codes, clustered

BATCH_CELLS = 4_000_000  # resamples x clusters, or columns, held at once: 32 MB of float64
SIGN_FLIPS = 19_999  # resamples of a sign-flip test, at least


class Estimate(NamedTuple):
    """A mean, its interval, its two-sided p against zero, and the number of independent clusters behind it."""

    value: Numbers
    low: Numbers
    high: Numbers
    p: Numbers
    n: int


def bootstrap_mean(
    values: np.ndarray, clusters: np.ndarray, *, seed: int, resamples: int = 9_999, alpha: float = 0.05
) -> Interval:
    """Cluster-bootstrap interval of each column's mean. For a rate near 0 or 1 use `wilson_interval`."""
    data = clustered(values, clusters)
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
    codes, sizes = cluster_codes(clusters)
    batches = _bootstrap_weights(len(sizes), resamples, seed)
    drawn = np.array([statistic(weights[codes]) for batch in batches for weights in batch], dtype=np.float64)
    return Interval(*_expanded_percentiles(drawn, len(sizes), alpha))


def sign_flip_test(values: np.ndarray, clusters: np.ndarray, *, seed: int, resamples: int = SIGN_FLIPS) -> Numbers:
    """Two-sided p of a zero mean, flipping the sign of whole clusters; (1 + b) / (1 + m), Phipson & Smyth (2010).

    p is at least 1 / (resamples + 1): for a lone effect to survive FDR among k tests, take resamples >= k / alpha.
    """
    data = clustered(values, clusters)
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
    data = clustered(differences, clusters)
    low, high = bootstrap_mean(differences, clusters, seed=seed, resamples=resamples, alpha=alpha)
    flips = max(SIGN_FLIPS, math.ceil(max(tests, data.sums.shape[1]) / alpha))
    p = sign_flip_test(differences, clusters, seed=seed, resamples=flips)
    return Estimate(data.shaped(data.mean), low, high, p, len(data.sizes))


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
