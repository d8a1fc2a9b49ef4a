"""Areas under curves: the ROC curve's (AUC), of one score under any row weights or of many at once with their p; and
average precision, how pure the rows are that a score puts first."""

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
    """AUC and its two-sided p for scores (texts, columns) and boolean groups (texts, groups): (columns, groups) each.

    The normal approximation with the exact permutation variance, ties included; Lehmann, "Nonparametrics" (1975). Far
    out it is too small by orders of magnitude for a column that is at its lowest value in most texts; there p is that
    of how many texts of the group are above it, by the hypergeometric distribution, twice one side: Fisher's exact
    test. NaN for a column that never varies, and for a group that is empty or all texts.
    """
    texts, inside = len(scores), members.sum(axis=0)
    outside = texts - inside
    ranks = stats.rankdata(scores, axis=0) - (texts + 1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        area = 0.5 + (ranks.T @ members) / (inside * outside)
        variance = np.square(ranks).sum(axis=0)[:, None] / (texts * (texts - 1)) / (inside * outside)
        p = 2 * stats.norm.sf(np.abs(area - 0.5) / np.sqrt(variance))  # 0 / 0 where all scores are alike: NaN
    above = scores > scores.min(axis=0)
    sparse = 2 * above.sum(axis=0) < texts
    both, drawn = above[:, sparse].T.astype(int) @ members, above[:, sparse].sum(axis=0)[:, None]
    tails = (stats.hypergeom.sf(both - 1, texts, drawn, inside), stats.hypergeom.cdf(both, texts, drawn, inside))
    p[sparse] = np.where(np.isnan(p[sparse]), np.nan, np.minimum(2 * np.minimum(*tails), 1))
    return area, p


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
