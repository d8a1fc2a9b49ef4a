"""Rows that repeat texts, for tests of statistics that must not count a text twice."""

import numpy as np


def repeated_texts(columns: int, texts: int = 25, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Zero-mean columns in which a text may appear up to eight times and its copies nearly agree."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(texts), rng.integers(1, 9, size=texts))
    shared = rng.normal(size=(texts, columns))[clusters]
    return shared + 0.2 * rng.normal(size=shared.shape), rng.permutation(texts)[clusters]
