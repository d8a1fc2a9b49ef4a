"""Tests and intervals of means of measures without bounds, such as logits and losses: the studentised bootstrap.

Clusters are resampled, and the mean's distance from that of the sample is divided by the resample's own cluster-robust
standard error: Hall (1992), "The bootstrap and Edgeworth expansion", chapter 3. Means may be skewed. It is right for
many clusters, not for any number: where values are as skewed as lognormal ones, 10 % of means that are zero differ from
it at 8 clusters, 9 % at 20 and 6 % at 300, at a level of 5 % (simulated: docs/statistics.md). Without bounds nothing
can be (Bahadur and Savage 1956), as a value so rare that the sample lacks it may move the mean as far as one likes.
"""

import math

import numpy as np
from scipy import stats

from emoscope.statistics.bootstrap import on_a_grid, resamples_of
from emoscope.statistics.clusters import FEWEST_CLUSTERS, POWER, Clustered, MeanTest, Numbers, clustered


def studentised_test(
    values: np.ndarray,
    clusters: np.ndarray,
    margin: Numbers | None = None,
    *,
    seed: int,
    resamples: int,
    alpha: float = 0.05,
    tests: Numbers = 1,
) -> MeanTest:
    """Each column's mean with interval and tests; all but the value is NaN for fewer than FEWEST_CLUSTERS. Without a
    margin `p_within` and `p_beyond` are NaN.

    p is (1 + b) / (1 + resamples), Phipson & Smyth (2010). There are at least as many resamples as the smallest p needs
    to survive adjustment over a family of `tests` (a number, or one for each column), or of all columns if these are
    more. A column without any spread counts as known exactly.
    """
    if margin is not None and not np.all(np.asarray(margin) > 0):
        raise ValueError(f"margin must be positive, got {margin}")
    data = clustered(values, clusters)
    mean, error = data.mean, data.standard_error
    if len(data.sizes) < FEWEST_CLUSTERS:
        unknown = [data.shaped(np.full(len(mean), np.nan))] * 7
        return MeanTest(data.shaped(mean), *unknown, n=len(data.sizes))
    family = data.columns(tests)
    resamples = max(resamples, math.ceil(2 * max(family.max(), len(mean)) / alpha))
    drawn = _drawn(data, resamples, seed)

    def above(null: np.ndarray) -> np.ndarray:
        return _share(drawn >= _studentised(mean - null, error))

    def below(null: np.ndarray) -> np.ndarray:
        return _share(drawn <= _studentised(mean - null, error))

    within = beyond = np.full(len(mean), np.nan)
    if margin is not None:
        margins = data.columns(margin)
        within = np.maximum(below(margins), above(-margins))
        beyond = np.minimum(2 * np.minimum(above(margins), below(-margins)), 1)
    low, high = _interval(drawn, mean, error, alpha)
    chance = stats.norm.ppf(POWER) * error
    in_family = np.zeros(len(mean))
    for count in np.unique(family):
        least, most = _interval(drawn, mean, error, alpha / count)
        in_family = np.where(family == count, np.maximum(mean - least, most - mean) + chance, in_family)
    found = {
        "value": mean,
        "low": low,
        "high": high,
        "p_difference": np.minimum(2 * np.minimum(above(0), below(0)), 1),
        "p_within": within,
        "p_beyond": beyond,
        "detectable": np.maximum(mean - low, high - mean) + chance,
        "detectable_in_family": in_family,
    }
    return MeanTest(**{name: data.shaped(column) for name, column in found.items()}, n=len(data.sizes))


def _interval(drawn: np.ndarray, mean: np.ndarray, error: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """What studentised distances (resamples, columns) leave of the means (columns,) at 1 - alpha."""
    upper, lower = np.quantile(drawn, [1 - alpha / 2, alpha / 2], axis=0, method="inverted_cdf")
    with np.errstate(invalid="ignore"):
        return tuple(np.where(error > 0, mean - error * bound, mean) for bound in (upper, lower))


def _share(reached: np.ndarray) -> np.ndarray:
    return (1 + reached.sum(axis=0)) / (1 + len(reached))


def _drawn(data: Clustered, resamples: int, seed: int) -> np.ndarray:
    """The studentised distances of the resamples' means from that of the sample, (resamples, columns)."""
    sizes, n = data.sizes, len(data.sizes)
    residuals = data.sums - data.mean * sizes[:, None]
    columns = np.hstack([residuals, residuals**2, residuals * sizes[:, None], sizes[:, None], sizes[:, None] ** 2])
    columns, parts = on_a_grid(columns, n), []
    for weights in resamples_of(n, resamples, seed):
        sums, squares, products, rows, sizes_squared = np.split(
            weights @ columns, np.cumsum([residuals.shape[1]] * 3 + [1]), axis=1
        )
        distance = sums / rows
        variance = squares - 2 * distance * products + distance**2 * sizes_squared
        error = np.sqrt(np.maximum(variance, 0) * n / (n - 1)) / rows
        parts.append(_studentised(distance, np.where(variance > 1e-12 * squares, error, 0)))
    return np.concatenate(parts)


def _studentised(distance: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Distance over error; infinite if there is a distance but no error, and nil without either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(distance / error, nan=0.0, posinf=np.inf, neginf=-np.inf)
