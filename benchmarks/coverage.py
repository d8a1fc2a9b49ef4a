"""What intervals and tests of "no effect" keep of what they promise: simulated, so that the truth is known.

The mean change of a probability, where a share of the clusters loses all of it (-1) and the others nothing; where
changes are normal; and where they are half -1 and half 1. `false_equivalence`: how often the mean is said to lie within
the margin though it lies on it, at a level of 5 %; `coverage` of the true mean and `width` of 95 % intervals. Routes: a
percentile bootstrap with two one-sided t tests, as emoscope had; `bounded_test`; and Gaffke's bound, of which neither a
case is known where it fails, nor a proof that it never does.
"""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from scipy import stats

from emoscope.statistics.bootstrap import resamples_of
from emoscope.statistics.bounded import CHANGE, bounded_test
from emoscope.statistics.clusters import clustered

SAMPLES, RESAMPLES = 500, 999
CLUSTERS = (10, 34, 100, 305, 1_000)
RATES = (0.005, 0.02, 0.1)
ROWS = {"1": (1, 1), "1 to 10": (1, 10)}
Judged = tuple[np.ndarray, np.ndarray, np.ndarray]  # p of "within the margin", low, high


def measure() -> dict:
    table = [
        {"data": name, "clusters": clusters, "rows": rows, "route": route, **found}
        for name, clusters, rows, values, ids, mean in cases()
        for route, found in judged(values, ids, mean).items()
    ]
    worst = {
        route: {
            "false_equivalence": max(row["false_equivalence"] for row in own),
            "coverage": min(row["coverage"] for row in own),
        }
        for route in ROUTES
        for own in [[row for row in table if row["route"] == route]]
    }
    return {"samples": SAMPLES, "error_at_0.05": round(float(np.sqrt(0.05 * 0.95 / SAMPLES)), 4), "worst": worst} | {
        "table": table
    }


def cases() -> Iterator[tuple[str, int, str, np.ndarray, np.ndarray, float]]:
    """Name, clusters, rows in each, values (rows, SAMPLES), ids of clusters (rows,), and the true mean."""
    for clusters, (rows, (least, most)) in product(CLUSTERS, ROWS.items()):
        rng = np.random.default_rng(clusters)
        ids = np.repeat(np.arange(clusters), rng.integers(least, most, clusters, endpoint=True))
        for rate in RATES:
            lost = rng.random((clusters, SAMPLES)) < rate
            yield f"{100 * rate:g} % lose all", clusters, rows, -lost.astype(float)[ids], ids, -rate
        spread = np.clip(rng.normal(0, 0.1, (clusters, SAMPLES)), -0.5, 0.5)  # what is clipped leaves the mean at zero
        yield "normal, sd 0.1", clusters, rows, spread[ids] - 0.02, ids, -0.02
        coins = rng.random((clusters, SAMPLES)) < 0.5
        yield "half -1, half 1", clusters, rows, np.where(coins, -1.0, 1.0)[ids], ids, 0.0


def judged(values: np.ndarray, ids: np.ndarray, mean: float) -> dict[str, dict[str, float]]:
    found = {}
    for route, judge in ROUTES.items():
        within, low, high = judge(values, ids, abs(mean) or 0.02)
        false = float(np.mean(within <= 0.05)) if mean else 0.0
        covered = float(np.mean((low <= mean) & (mean <= high)))
        found[route] = {"false_equivalence": round(false, 3), "coverage": round(covered, 3)}
        found[route]["width"] = round(float(np.mean(high - low)), 4)
    return found


def t_and_bootstrap(values: np.ndarray, ids: np.ndarray, margin: float) -> Judged:
    data = clustered(values, ids)
    n = len(data.sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = stats.t.sf((margin - np.abs(data.mean)) / data.standard_error, n - 1)
    totals = np.column_stack([data.sums, data.sizes])
    drawn = np.concatenate([weights @ totals for weights in resamples_of(n, RESAMPLES, seed=0)])
    tail = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1))
    low, high = np.quantile(drawn[:, :-1] / drawn[:, -1:], [tail, 1 - tail], axis=0)
    return within, low, high


def betting(values: np.ndarray, ids: np.ndarray, margin: float) -> Judged:
    found = bounded_test(values, ids, margin, CHANGE)
    return found.p_within, found.low, found.high


def gaffke(values: np.ndarray, ids: np.ndarray, margin: float) -> Judged:
    """Means of the clusters and one more at the bound, under random weights (Dirichlet); a cluster weighs its rows."""
    data, rng = clustered(values, ids), np.random.default_rng(0)
    weights = rng.exponential(size=(RESAMPLES, len(data.sizes) + 1))
    rows = weights[:, :-1] @ data.sizes + weights[:, -1] * data.sizes.max()
    sums, bound = weights[:, :-1] @ data.sums, (weights[:, -1] * data.sizes.max())[:, None]
    below, above = (sums - bound) / rows[:, None], (sums + bound) / rows[:, None]
    within = np.maximum((above >= margin).mean(axis=0), (below <= -margin).mean(axis=0))
    return within, np.quantile(below, 0.025, axis=0), np.quantile(above, 0.975, axis=0)


ROUTES: dict[str, Callable[[np.ndarray, np.ndarray, float], Judged]] = {
    "t and bootstrap": t_and_bootstrap,
    "betting": betting,
    "Gaffke": gaffke,
}
