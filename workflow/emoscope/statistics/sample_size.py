"""Approximately how many texts it takes to tell an effect from a threshold, for samples that were too small."""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import stats

from emoscope.statistics.bounded import bounded_test, log_wealth
from emoscope.statistics.clusters import POWER, Numbers

MOST = 2**20  # clusters: a sample of more is not asked for


def texts_for_mean(value: float, target: float, detectable: float, texts: int) -> float:
    """Texts needed to tell a mean from +/- target, given what the present texts can detect; inf if they coincide.

    What a sample can detect falls with the root of its size (and so must come down to the gap between the two).
    """
    gap = abs(abs(value) - target)
    return texts * (detectable / gap) ** 2 if gap else np.inf


@cache
def texts_for_rate(rate: float, target: float, alpha: float = 0.05) -> float:
    """Texts from which on the exact one-sided binomial test tells a rate from target > 0 with POWER; inf if that takes
    more than MOST.

    Power rises in teeth, as long as it takes to expect one event more: fewer texts may do, and some more not.
    """
    tooth = np.arange(np.ceil(1 / target))

    def shown(texts: int) -> bool:
        n = texts + tooth
        events = _unfavourable(rate, target, n)
        p = stats.binom.cdf(events, n, target) if rate < target else stats.binom.sf(events - 1, n, target)
        return bool((p <= alpha).all())

    return float(_fewest(shown))


@cache
def clusters_for_rate(rate: float, target: float, alpha: float = 0.05) -> float:
    """Clusters needed to tell a rate from target > 0 by `bounded_test`, as if all rows of one were alike; inf if that
    takes more than MOST."""

    def shown(clusters: int) -> bool:
        events = _unfavourable(rate, target, clusters)
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


def _unfavourable(rate: float, target: float, trials: Numbers) -> Numbers:
    """Events among so many trials than which the sample is no worse, for telling the two apart, with POWER."""
    return stats.binom.ppf(POWER if rate < target else 1 - POWER, trials, rate)


def _fewest(shown: Callable[[int], bool]) -> float:
    """The smallest number of which it is true, if it stays so; inf if that is more than MOST."""
    most = 1
    while not shown(most):
        most *= 2
        if most > MOST:
            return np.inf
    return bisect_left(range(most), True, lo=most // 2, key=shown)
