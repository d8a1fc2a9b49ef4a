"""p values adjusted for the number of tests in a family."""

import numpy as np
from statsmodels.stats.multitest import multipletests


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """FDR-adjusted p over the whole array as one family, same shape; NaN stays NaN and does not count as a test."""
    return _adjusted(p, "fdr_bh")


def holm(p: np.ndarray) -> np.ndarray:
    """As `benjamini_hochberg`, but controls the family-wise error (Holm 1979): use it to name single members."""
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
