"""Approximately how many texts it takes to tell an effect from a threshold, for samples that were too small."""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import stats

from emoscope.statistics.bounded import bounded_test, log_wealth
from emoscope.statistics.clusters import POWER

MOST = 2**20  # clusters: a sample of more is not asked for


def texts_for_mean(value: float, target: float, detectable: float, texts: int) -> float:
    """Texts needed to tell a mean from +/- target, given what the present texts can detect; inf if they coincide.

    What a sample can detect falls with the root of its size (and so must come down to the gap between the two).
    """
    gap = abs(abs(value) - target)
    return texts * (detectable / gap) ** 2 if gap else np.inf


def texts_for_rate(rate: float, target: float, alpha: float = 0.05) -> float:
    """Texts needed to tell a rate from target > 0 in a one-sided binomial test; inf if they coincide.

    The normal approximation of Fleiss, Levin & Paik (2003), section 2.5; below the target at least as many as it takes
    for zero events to be unlikely, for which the approximation is poor, and just so many if there are none.
    """
    if rate == target:
        return np.inf
    spread = [np.sqrt(share * (1 - share)) for share in (target, rate)]
    needed = (np.dot(stats.norm.ppf([1 - alpha, POWER]), spread) / (target - rate)) ** 2
    fewest = np.log(alpha) / np.log1p(-target) if rate < target else 0
    return float(np.ceil(max(needed, fewest) if rate else fewest))


@cache
def clusters_for_rate(rate: float, target: float, alpha: float = 0.05) -> float:
    """Clusters needed to tell a rate from target > 0 by `bounded_test`, as if all rows of one were alike; inf if that
    takes more than MOST."""

    def shown(clusters: int) -> bool:
        events = stats.binom.ppf(POWER if rate < target else 1 - POWER, clusters, rate)  # no worse four times in five
        happened = (np.arange(clusters) < events).astype(float)[:, None]
        x, m, tails = (1 - happened, 1 - target, 1) if rate < target else (happened, target, 2)
        return bool(log_wealth(x, np.ones(clusters), np.array([m])) >= np.log(tails / alpha))

    return float(_fewest(shown))


@cache
def texts_for_no_change(margin: float, alpha: float = 0.05) -> int:
    """The fewest texts that show a mean change of probabilities to lie within +/- margin, if not one of them changes,
    by `bounded_test`; with fewer nothing can show it."""

    def shown(texts: int) -> bool:
        return bool(bounded_test(np.zeros(texts), np.arange(texts), margin, alpha=alpha).p_within <= alpha)

    return int(_fewest(shown))


def _fewest(shown: Callable[[int], bool]) -> float:
    """The smallest number of which it is true, if it stays so; inf if that is more than MOST."""
    most = 1
    while not shown(most):
        most *= 2
        if most > MOST:
            return np.inf
    return bisect_left(range(most), True, lo=most // 2, key=shown)
