"""Approximately how many texts it takes to tell an effect from a threshold, for samples that were too small."""

import numpy as np
from scipy import stats

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
