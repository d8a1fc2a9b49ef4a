"""How high methods rank the words that were planted: the yardstick that earns a method its place.

Bastings et al. (2021), "Will you find these shortcuts?", rank methods by planted tokens in the same way. A made-up word
that decides by itself is counted apart: it is easier to find than what a grammar says, and each may tell of a failure.
"""

from collections.abc import Container, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from emoscope.data.planted.shortcuts import SHORTCUT
from emoscope.experiments.words.methods import METHODS, RANDOM, TITLES, TOLERANCE
from emoscope.experiments.words.scores import Scored, ranked
from emoscope.reporting.html import percent
from emoscope.statistics.adjustment import holm
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval, bounded_test
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.equivalence import equivalence_verdict
from emoscope.statistics.rates import exact_interval

MEASURES = ("top", "precision", "average_precision")
DECIDING = "average_precision"  # the measure that methods are ordered and chosen by
AREA = "area"  # between insertion and deletion: what they are chosen by where no planted words are known,
IMPARTIAL = "resampled"  # words being taken away as no method does itself: Shapley values and occlusion cut or pad
ABOVE = ["above", "above_low", "above_high", "verdict"]
BETTER, WORSE = "better", "worse"
ERROR = "completeness_error."  # what findings on a method's integrals begin with
RANKED = ["method", "measure", "value", "low", "high", *ABOVE, "chance", "texts"]


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


def rank_methods(found: pd.DataFrame, margin: float, alpha: float) -> pd.DataFrame:
    """Means over the texts that the classifier gets right, with intervals, and by how much they are above a random
    order's (`above_random`); best average precision first. MEASURES are of what the grammar says; SHORTCUT is how often
    the top word is a shortcut, in the texts that have one."""
    right = found[found["correct"].astype(bool)]
    marked = right[SHORTCUT].astype(bool)
    parts = []
    for measure, own in [(measure, right[~marked]) for measure in MEASURES] + [(SHORTCUT, right[marked])]:
        if own.empty:
            continue
        wide = by_method(own, "top" if measure == SHORTCUT else measure)
        values, count = wide.to_numpy(), len(wide)
        if measure not in ("top", SHORTCUT):
            low, high = bounded_interval(values, np.arange(count), SHARE, alpha)
        elif count >= FEWEST_CLUSTERS:
            low, high = exact_interval(values.sum(axis=0), count, alpha)
        else:
            low = high = np.nan
        numbers = {"measure": measure, "value": wide.mean(), "low": low, "high": high, "texts": count}
        chance = own.groupby("method")["chance"].mean()
        parts.append(above_random(wide, margin, alpha).assign(**numbers, chance=chance).reset_index()[RANKED])
    if not parts:
        return pd.DataFrame(columns=RANKED)
    table = pd.concat(parts, ignore_index=True)
    best = table[table["measure"] == DECIDING].sort_values("value", ascending=False, kind="stable")["method"]
    order = table["method"].map({name: place for place, name in enumerate(best)})
    return table.iloc[np.argsort(order, kind="stable")]


def by_method(found: pd.DataFrame, measure: str) -> pd.DataFrame:
    """One measure, (texts, methods), methods in their order."""
    return found.pivot(index="id", columns="method", values=measure)[list(dict.fromkeys(found["method"]))]


def above_random(
    values: pd.DataFrame, margin: float, alpha: float, sign: int = 1, bounds: tuple[float, float] = CHANGE
) -> pd.DataFrame:
    """By method, how much better its `values` (texts, methods) are in the mean than a random order's on the same texts,
    with interval; `sign` is -1 if less is better, `bounds` are those of a difference. And what is shown of METHODS:
    BETTER or WORSE, "equivalent" if within the margin, or "underpowered". As the best of them is named, p values are
    adjusted by Holm over all."""
    above = sign * (values - values[[RANDOM]].to_numpy())
    found = bounded_test(above.to_numpy(), np.arange(len(above)), margin, bounds, alpha)
    judged = above.columns.isin([*METHODS])
    said = equivalence_verdict(found.p_within, holm(np.where(judged, found.p_difference, np.nan)), alpha)
    verdict = np.where(said == "different", np.where(found.value > 0, BETTER, WORSE), said)
    numbers = (found.value, found.low, found.high, np.where(judged, verdict, ""))
    return pd.DataFrame(dict(zip(ABOVE, numbers, strict=True)), index=above.columns)


def best_ranked(ranks: pd.DataFrame, names: Sequence[str]) -> str | None:
    """Of some methods the one that ranks planted words best, by DECIDING; None if that is not known."""
    own = ranks[(ranks["measure"] == DECIDING) & ranks["method"].isin(names)]
    return own.loc[own["value"].idxmax(), "method"] if len(own) else None


def unaccounted(findings: pd.DataFrame) -> dict[str, float]:
    """The methods whose integrated scores do not sum to the difference that they explain, and by how much they are off:
    by more than TOLERANCE in the mean. What they leave over is as large as some of what they say, so none is chosen."""
    errors = findings.set_index("name")["value"]
    errors = errors[errors.index.str.startswith(ERROR)].astype(float)
    return {name.removeprefix(ERROR): error for name, error in errors.items() if not error <= TOLERANCE}


def marked_titles(barred: Mapping[str, float]) -> dict[str, str]:
    """TITLES, those of the methods that do not account for the answer with by how much they are off."""
    return TITLES | {name: f"{TITLES[name]} ({off_by(error)})" for name, error in barred.items()}


def off_by(error: float) -> str:
    """A `completeness_error` in words."""
    return "how far off cannot be told" if np.isnan(error) else f"off by {percent(error)}"


def best_method(ranks: pd.DataFrame, means: pd.DataFrame, barred: Container[str]) -> str:
    """Of the methods that tell classes apart, as attention does not, and are not `barred`, the one that ranks planted
    words best; where that is not known, the one with the largest AREA when words are taken away in the IMPARTIAL way.
    """
    telling = [name for name, method in METHODS.items() if method.kind != "attention" and name not in barred]
    if best := best_ranked(ranks, telling):
        return best
    areas = means[(means["kind"] == IMPARTIAL) & (means["measure"] == AREA) & means["method"].isin(telling)]
    return areas.loc[areas["value"].idxmax(), "method"]
