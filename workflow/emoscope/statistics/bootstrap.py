"""Bootstrap intervals of means and other statistics of clustered rows.

Most of them describe; the rest of what is judged against zero or a margin is tested by bounded.py or studentised.py.
What is judged by these: docs/statistics.md. No interval is adjusted for how many are looked at. All columns share the
resamples. Fewer than FEWEST_CLUSTERS have no interval: it is NaN. See clusters.py for the shapes.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import stats

from emoscope.statistics.clusters import FEWEST_CLUSTERS, Interval, Numbers, cluster_codes, clustered

BATCH_CELLS = 4_000_000  # resamples x clusters, or columns, held at once: 32 MB of float64


def bootstrap_mean(
    values: np.ndarray, clusters: np.ndarray, *, seed: int, resamples: int, alpha: float = 0.05
) -> Interval:
    """Cluster-bootstrap interval of each column's mean.

    For shares, changes of probabilities and whatever is nil in most rows and large in a few use `bounded_interval`.
    """
    data = clustered(values, clusters)
    totals = on_a_grid(np.column_stack([data.sums, data.sizes]), len(data.sizes))
    drawn = np.concatenate([w @ totals for w in resamples_of(len(totals), resamples, seed)])
    low, high = _expanded_percentiles(drawn[:, :-1] / drawn[:, -1:], len(totals), alpha)
    return Interval(data.shaped(low), data.shaped(high))


def bootstrap_statistic(
    statistic: Callable[[np.ndarray], Numbers],
    clusters: np.ndarray,
    *,
    seed: int,
    resamples: int,
    alpha: float = 0.05,
) -> Interval:
    """Cluster-bootstrap interval of anything computed from row weights (n,), such as F1, AUC or their difference
    (scikit-learn's `sample_weight`). Resamples where it is NaN, such as an AUC without positives, are left out."""
    codes, sizes = cluster_codes(clusters)
    batches = resamples_of(len(sizes), resamples, seed)
    drawn = np.array([statistic(weights[codes]) for batch in batches for weights in batch], dtype=np.float64)
    return Interval(*_expanded_percentiles(drawn, len(sizes), alpha))


def _batches(resamples: int, width: int) -> Iterator[int]:
    size = max(1, BATCH_CELLS // width)
    return (min(size, resamples - start) for start in range(0, resamples, size))


def resamples_of(n_clusters: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each cluster is drawn in each resample, in batches of shape (resamples, clusters)."""
    rng = np.random.default_rng(seed)
    for size in _batches(resamples, n_clusters):
        cells = rng.integers(0, n_clusters, size=(size, n_clusters)) + np.arange(size)[:, None] * n_clusters
        yield np.bincount(cells.ravel(), minlength=size * n_clusters).reshape(size, n_clusters).astype(np.float64)


def on_a_grid(columns: np.ndarray, draws: int) -> np.ndarray:
    """Columns rounded, at about the fourteenth digit, so that sums over `draws` of their rows are exact in float64.

    Then a sum is the same in whatever order, and by however many threads, it is added up. The grid of each column is a
    power of two, and 2^52 of its steps are no less than the largest possible sum. NaN stays.
    """
    with np.errstate(divide="ignore"):
        bits = np.ceil(np.log2(draws * np.nanmax(np.abs(columns), axis=0, initial=0)))
    step = np.exp2(np.maximum(bits, -900) - 52)  # of a column of zeros, any
    return np.round(columns / step) * step


def _expanded_percentiles(replicates: np.ndarray, n_clusters: int, alpha: float) -> np.ndarray:
    # Expanded percentiles (Hesterberg 2015): BCa stays too narrow at tens of texts and needs a jackknife per metric.
    if n_clusters < FEWEST_CLUSTERS:
        return np.full((2, *replicates.shape[1:]), np.nan)
    tail = stats.norm.cdf(np.sqrt(n_clusters / (n_clusters - 1)) * stats.t.ppf(alpha / 2, n_clusters - 1))
    return np.nanquantile(replicates, [tail, 1 - tail], axis=0)
