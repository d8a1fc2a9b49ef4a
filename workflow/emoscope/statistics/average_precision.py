"""Average precision: how pure the texts are that a score puts first."""

from collections.abc import Callable

import numpy as np


def average_precision(positive: np.ndarray, score: np.ndarray) -> Callable[[np.ndarray], float]:
    """A function from row weights (n,) to the average precision of one class; NaN without a positive row.

    The mean over positive rows of the precision among the rows that score as high or higher (scikit-learn's
    `average_precision_score`, without interpolation). Sorted once; ties stand together.
    """
    order = np.argsort(-score, kind="stable")
    ordered, positive = score[order], positive[order].astype(float)
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))[: len(ordered)]  # of each group of ties

    def average(weights: np.ndarray) -> float:
        weights = weights[order]
        found, passed = (weights * positive).cumsum()[last], weights.cumsum()[last]
        if not len(found) or not found[-1]:
            return np.nan
        gained = np.diff(found, prepend=0)
        return gained @ (found / np.where(passed > 0, passed, 1)) / found[-1]

    return average
