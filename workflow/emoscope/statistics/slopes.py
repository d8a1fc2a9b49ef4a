"""Straight lines, with Student's t: least squares through a few runs, and whether two columns go together."""

import numpy as np
from scipy import stats

from emoscope.statistics.clusters import FEWEST_CLUSTERS, Interval, clustered


def slopes(x: np.ndarray, y: np.ndarray, alpha: float = 0.05) -> tuple[np.ndarray, Interval]:
    """Least-squares slopes of y (n,) on the columns of x (n, k) together, with intervals: each float (k,).

    There is an intercept; t has n - k - 1 degrees of freedom. Errors are taken for independent and alike. NaN where the
    columns cannot be told apart, or no run is left to judge the errors by.
    """
    design, fitted = _fitted(x, y)
    rows, columns = design.shape
    if rows <= columns or np.isnan(fitted).any():
        nothing = np.full(columns - 1, np.nan)
        return nothing, Interval(nothing, nothing)
    variance = ((y - design @ fitted) ** 2).sum() / (rows - columns)
    error = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    half = stats.t.isf(alpha / 2, rows - columns) * error
    return fitted[1:], Interval((fitted - half)[1:], (fitted + half)[1:])


def slopes_over_groups(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, alpha: float = 0.05
) -> tuple[np.ndarray, Interval]:
    """`slopes`, whose intervals hold for more groups as well, where runs of one group (n,) may share a slope.

    The wider of two intervals: that of `slopes`, and Student's t over the groups, by how far the slopes move without
    each of them, the jackknife, MacKinnon, Nielsen and Webb (2023), Journal of Applied Econometrics 38, 671; it has one
    degree of freedom less than there are groups. Of one group that of `slopes`; NaN where without one of several
    groups the columns cannot be told apart.
    """
    found, (low, high) = slopes(x, y, alpha)
    names = np.unique(groups)
    if len(names) == 1:
        return found, Interval(low, high)
    without = np.stack([_fitted(x[groups != name], y[groups != name])[1][1:] for name in names])
    error = np.sqrt((1 - 1 / len(names)) * ((without - found) ** 2).sum(axis=0))
    half = np.maximum((high - low) / 2, stats.t.isf(alpha / 2, len(names) - 1) * error)
    return found, Interval(found - half, found + half)


def _fitted(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The design (n, k + 1), and intercept and slopes (k + 1,); NaN where these cannot be told apart."""
    design = np.column_stack([np.ones(len(x)), np.asarray(x, dtype=float)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return design, np.full(design.shape[1], np.nan)
    return design, np.linalg.lstsq(design, np.asarray(y, dtype=float), rcond=None)[0]


def correlation_p(x: np.ndarray, y: np.ndarray, clusters: np.ndarray) -> float:
    """Two-sided p that Pearson's correlation of x and y (n,) is nil; scipy's `pearsonr` where every row is a cluster.

    Else with effective rows for rows, Kish (1965): rows times the variance of the correlation for independent rows over
    that for independent clusters, both by its influence function, Devlin, Gnanadesikan and Kettenring (1975),
    Biometrika 62, 531; bounded as `rates.effective_rows` is. NaN if x or y does not vary, or for fewer than
    FEWEST_CLUSTERS clusters of several rows.
    """
    x, y = (np.asarray(column, dtype=float) for column in (x, y))
    if not (np.ptp(x) and np.ptp(y)) or len(np.unique(clusters)) < min(FEWEST_CLUSTERS, len(x)):
        return np.nan
    r = float(stats.pearsonr(x, y).statistic)
    x, y = ((column - column.mean()) / column.std() for column in (x, y))
    influence = x * y - r * (x**2 + y**2) / 2
    data = clustered(influence, clusters)
    least, together = len(x) ** 2 / (data.sizes**2).sum(), (data.sums**2).sum()
    rows = np.clip(len(x) * (influence**2).sum() / together, least, len(x)) if together else least
    half = rows / 2 - 1
    return float(2 * stats.beta.sf(abs(r), half, half, loc=-1, scale=2))
