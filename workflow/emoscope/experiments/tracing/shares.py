"""Effects over many pairs as shares of what the pairs move, with intervals: flips, neutral swaps, and the difference.

The share is the sum of the effects over the sum of the totals, the normalised logit difference of Wang et al. 2022
(arXiv:2211.00593; Zhang and Nanda 2024, arXiv:2309.16042) for a whole sample: pairs count by how far they move the
answer, and one that hardly moves it has no share of its own that could be far too large.
"""

import numpy as np
import pandas as pd

from emoscope.perturbation.inside.names import FLIP, NEUTRAL, ROUNDING
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bootstrap import bootstrap_statistic, on_a_grid
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.equivalence import interval_test
from emoscope.statistics.studentised import studentised_test

KEY = ["measure", "direction", "site", "place", "block", "head"]
BOTH = "both"  # in the column `direction`: the mean of the two
COLUMNS = [*KEY, "kind", "value", "low", "high", "p_adjusted", "pairs", "clusters"]


def summarise_shares(averaged: pd.DataFrame, effects: pd.DataFrame, options: dict) -> pd.DataFrame:
    """A row for each part of the model and kind (`flip`, `neutral`, `difference`): COLUMNS. `options`: of `resampling`.

    Intervals are of a bootstrap over clusters, which flips and neutral swaps of the same text share; a kind of fewer
    than FEWEST_CLUSTERS has none, nor has its difference from the other. `p_adjusted` tests that the mean effect of
    a kind is zero, or that the difference of the shares is, by the normal errors that its interval implies; adjusted
    over the parts of one measure and site (Benjamini and Hochberg).
    Patches that were made in both directions have a third row, `both`, of all their effects over all their totals.
    """
    pairs = averaged.dropna(subset="total").set_index("pair").sort_index()
    if not len(pairs) or not len(effects):
        return pd.DataFrame(columns=COLUMNS)
    table = effects.pivot(index="pair", columns=KEY, values="effect").reindex(pairs.index)
    table = pd.concat([table, both_directions(table)], axis=1)
    numbers = (table.to_numpy(dtype=float), pairs["total"].to_numpy())
    values, totals = (on_a_grid(number, len(pairs)) for number in numbers)
    clusters = pairs["cluster"].to_numpy()
    flips = (pairs["kind"] == FLIP).to_numpy()
    found = ratios(np.ones(len(pairs)), values, totals, flips)
    low, high = np.full((2, *found.shape), np.nan)
    known = ~np.isnan(found).any(axis=1)
    if known.any():
        low[known], high[known] = bootstrap_statistic(
            lambda weights: ratios(weights, values, totals, flips)[known], clusters, **options
        )
    few = [len(set(clusters[chosen])) < FEWEST_CLUSTERS for chosen in (flips, ~flips)]
    low[[*few, any(few)]] = high[[*few, any(few)]] = np.nan
    own, parts = {FLIP: flips, NEUTRAL: ~flips}, []
    p = {
        kind: studentised_test(values[chosen], clusters[chosen], **options).p_difference
        for kind, chosen in own.items()
        if chosen.any()
    }
    p["difference"] = _not_zero(found[-1], low[-1], high[-1], options["alpha"])
    for number, kind in enumerate((FLIP, NEUTRAL, "difference")):
        chosen = own.get(kind, np.ones(len(flips), dtype=bool))
        numbers = {"value": found[number], "low": low[number], "high": high[number]}
        part = table.columns.to_frame(index=False).assign(kind=kind, **numbers)
        part = part.assign(pairs=chosen.sum(), clusters=len(set(clusters[chosen])), p_adjusted=p.get(kind, np.nan))
        family = part.groupby(["measure", "direction", "site"], sort=False)["p_adjusted"]
        parts.append(part.assign(p_adjusted=family.transform(benjamini_hochberg)))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _not_zero(value: np.ndarray, low: np.ndarray, high: np.ndarray, alpha: float) -> np.ndarray:
    """p of each value, (parts,), that it is zero, from its interval at 1 - alpha; NaN without one. Rounding is zero."""
    rounded = np.round([value, low, high], 9).T
    p = [interval_test(*one, margin=0.0, alpha=alpha)[1] for one in rounded]
    return np.where(np.isnan(low), np.nan, p)


def both_directions(table: pd.DataFrame) -> pd.DataFrame:
    """The mean effect of the two directions of every patch that was made in both."""
    patched = table.loc[:, table.columns.get_level_values("measure") == "patching"]
    if not patched.shape[1]:
        return patched
    parts = [name for name in KEY if name != "direction"]
    grouped = patched.T.groupby(level=parts, sort=False)
    mean = grouped.mean()[grouped.size() == 2].reset_index().assign(direction=BOTH)
    return mean.set_index(KEY).T


def ratios(weights: np.ndarray, values: np.ndarray, totals: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """Shares (3, parts) of flips, of neutral swaps, and their difference; NaN where nothing moves."""
    shares = []
    for chosen in (flips, ~flips):
        own = weights * chosen
        total = own @ totals
        moved = total > ROUNDING * own.sum()
        shares.append(own @ values / total if moved else np.full(values.shape[1], np.nan))
    return np.stack([*shares, shares[0] - shares[1]])
