"""Rows that repeat texts, for tests of statistics that must not count a text twice."""

import numpy as np


def repeated_texts(columns: int, texts: int = 25, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Zero-mean columns in which a text may appear up to eight times and its copies nearly agree."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(texts), rng.integers(1, 9, size=texts))
    shared = rng.normal(size=(texts, columns))[clusters]
    return shared + 0.2 * rng.normal(size=shared.shape), rng.permutation(texts)[clusters]


def rare_losses(
    columns: int, clusters: int, rate: float, rows: int | str = 1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Columns in which a cluster loses everything (-1) at the given rate, else nothing; "1 to 5" rows in each, or 1."""
    rng = np.random.default_rng(seed)
    sizes = np.ones(clusters, dtype=int) if rows == 1 else rng.integers(1, 6, clusters)
    ids = np.repeat(np.arange(clusters), sizes)
    return -(rng.random((clusters, columns)) < rate).astype(float)[ids], ids
