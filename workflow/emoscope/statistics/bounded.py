"""Tests and intervals of means of bounded measures, such as changes of probabilities, that hold at any sample size.

They bet against the mean being m. A gambler stakes a fixed share c of the wealth on every cluster, which pays x / m,
and so multiplies it by 1 + c (x / m - 1). If m is the mean, no strategy expects to win, so wealth of 1 / alpha or more
has probability alpha at most (Ville, Markov): p is 1 / wealth, and an interval holds the m that are not rejected.
Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", Journal of the Royal
Statistical Society B 86, 1. The wealth is the mean over several c, their grid Kelly; constant c make it independent of
the order of rows. The shares depend on sample size and m alone, not on the outcomes.

Assumed are bounds and independent clusters, no more: the mean weighs rows, and clusters of different sizes may have
different means. Stakes are in proportion to size, and then the product of the expected factors is at most 1 whenever
the mean over rows is m, as their geometric mean is not above the arithmetic one. Where one large cluster would keep the
stakes of all others small, some strategies cap its stake, and divide their wealth by what that could win.

Shapes are those of clusters.py. Values outside `bounds` raise ValueError.
"""

import numpy as np
from scipy import optimize, special, stats
from scipy.optimize import elementwise

from emoscope.statistics.clusters import FEWEST_CLUSTERS, POWER, Clustered, Interval, MeanTest, Numbers, clustered

CHANGE = (-1.0, 1.0)  # bounds of a difference of two probabilities, or of two rates
SHARE = (0.0, 1.0)  # of a probability, an accuracy, a distance of distributions
STRATEGIES = 4
CAPS = 3  # more strategies, where clusters differ in size
ALL_IN = 0.98  # the largest share; to lose all once is to lose for good
USUAL_COST = np.log(2 / 0.05) + 1  # log wealth that a 95 % interval asks for; the smallest share is best for it


def bounded_test(
    values: np.ndarray,
    clusters: np.ndarray,
    margin: Numbers,
    bounds: tuple[Numbers, Numbers] = CHANGE,
    alpha: float = 0.05,
    tests: Numbers = 1,
) -> MeanTest:
    """Each column's mean with interval and tests, all by betting; `margin` in the units of values, > 0.

    Margins, bounds and `tests`, over how many `p_difference` will be adjusted, may differ by column. Tighter
    bounds give stronger tests: a probability that was 0.99 cannot rise by more than 0.01.
    """
    if not np.all(np.asarray(margin) > 0):
        raise ValueError(f"margin must be positive, got {margin}")
    data = clustered(values, clusters)
    bets = _Bets(data, bounds)
    levels = alpha / data.columns(tests)
    low, high = bets.interval(data.columns(alpha))
    in_family = bets.interval(levels) if (levels < alpha).any() else (low, high)
    margins = data.columns(margin)
    upper, lower = bets.scaled(margins), bets.scaled(-margins)
    zero = bets.scaled(np.zeros(len(margins)))
    chance = stats.norm.ppf(POWER) * data.standard_error
    detectable, alone_in_family = (np.fmax(data.mean - a, b - data.mean) + chance for a, b in ((low, high), in_family))
    found = {
        "value": data.mean,
        "low": low,
        "high": high,
        "p_difference": _either(bets.p_above(zero), bets.p_below(zero)),
        "p_within": np.maximum(bets.p_below(upper), bets.p_above(lower)),
        "p_beyond": _either(bets.p_above(upper), bets.p_below(lower)),
        "detectable": detectable,
        "detectable_in_family": alone_in_family,
    }
    return MeanTest(**{name: data.shaped(column) for name, column in found.items()}, n=len(data.sizes))


def bounded_interval(
    values: np.ndarray, clusters: np.ndarray, bounds: tuple[Numbers, Numbers], alpha: float = 0.05
) -> Interval:
    """Interval of each column's mean; NaN for fewer than FEWEST_CLUSTERS."""
    data = clustered(values, clusters)
    return Interval(*map(data.shaped, _Bets(data, bounds).interval(data.columns(alpha))))


class _Bets:
    """Bets on the clusters' means, put on a scale from 0 (the lower bound) to 1."""

    def __init__(self, data: Clustered, bounds: tuple[Numbers, Numbers]):
        self.low, high = (data.columns(bound) for bound in bounds)
        self.width = high - self.low
        x = (data.sums / data.sizes[:, None] - self.low) / self.width
        if (x < -1e-6).any() or (x > 1 + 1e-6).any():
            raise ValueError("values lie beyond their bounds: pass others, or judge them by studentised_test")
        self.x = np.clip(x, 0, 1)
        self.sizes = data.sizes

    def scaled(self, means: np.ndarray) -> np.ndarray:
        return (means - self.low) / self.width

    def p_above(self, m: np.ndarray) -> np.ndarray:
        """p of a mean of at most m (columns,), against a larger one; 0 where the bounds forbid such a mean."""
        return np.where(m < 0, 0, np.exp(-np.maximum(log_wealth(self.x, self.sizes, m), 0)))

    def p_below(self, m: np.ndarray) -> np.ndarray:
        return np.where(m > 1, 0, np.exp(-np.maximum(log_wealth(1 - self.x, self.sizes, 1 - m), 0)))

    def interval(self, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """At 1 - alpha (columns,)."""
        if len(self.x) < FEWEST_CLUSTERS:
            return (np.full(self.x.shape[1], np.nan),) * 2
        low = _lower_bound(self.x, self.sizes, alpha / 2)
        high = 1 - _lower_bound(1 - self.x, self.sizes, alpha / 2)
        return self.low + self.width * low, self.low + self.width * high


def log_wealth(x: np.ndarray, sizes: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Logarithm of the wealth after bets that the mean of x (clusters, columns) in [0, 1] exceeds m (columns,).

    It falls as m grows: every factor does, and the stakes, which grow as its root at most, grow too slowly to matter.
    """
    m = np.maximum(m, 1e-12)
    weights = sizes / sizes.max()
    smallest = np.minimum(np.sqrt(2 * USUAL_COST * m / (weights**2).sum()), 0.5)  # best for the largest spread
    stakes = special.expit(np.linspace(special.logit(smallest), special.logit(ALL_IN), STRATEGIES))
    gains = x / m - 1
    weighed = gains if weights.min() == 1 else gains * weights[:, None]
    wealth = [np.log(1 + stake * weighed).sum(axis=0) for stake in stakes]
    for stake in _capped(sizes):
        wealth.append(np.log(1 + stake[:, None] * gains).sum(axis=0) - _largest_gain(sizes, stake))
    return special.logsumexp(wealth, axis=0) - np.log(len(wealth))


def _capped(sizes: np.ndarray) -> list[np.ndarray]:
    """Stakes (clusters,) of further strategies where sizes differ: larger ones, but none above ALL_IN."""
    least, most = sizes.min(), sizes.max()
    if least == most:
        return []
    return [np.minimum(ALL_IN * sizes / size, ALL_IN) for size in np.geomspace(most, least, CAPS + 1)[1:]]


def _largest_gain(sizes: np.ndarray, stakes: np.ndarray) -> float:
    """Logarithm of the largest expected wealth after `stakes` that clusters whose mean over rows is m allow.

    That is, of the product of 1 + stake (mean / m - 1) over means >= 0 that average 1 in units of m. At the maximum,
    by Lagrange, mean / m = max(0, level / size - (1 - stake) / stake).
    """

    def means(level: float) -> np.ndarray:
        return np.maximum(level / sizes - (1 - stakes) / stakes, 0)

    def excess(level: float) -> float:
        return sizes @ means(level) - sizes.sum()

    level = optimize.brentq(excess, 0, 1e3 * sizes.max() * len(sizes))
    return float(np.log(1 + stakes * (means(level) - 1)).sum())


def _lower_bound(x: np.ndarray, sizes: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The smallest m that is not rejected at alpha (columns,), or a little less, each column (columns,)."""
    mean = sizes @ x / sizes.sum()

    def excess(m: np.ndarray, column: np.ndarray) -> np.ndarray:
        return log_wealth(x[:, column], sizes, m) + np.log(alpha[column])

    positive = np.flatnonzero(mean > 0)
    bound = np.zeros(len(mean))
    if len(positive):
        start = (1e-9 * mean[positive], mean[positive])
        tolerances = {"xrtol": 1e-5, "xatol": 1e-7}
        found = elementwise.find_root(excess, start, args=(positive,), tolerances=tolerances, maxiter=60)
        bound[positive] = np.where(found.success, np.minimum(*found.bracket), 0)
    return bound


def _either(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """p of a two-sided test (Bonferroni)."""
    return np.minimum(2 * np.minimum(one, other), 1)
