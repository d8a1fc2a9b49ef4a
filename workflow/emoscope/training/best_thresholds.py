"""Of each label the probability from which on giving it has the highest F1; light, no model is needed."""

import numpy as np

EVEN = 0.5  # more likely than not


def best_thresholds(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Of each label the threshold with the highest F1, float32 (labels,); both arguments are (texts, labels).

    It lies midway between the lowest probability that reaches it and the highest that does not. Of equals the highest
    is taken; a label that no text has gets EVEN.
    """
    return np.array([_best(*label) for label in zip(truth.T, probabilities.T, strict=True)], dtype=np.float32)


def _best(truth: np.ndarray, scores: np.ndarray) -> float:
    if not truth.any():
        return EVEN
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], truth[order].cumsum()
    f1 = 2 * hits / (np.arange(1, len(scores) + 1) + truth.sum())
    f1[:-1][scores[:-1] == scores[1:]] = -1  # equal probabilities are on one side of any threshold
    best = int(f1.argmax())
    lowest, below = scores[best], scores[best + 1] if best + 1 < len(scores) else 0.0
    middle = np.float32((lowest + below) / 2)
    return middle if middle > below else lowest
