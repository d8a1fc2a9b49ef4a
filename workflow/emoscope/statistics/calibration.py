"""How far confidence and accuracy lie apart."""

import numpy as np

BINS = 10


def bins_of(confidence: np.ndarray) -> np.ndarray:
    """The number of each row's bin among BINS equal ones, (rows,)."""
    return np.minimum((confidence * BINS).astype(int), BINS - 1)


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: np.ndarray, weights: np.ndarray) -> float:
    """Expected calibration error, the mean over rows of |confidence - accuracy| of their bin: Naeini, Cooper and
    Hauskrecht (2015). Arrays (rows,); it is too large in few rows, as chance sets the two apart in a small bin."""
    return np.abs(np.bincount(bins, weights=weights * (confidence - right))).sum() / max(weights.sum(), 1)
