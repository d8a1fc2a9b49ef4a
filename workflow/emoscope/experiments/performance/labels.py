"""How well a classifier does that may give a text several labels, beyond what is measured of every classifier."""

from collections.abc import Callable

import numpy as np

from emoscope.statistics.auc import average_precision
from emoscope.statistics.bootstrap import bootstrap_statistic

OVERALL = (
    *("micro_precision", "micro_recall", "micro_f1", "macro_precision", "macro_recall"),
    *("average_precision", "hamming_loss"),
)
F1 = ("micro_f1", "macro_f1")


def label_statistic(truth: np.ndarray, given: np.ndarray, scores: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function from row weights (n,) to the average precision of each label and then OVERALL; arrays are (n, labels).

    Micro: of all pairs of a text and a label together; macro: mean over labels, where one never given has a precision
    of 0, and one that no text has a recall of 0. `average_precision` is the mean over the labels that occur, NaN if
    none does. `hamming_loss`: the share of pairs that are decided wrongly.
    """
    ranked = [average_precision(*label) for label in zip(truth.T, scores.T, strict=True)]
    hits, has, takes = ((kind).astype(float) for kind in (truth & given, truth, given))

    def statistic(weights: np.ndarray) -> np.ndarray:
        hit, actual, taken = (weights @ kind for kind in (hits, has, takes))
        each = np.array([average(weights) for average in ranked])
        precision, recall = (hit / np.where(of > 0, of, 1) for of in (taken, actual))
        wrong = (actual.sum() + taken.sum() - 2 * hit.sum()) / max(weights.sum() * truth.shape[1], 1)
        micro = (_share(hit.sum(), of) for of in (taken.sum(), actual.sum(), (taken.sum() + actual.sum()) / 2))
        known = each[~np.isnan(each)]
        average = known.mean() if len(known) else np.nan
        return np.array([*each, *micro, precision.mean(), recall.mean(), average, wrong])

    return statistic


def f1_scores(truth: np.ndarray, given: np.ndarray) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """A function from row weights (n,) to the F1 of all pairs of a text and a label or class, and of each (labels,)."""
    hits, sizes = (truth & given).astype(float), truth.astype(float) + given

    def statistic(weights: np.ndarray) -> tuple[float, np.ndarray]:
        hit, size = 2 * weights @ hits, weights @ sizes
        return _share(hit.sum(), size.sum()), hit / np.where(size > 0, size, 1)

    return statistic


def f1_beside(
    truth: np.ndarray, given: np.ndarray, other: np.ndarray, texts: np.ndarray, **options
) -> dict[str, np.ndarray]:
    """F1 of the `other` decisions, and how much higher that of those `given` is: by name `value, low, high`."""
    own, others = f1_scores(truth, given), f1_scores(truth, other)

    def statistic(weights: np.ndarray) -> np.ndarray:
        ours, theirs = (np.array([micro, each.mean()]) for micro, each in (own(weights), others(weights)))
        return np.append(theirs, ours - theirs)

    found = np.column_stack([statistic(np.ones(len(truth))), *bootstrap_statistic(statistic, texts, **options)])
    return dict(zip([*F1, *(f"{name}_difference" for name in F1)], found, strict=True))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
