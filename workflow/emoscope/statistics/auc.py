"""The area under the ROC curve (AUC): of one score under any row weights, or of many scores at once with their p."""

from collections.abc import Callable

import numpy as np
from scipy import stats


def one_vs_rest_auc(positive: np.ndarray, score: np.ndarray) -> Callable[[np.ndarray], float]:
    """A function from row weights to the area under the ROC curve of one class against the rest; NaN unless both occur.

    Sorted once: an area is the share of negative weight below each positive row, ties counting half (Mann-Whitney).
    """
    negatives, positives = np.flatnonzero(~positive), np.flatnonzero(positive)
    negatives = negatives[np.argsort(score[negatives])]
    below, upto = (np.searchsorted(score[negatives], score[positives], side) for side in ("left", "right"))

    def area(weights: np.ndarray) -> float:
        passed, weight = np.concatenate([[0], np.cumsum(weights[negatives])]), weights[positives]
        pairs = passed[-1] * weight.sum()
        return weight @ (passed[below] + passed[upto]) / (2 * pairs) if pairs else np.nan

    return area


def rank_auc(scores: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUC and its p for scores (texts, columns) and groups (texts, groups) of booleans: (columns, groups) each.

    The normal approximation with the exact permutation variance, ties included; Lehmann, "Nonparametrics" (1975).
    """
    texts, inside = len(scores), members.sum(axis=0)
    outside = texts - inside
    ranks = stats.rankdata(scores, axis=0) - (texts + 1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        area = 0.5 + (ranks.T @ members) / (inside * outside)
        variance = np.square(ranks).sum(axis=0)[:, None] / (texts * (texts - 1)) / (inside * outside)
        p = 2 * stats.norm.sf(np.abs(area - 0.5) / np.sqrt(variance))  # 0 / 0 where all scores are alike: NaN
    return area, p
