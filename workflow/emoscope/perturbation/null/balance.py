"""Whether the null is fair, and making it so: what pairs change beside what their neutral swaps change, over the texts
that have one.

Difference: of the two means, in standard deviations, the pooled one of both; of shares alike, Austin (2009), Statistics
in Medicine 28, 3083. Matching is judged by that and not by a test, whose p falls with the number of texts.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.perturbation.null.exchanged import PARTS, Exchanged, exchanged_words
from emoscope.perturbation.null.frequencies import Frequencies
from emoscope.perturbation.pairs import NEUTRAL_OF, countable, distinct
from emoscope.statistics.clusters import FEWEST_CLUSTERS

# Settled before any table was seen: Austin's 0.1 asks for more than the hundred-odd texts that a flip finds in a test
# set can show, where chance alone makes differences of 0.14; up to 0.25 is what Rubin (2001) and Stuart (2010) accept.
TOLERANCE = 0.25
COLUMNS = ["origin", "measure", "unit", "all", "with_null", "null", "difference", "balanced", "n", "n_all"]
LEAST = 0.5  # of the controls: what is left of fewer is about other texts than those that were asked about
RARER = 1.0  # powers of ten
SHARES = ("ten times rarer", *PARTS, "last word changed")


class Measure(NamedTuple):
    """What one measure finds: `unit`, a word or a text; its values, and the number of the pair that each is of."""

    unit: str
    values: np.ndarray
    pairs: np.ndarray


def balanced(pairs: pd.DataFrame, swaps: pd.DataFrame, known: Frequencies) -> pd.DataFrame:
    """The neutral swaps without those that make them unlike the pairs they are compared with.

    For each origin, the swap that adds most to the largest `difference` is left out, again and again, until every one
    is within TOLERANCE: matching to balance in its greedy form, Zubizarreta, Paredes and Rosenbaum (2014), Annals of
    Applied Statistics 8, 204. No prediction is seen. Where fewer than FEWEST_CLUSTERS would be left, or less than
    LEAST, all stay, and `balance` says in what they differ.
    """
    kept = []
    for own, others in _compared(pairs, swaps):
        alike = own.set_index(keys(own)).loc[keys(others)]
        kept.append(others[_alike(measured(alike, known), measured(others, known), len(others))])
    return pd.concat(kept).sort_index() if kept else swaps


def balance(pairs: pd.DataFrame, swaps: pd.DataFrame, known: Frequencies) -> pd.DataFrame:
    """For every origin with a null and every measure: the mean over `all` its pairs, over those `with_null`, and over
    their neutral swaps; the standardised `difference` of the last two, and whether it is `balanced`.

    `unit` is what is counted, `word` or `text`, `n` how many of them there are with a null and `n_all` in all.
    """
    rows = []
    for own, others in _compared(pairs, swaps):
        every, null = measured(own, known), measured(others, known)
        for name, fair in measured(own[keys(own).isin(keys(others))], known).items():
            every_value, value, other = (of.values.mean() for of in (every[name], fair, null[name]))
            apart = difference(fair.values, null[name].values)
            counts = len(fair.values), len(every[name].values)
            alike = abs(apart) <= TOLERANCE
            rows.append((own["origin"].iloc[0], name, fair.unit, every_value, value, other, apart, alike, *counts))
    return pd.DataFrame(rows, columns=COLUMNS)


def _compared(pairs: pd.DataFrame, swaps: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """For every origin with a null, its pairs that count, each text once, and their neutral swaps."""
    for origin, neutral in NEUTRAL_OF.items():
        own = distinct(pairs[(pairs["origin"] == origin) & countable(pairs)], "term")
        others = swaps[swaps["origin"] == neutral]
        if len(others):
            yield own, others


def _alike(own: Mapping[str, Measure], others: Mapping[str, Measure], pairs: int) -> np.ndarray:
    """Which pairs stay, bool (pairs,)."""
    sides = [list(own.values()), list(others.values())]
    powers = np.array(
        [[[np.bincount(one.pairs, one.values**power, pairs) for power in range(3)] for one in side] for side in sides]
    )  # (sides, measures, powers, pairs): how many values each pair has, their sum, and the sum of their squares
    stay = np.ones(pairs, dtype=bool)
    while stay.sum() >= max(FEWEST_CLUSTERS, LEAST * pairs):
        number, total, squares = np.moveaxis(powers[..., stay].sum(axis=-1), -1, 0)
        means = total / number
        apart = _standardised(*means, *(squares / number - means**2))
        worst = int(np.abs(apart).argmax())
        if abs(apart[worst]) <= TOLERANCE:
            return stay
        towards = np.sign(apart[worst]) * (powers[0, worst, 1] - powers[1, worst, 1])
        stay[np.where(stay, towards, -np.inf).argmax()] = False
    return np.ones(pairs, dtype=bool)


def keys(pairs: pd.DataFrame) -> pd.Series:
    """What names a pair within its origin."""
    return pairs["id"].astype(str) + " " + pairs["term"]


def measured(pairs: pd.DataFrame, known: Frequencies) -> dict[str, Measure]:
    """All measures of what pairs exchange."""
    found = [exchanged_words(row.text, row.perturbed, row.spans, known) for row in pairs.itertuples()]
    of_word = np.repeat(np.arange(len(found)), [len(each) for each in found])
    words, of_text = [word for each in found for word in each], np.arange(len(found))
    table = {name: Measure("word", np.array(values, dtype=float), of_word) for name, values in _of_words(words)}
    last = [any(word.last for word in each) for each in found]
    return table | {
        "words changed": Measure("text", np.array([len(each) for each in found], dtype=float), of_text),
        "last word changed": Measure("text", np.array(last, dtype=float), of_text),
    }


def _of_words(words: list[Exchanged]) -> Iterator[tuple[str, list]]:
    yield "log10 frequency", [word.frequency for word in words]
    yield "change of log10 frequency", [word.change for word in words]
    yield "ten times rarer", [word.change <= -RARER for word in words]
    yield "place", [word.place for word in words]
    yield "characters added", [word.length for word in words]
    for part in PARTS:
        yield part, [word.part == part for word in words]


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Standardised mean difference; 0 where nothing differs, infinite where means do and nothing varies."""
    return float(_standardised(first.mean(), second.mean(), first.var(), second.var()))


def _standardised(
    first: np.ndarray, second: np.ndarray, first_variance: np.ndarray, second_variance: np.ndarray
) -> np.ndarray:
    apart, spread = np.subtract(first, second), np.sqrt((first_variance + second_variance).clip(0) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isclose(apart, 0), 0.0, apart / spread)
