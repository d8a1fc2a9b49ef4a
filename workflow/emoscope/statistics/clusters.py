"""Rows that share a text are one cluster: their sums, sizes and cluster-robust standard errors.

`clusters`, shape (n,), holds sortable ids; `np.arange(n)` if all rows are independent. `values` has shape (n,) or
(n, ...): each trailing cell is a column, and results have the trailing shape. A mean weighs rows, not clusters. Empty,
misaligned or non-finite input raises ValueError.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Numbers = float | np.ndarray
FEWEST_CLUSTERS = 8  # a bootstrap of 4 covers 88 % instead of 95 %, of 3 75 %: fewer get no interval
POWER = 0.8  # with which a detectable effect would have been found


class Interval(NamedTuple):
    low: Numbers
    high: Numbers


class MeanTest(NamedTuple):
    """A mean, its interval and what was shown of it, each of the trailing shape of the values, or a number.

    The p values are of these null hypotheses: `p_difference`: the mean is zero; `p_within`: it is as far from zero as
    the margin, or further; `p_beyond`: it is no further from zero than the margin. `detectable` is about the smallest
    mean whose interval would leave out zero four times in five, at this spread and size; `detectable_in_family` that of
    one of a family of tests whose p is adjusted, even if all others of it are nil: at alpha over their number. `n`
    counts clusters.
    """

    value: Numbers
    low: Numbers
    high: Numbers
    p_difference: Numbers
    p_within: Numbers
    p_beyond: Numbers
    detectable: Numbers
    detectable_in_family: Numbers
    n: int


def shown_by_all(found: Sequence[MeanTest]) -> MeanTest:
    """What several tests of the same mean all show, each of which takes other things for clusters: the widest interval,
    the largest p and effect that would show, the fewest clusters."""
    least = {name: np.min([getattr(one, name) for one in found], axis=0) for name in ("low", "n")}
    rest = {
        name: np.max([getattr(one, name) for one in found], axis=0) for name in MeanTest._fields if name not in least
    }
    return MeanTest(**least, **rest)


class Clustered(NamedTuple):
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

    def columns(self, numbers: Numbers) -> np.ndarray:
        """Numbers of the trailing shape, or one for all columns, as (columns,)."""
        return np.broadcast_to(np.asarray(numbers, dtype=np.float64), self.shape).reshape(-1)

    def shaped(self, columns: np.ndarray) -> Numbers:
        return columns.reshape(self.shape)[()]


def cluster_codes(clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row's cluster, (n,), and how many rows each cluster has, (clusters,)."""
    clusters = np.asarray(clusters)
    if clusters.ndim != 1 or clusters.size == 0:
        raise ValueError(f"clusters must be a non-empty vector of ids, got shape {clusters.shape}")
    _, codes, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    return codes, sizes


def clustered(values: np.ndarray, clusters: np.ndarray) -> Clustered:
    """The sums of rows by cluster, in the order of the sorted ids."""
    values = np.asarray(values, dtype=np.float64)
    codes, sizes = cluster_codes(clusters)
    if values.ndim == 0 or len(values) != len(codes):
        raise ValueError(f"values of shape {values.shape} do not match {len(codes)} cluster ids")
    if not np.isfinite(values).all():
        raise ValueError("values must be finite: drop or impute missing rows first")
    rows = values.reshape(len(values), -1)[np.argsort(codes, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return Clustered(np.add.reduceat(rows, starts, axis=0), sizes, values.shape[1:])
