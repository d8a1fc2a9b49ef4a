"""Whether a flip changes some dimensions of the residual stream more than neutral swaps do.

A profile is how one word pair's squared change, each dimension over its variance in other texts, is shared out among
the dimensions (it sums to 1). Word pairs are the independent observations. If flips were nothing but swaps, it would
not matter which profiles are called flips: that is what the permutations do.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.perturbation.inside.names import FLIP, NEUTRAL, SPREAD
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bootstrap import bootstrap_statistic, on_a_grid
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.storage.names import TOP

LEAST = 2  # word pairs of each kind, without which nothing can be tested
TINY = 1e-12  # of a share: less is rounding, and has no logarithm


class Profiles(NamedTuple):
    """Profiles (word pairs, width), whether each is a flip's, and the same without dividing by the spread."""

    shares: np.ndarray
    flips: np.ndarray
    plain: np.ndarray


def profiles_of(changes: pd.DataFrame) -> Profiles:
    """The profiles of a table of `dimensions.change_table`; word pairs that change nothing are left out."""
    dimensions = changes.drop(columns=["kind", "words", "changes"]).to_numpy(dtype=float)
    spread = changes["kind"] == SPREAD
    variance = dimensions[spread][0]
    plain = dimensions[~spread]
    standardised = plain / np.where(variance > 0, variance, np.inf)  # what never varies is no place to look
    moved = standardised.sum(axis=1) > 0
    shares, plain = (rows[moved] / rows[moved].sum(axis=1, keepdims=True) for rows in (standardised, plain))
    return Profiles(shares, (changes["kind"][~spread] == FLIP).to_numpy()[moved], plain)


def testable(profiles: Profiles) -> bool:
    return min(profiles.flips.sum(), (~profiles.flips).sum()) >= LEAST


def dimension_table(profiles: Profiles, options: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every dimension of flips against neutral swaps, and how many stand out.

    - dimensions: `dimension, flip, neutral, plain_flip, plain_neutral, p_flip, p_neutral`: mean shares, in times the
      average dimension; one-sided p that the flips' change is larger, against the median dimension, and that the
      neutral swaps' is, adjusted over the dimensions (Benjamini and Hochberg). The statistic is Welch's t of the
      logarithms, its null distribution that of all dimensions under permuted kinds;
    - counts: `kind, value, expected, p`: how many have an adjusted p below `alpha`, how many do under permutation,
      and in what share of the permutations as many do.

    `options`: of `resampling`.
    """
    shares, flips, plain = profiles
    width = shares.shape[1]
    means = {
        name: width * rows[which].mean(axis=0) if which.any() else np.full(width, np.nan)
        for name, rows, which in (
            ("flip", shares, flips),
            ("neutral", shares, ~flips),
            ("plain_flip", plain, flips),
            ("plain_neutral", plain, ~flips),
        )
    }
    table = pd.DataFrame({"dimension": range(width), **means, "p_flip": np.nan, "p_neutral": np.nan})
    if not testable(profiles):
        return table, pd.DataFrame({"kind": [FLIP, NEUTRAL], "value": np.nan, "expected": np.nan, "p": np.nan})
    alpha, resamples = options["alpha"], options["resamples"]
    rng = np.random.default_rng(options["seed"])
    labels = rng.permuted(np.tile(flips, (resamples, 1)), axis=1)
    logarithms = np.log(shares + TINY)
    logarithms -= np.median(logarithms, axis=1, keepdims=True)  # or one large share would make all others small
    found, drawn = _welch(logarithms, flips[None])[0], _welch(logarithms, labels)
    counts = []
    for kind, sign in ((FLIP, 1), (NEUTRAL, -1)):
        null = np.sort(sign * drawn, axis=None)
        p, null_p = (_exceeded(null, sign * values) for values in (found, drawn))
        table[f"p_{kind}"] = benjamini_hochberg(p)
        value, chance = int((table[f"p_{kind}"] <= alpha).sum()), _discoveries(null_p, alpha)
        counts.append((kind, value, chance.mean(), (1 + (chance >= value).sum()) / (1 + resamples)))
    return table, pd.DataFrame(counts, columns=["kind", "value", "expected", "p"])


def _welch(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Welch's t (labellings, width): the rows of `values` which `labels` (labellings, rows) mark, minus the rest."""
    values, squares = (on_a_grid(each, len(values)) for each in (values, values**2))
    sides = []
    for chosen in (labels.astype(float), 1.0 - labels):
        count = chosen.sum(axis=1, keepdims=True)
        mean = chosen @ values / count
        variance = (chosen @ squares / count - mean**2).clip(0) * count / (count - 1)
        sides.append((mean, variance / count))
    (mean, error), (other, other_error) = sides
    return (mean - other) / np.sqrt(error + other_error + TINY)


def _exceeded(null: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The share of a sorted null distribution that is at least as large as each value, itself counted (never 0)."""
    return (1 + len(null) - np.searchsorted(null, values - 1e-9)) / (1 + len(null))


def _discoveries(p: np.ndarray, alpha: float) -> np.ndarray:
    """How many of each row's p values Benjamini and Hochberg's procedure takes for discoveries."""
    tests = p.shape[1]
    passed = np.sort(p, axis=1) <= alpha * np.arange(1, tests + 1) / tests
    return np.where(passed.any(axis=1), tests - passed[:, ::-1].argmax(axis=1), 0)


def concentration_table(profiles: Profiles, options: dict) -> pd.DataFrame:
    """How few dimensions hold the change: `measure, kind, value, low, high`, intervals over word pairs.

    `participation`: effective number of dimensions of a profile, 1 / sum of squares, as a share of the width (1: all
    alike). `held out`: share of a word pair's change in the TOP of the dimensions, chosen where the flips of the other
    word pairs exceed neutral swaps most: flips have more of it there than neutral swaps only if they have dimensions
    in common. `kind` is `flip`, `neutral` or `difference`. `options`: of `resampling`.
    """
    measures = {"participation": 1 / (profiles.shares**2).sum(axis=1) / profiles.shares.shape[1]}
    if testable(profiles):
        measures["held out"] = held_out(profiles)
    parts = [compare(values, profiles.flips, options).assign(measure=name) for name, values in measures.items()]
    return pd.concat(parts, ignore_index=True)[["measure", "kind", "value", "low", "high"]]


def held_out(profiles: Profiles) -> np.ndarray:
    """For each profile, its share in the dimensions that the other profiles choose, (profiles,)."""
    shares, flips, _ = profiles
    top = max(1, round(TOP * shares.shape[1]))
    found = np.empty(len(shares))
    for row, own in enumerate(shares):
        others = np.arange(len(shares)) != row
        excess = shares[others & flips].mean(axis=0) - shares[others & ~flips].mean(axis=0)
        found[row] = own[np.argsort(-excess, kind="stable")[:top]].sum()
    return found


def compare(values: np.ndarray, flips: np.ndarray, options: dict) -> pd.DataFrame:
    """Means over flips and over neutral word pairs, and their difference: `kind, value, low, high`.

    There is no interval if either kind has fewer than FEWEST_CLUSTERS word pairs: the other's make them no more.
    `options`: of `resampling`.
    """

    def means(weights: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            flip, neutral = ((weights * chosen) @ values / (weights * chosen).sum() for chosen in (flips, ~flips))
        return np.array([flip, neutral, flip - neutral])

    found = means(np.ones(len(values)))
    low, high = np.full((2, 3), np.nan)
    if min(flips.sum(), (~flips).sum()) >= FEWEST_CLUSTERS:
        low, high = bootstrap_statistic(means, np.arange(len(values)), **options)
    return pd.DataFrame({"kind": [FLIP, NEUTRAL, "difference"], "value": found, "low": low, "high": high})
