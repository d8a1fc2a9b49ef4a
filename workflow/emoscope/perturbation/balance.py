"""Whether the null is fair: what pairs change beside what their neutral swaps change, over the texts that have one.

Difference: of the two means, in standard deviations, the pooled one of both; of shares alike, Austin (2009), Statistics
in Medicine 28, 3083. Matching is judged by that and not by a test, whose p falls with the number of texts.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emoscope.perturbation.exchanged import PARTS, Exchanged, exchanged_words
from emoscope.perturbation.frequencies import Frequencies
from emoscope.perturbation.pairs import NEUTRAL_OF, countable

# Settled before any table was seen: Austin's 0.1 asks for more than the hundred-odd texts that a flip finds in a test
# set can show, where chance alone makes differences of 0.14; up to 0.25 is what Rubin (2001) and Stuart (2010) accept.
TOLERANCE = 0.25
COLUMNS = ["origin", "measure", "unit", "all", "with_null", "null", "difference", "balanced", "n", "n_all"]
RARER = 1.0  # powers of ten
SHARES = ("ten times rarer", *PARTS, "last word changed")


def balance(pairs: pd.DataFrame, known: Frequencies) -> pd.DataFrame:
    """For every origin with a null and every measure: the mean over `all` its pairs, over those `with_null`, and over
    their neutral swaps; the standardised `difference` of the last two, and whether it is `balanced`.

    `unit` is what is counted, `word` or `text`, `n` how many of them there are with a null and `n_all` in all.
    """
    tables = []
    for origin, neutral in NEUTRAL_OF.items():
        own = pairs[(pairs["origin"] == origin) & countable(pairs)].drop_duplicates(["term", "text"])
        swaps = pairs[pairs["origin"] == neutral]
        if swaps.empty:
            continue
        null = measured(swaps, known)
        every = measured(own, known)
        fair = measured(own[keys(own).isin(keys(swaps))], known)
        rows = []
        for measure, (unit, values) in fair.items():
            others = null[measure][1]
            apart = difference(values, others)
            rows.append(
                (origin, measure, unit, every[measure][1].mean(), values.mean(), others.mean(), apart,
                 abs(apart) <= TOLERANCE, len(values), len(every[measure][1]))
            )  # fmt: skip
        tables.append(pd.DataFrame(rows, columns=COLUMNS))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def keys(pairs: pd.DataFrame) -> pd.Series:
    """What names a pair within its origin."""
    return pairs["id"].astype(str) + " " + pairs["term"]


def measured(pairs: pd.DataFrame, known: Frequencies) -> dict[str, tuple[str, np.ndarray]]:
    """The unit and the values of every measure."""
    found = [exchanged_words(row.text, row.perturbed, row.spans, known) for row in pairs.itertuples()]
    words = [word for each in found for word in each]
    table = {name: ("word", np.array(values, dtype=float)) for name, values in _of_words(words)}
    return table | {
        "words changed": ("text", np.array([len(each) for each in found], dtype=float)),
        "last word changed": ("text", np.array([any(word.last for word in each) for each in found], dtype=float)),
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
    apart = first.mean() - second.mean()
    spread = np.sqrt((first.var() + second.var()) / 2)
    return float(apart / spread) if spread > 0 else float(np.copysign(np.inf, apart)) if apart else 0.0
