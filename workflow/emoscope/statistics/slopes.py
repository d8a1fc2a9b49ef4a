"""Straight lines through a few runs: least squares with Student's t."""

import numpy as np
from scipy import stats

from emoscope.statistics.clusters import Interval


def slopes(x: np.ndarray, y: np.ndarray, alpha: float = 0.05) -> tuple[np.ndarray, Interval]:
    """Least-squares slopes of y (n,) on the columns of x (n, k) together, with intervals: each float (k,).

    There is an intercept; t has n - k - 1 degrees of freedom. Errors are taken for independent and alike. NaN where the
    columns cannot be told apart, or no run is left to judge the errors by.
    """
    design = np.column_stack([np.ones(len(x)), np.asarray(x, dtype=float)])
    rows, columns = design.shape
    nothing = np.full(columns - 1, np.nan)
    if rows <= columns or np.linalg.matrix_rank(design) < columns:
        return nothing, Interval(nothing, nothing)
    fitted, *_ = np.linalg.lstsq(design, np.asarray(y, dtype=float), rcond=None)
    variance = ((y - design @ fitted) ** 2).sum() / (rows - columns)
    error = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    half = stats.t.isf(alpha / 2, rows - columns) * error
    return fitted[1:], Interval((fitted - half)[1:], (fitted + half)[1:])
