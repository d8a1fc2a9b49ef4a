"""How high methods rank the words that were planted: the yardstick that earns a method its place.

Bastings et al. (2021), "Will you find these shortcuts?", rank methods by planted tokens in the same way. A made-up word
that decides by itself is counted apart: it is easier to find than what a grammar says, and each may tell of a failure.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from emoscope.data.shortcuts import SHORTCUT
from emoscope.experiments.words.methods import METHODS
from emoscope.experiments.words.scores import Scored, ranked
from emoscope.statistics.bounded import SHARE, bounded_interval
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.rates import exact_interval

MEASURES = ("top", "precision", "average_precision")
RANKED = ["method", "measure", "value", "low", "high", "chance", "texts"]


def found_words(found: Iterable[Scored], correct: dict[int, bool]) -> pd.DataFrame:
    """By text and method, for texts that have both planted and other words: is the `top` word a planted one; what share
    of as many top words as are planted (`precision`); `average_precision`; the `chance` of the first two; and whether
    the planted word is a `shortcut`."""
    rows = []
    for one in found:
        if one.planted is None or not 0 < one.planted.sum() < len(one.planted):
            continue
        for name, scores in one.scores.items():
            hits = one.planted[ranked(scores)]
            count = hits.sum()
            at = np.flatnonzero(hits)
            rows.append({
                "id": one.id,
                "method": name,
                "top": float(hits[0]),
                "precision": hits[:count].mean(),
                "average_precision": ((np.arange(count) + 1) / (at + 1)).mean(),
                "chance": one.planted.mean(),
                "correct": correct[one.id],
                SHORTCUT: one.shortcut,
            })  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "method", *MEASURES, "chance", "correct", SHORTCUT])


def rank_methods(found: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Means over the texts that the classifier gets right, with intervals; best average precision first. MEASURES are
    of what the grammar says; SHORTCUT is how often the top word is a shortcut, in the texts that have one."""
    rows = []
    for name, right in found[found["correct"].astype(bool)].groupby("method", sort=False):
        marked = right[SHORTCUT].astype(bool)
        for measure, own in [(measure, right[~marked]) for measure in MEASURES] + [(SHORTCUT, right[marked])]:
            if own.empty:
                continue
            values = own["top" if measure == SHORTCUT else measure].to_numpy()
            enough = len(values) >= FEWEST_CLUSTERS
            if measure in ("top", SHORTCUT):
                low, high = exact_interval(values.sum(), len(values), alpha) if enough else (np.nan, np.nan)
            else:
                low, high = bounded_interval(values, np.arange(len(values)), SHARE, alpha)
            rows.append((name, measure, values.mean(), low, high, own["chance"].mean(), len(values)))
    table = pd.DataFrame(rows, columns=RANKED)
    best = table[table["measure"] == "average_precision"].set_index("method")["value"]
    order = table["method"].map(best)
    return table.assign(order=order).sort_values("order", ascending=False, kind="stable").drop(columns="order")


def best_method(ranks: pd.DataFrame, means: pd.DataFrame) -> str:
    """Of the methods that tell classes apart, as attention does not, the one that ranks planted words best, by average
    precision; without any, the one with the largest distance between insertion and deletion when words are cut out."""
    telling = [name for name, method in METHODS.items() if method.kind != "attention"]
    if len(own := ranks[(ranks["measure"] == "average_precision") & ranks["method"].isin(telling)]):
        return own.loc[own["value"].idxmax(), "method"]
    cut = means[(means["kind"] == "cut") & means["method"].isin(telling)]
    wide = cut.pivot(index="method", columns="measure", values="value")
    return (wide["insertion"] - wide["deletion"]).idxmax()
