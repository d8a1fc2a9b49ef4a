"""Distances between paired probability distributions."""

import numpy as np
from scipy import special


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


def _distributions(p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if p.ndim != 2 or p.shape != q.shape:
        raise ValueError(f"need two arrays of one shape (n, classes), got {p.shape} and {q.shape}")
    for rows in (p, q):
        if not ((rows >= 0).all() and (np.abs(rows.sum(axis=1) - 1) < 1e-3).all()):
            raise ValueError("each row must be a probability distribution: non-negative and summing to 1")
    return p, q
