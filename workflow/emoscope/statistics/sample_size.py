"""Approximately how many texts it takes to tell an effect from a threshold, for samples that were too small."""

from bisect import bisect_left
from functools import cache

import numpy as np
from scipy import stats

from emoscope.statistics.bounded import bounded_test
from emoscope.statistics.clusters import POWER


def texts_for_mean(value: float, target: float, detectable: float, texts: int) -> float:
    """Texts needed to tell a mean from +/- target, given what the present texts can detect; inf if they coincide.

    What a sample can detect falls with the root of its size (and so must come down to the gap between the two).
    """
    gap = abs(abs(value) - target)
    return texts * (detectable / gap) ** 2 if gap else np.inf


def texts_for_rate(rate: float, target: float, alpha: float = 0.05, power: float = POWER) -> float:
    """Texts needed to tell a rate from target > 0 in a one-sided binomial test; inf if they coincide.

    The normal approximation of Fleiss, Levin & Paik (2003), section 2.5; below the target at least as many as it takes
    for zero events to be unlikely, for which the approximation is poor.
    """
    if rate == target:
        return np.inf
    spread = [np.sqrt(share * (1 - share)) for share in (target, rate)]
    needed = (np.dot(stats.norm.ppf([1 - alpha, power]), spread) / (target - rate)) ** 2
    fewest = np.log(alpha) / np.log1p(-target) if rate < target else 0
    return float(np.ceil(max(needed, fewest)))


@cache
def texts_for_no_change(margin: float, alpha: float = 0.05) -> int:
    """The fewest texts that show a mean change of probabilities to lie within +/- margin, if not one of them changes,
    by `bounded_test`; with fewer nothing can show it."""

    def shown(texts: int) -> bool:
        return bool(bounded_test(np.zeros(texts), np.arange(texts), margin, alpha=alpha).p_within <= alpha)

    most = 1
    while not shown(most):
        most *= 2
    return bisect_left(range(most), True, lo=most // 2, key=shown)
