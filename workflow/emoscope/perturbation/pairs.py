"""Perturbed pairs with what a classifier says of both texts: which of them count, and how far a prediction moved.

A scored pair has the columns of a perturbation set, `before_{class}` and `after_{class}`; and, if a text may be given
several labels, `pred_before` and `pred_after`, which list them.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from emoscope.perturbation.groups import GROUPS
from emoscope.statistics.distances import jensen_shannon, total_variation
from emoscope.storage.decisions import decisions_of, right, truth_of

PAIR_KEY = ["id", "axis", "origin", "term"]  # what identifies a pair
CUT = "beyond_context"  # column of scores: the model reads the same in both texts, see `beyond_context`
LARGE = 0.1  # the paper's threshold: a class's probability changes by 10 % or more
# Flags of pairs that no rate counts: a guess, a text of which a part stays, one that the flip makes absurd, or, of a
# scored pair, texts that are one and the same to the model, as what differs stands beyond its context.
BEYOND = "beyond the context"
UNFIT = {"uncertain", "half-flipped", "gender-locked", BEYOND}
SUITE = "suite"  # origin of the pairs that others wrote, which may hold several counterparts of one text
# Origins of the pairs that only serve as a baseline: neutral words like those that a pair of the origin changes are
# swapped, or given names within one gender.
NEUTRAL_OF = {origin: f"{origin} control" for origin in ("natural", "template", "published", "word", SUITE)}
NAMES_OF = {origin: f"{origin} names" for origin in ("natural", "template")}
NEUTRAL_ORIGINS = frozenset({*NEUTRAL_OF.values(), *NAMES_OF.values()})
FIRST_GROUP = {f"{first} to {second}" for first, second in GROUPS.values()}  # what the original names
SECOND_GROUP = {f"{second} to {first}" for first, second in GROUPS.values()}


def scored(pairs: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Each pair with its scores, flagged BEYOND where these say so."""
    table = pairs.merge(scores, on=PAIR_KEY, validate="1:1")
    if CUT not in table:
        return table
    cut = table.pop(CUT).to_numpy()
    flags = [[*own, BEYOND] if lost else own for own, lost in zip(table["flags"], cut, strict=True)]
    return table.assign(flags=pd.Series(flags, table.index, dtype=object))


def countable(pairs: pd.DataFrame) -> pd.Series:
    """True for the pairs whose `flags` let them count in rates and means; ask it of scored pairs, if there are scores:
    only these know what the model does not read."""
    return pairs["flags"].map(lambda flags: UNFIT.isdisjoint(flags)).astype(bool)


def flagged(pairs: pd.DataFrame, flag: str) -> pd.Series:
    """Which pairs carry a flag."""
    return pairs["flags"].map(lambda flags: flag in flags).astype(bool)


def unread(pairs: pd.DataFrame, kind: str) -> dict[str, int]:
    """The kinds of scored pairs, by the column, of which none counts as the model reads one and the same text in some,
    and how many these are."""
    kinds = {name: own for name, own in pairs.groupby(kind, sort=False) if not countable(own).any()}
    cut = {name: int(flagged(own, BEYOND).sum()) for name, own in kinds.items()}
    return {name: lost for name, lost in cut.items() if lost}


def distinct(pairs: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """The pairs with each text once, or once for each value of `keys`; of a suite, each text and counterpart once."""
    own = pairs["origin"].isin((SUITE, NEUTRAL_OF[SUITE])).any()
    return pairs.drop_duplicates(["text", *keys, *(["perturbed"] if own else [])])


def beside_neutral(pairs: pd.DataFrame, swaps: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Row by row the pairs that have a neutral swap among `swaps`, and these swaps; each `id` once."""
    swaps = swaps[swaps["id"].isin(pairs["id"])].drop_duplicates("id")
    return pairs.drop_duplicates("id").set_index("id").loc[swaps["id"]], swaps


def pair_classes(pairs: pd.DataFrame) -> list[str]:
    """The names of the classes of scored pairs, in the order of their columns `before_{class}`."""
    return [name.removeprefix("before_") for name in pairs.columns if name.startswith("before_")]


def probabilities(pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities before and after, each float (pairs, classes)."""
    before, after = (pairs.filter(regex=f"^{when}_").to_numpy(dtype=float) for when in ("before", "after"))
    return before, after


def largest_change(pairs: pd.DataFrame) -> pd.Series:
    """For each scored pair, the largest absolute change of any class's probability."""
    before, after = probabilities(pairs)
    return pd.Series(np.abs(after - before).max(axis=1, initial=0), index=pairs.index)


def distances(pairs: pd.DataFrame, distance: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """How far the two predictions of each pair are from one another, by a distance of paired distributions, (pairs,).

    Several labels are given or not, each by a distribution of its own: of these, the mean.
    """
    before, after = probabilities(pairs)
    if "pred_before" not in pairs:
        return distance(before, after)
    each = (np.stack([found.ravel(), 1 - found.ravel()], axis=1) for found in (before, after))
    return distance(*each).reshape(before.shape).mean(axis=1)


def decisions(pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """What is predicted before and after, bool (pairs, classes) each: the most probable class, or several labels."""
    before, after = probabilities(pairs)
    return decisions_of(pairs, "pred_before", before), decisions_of(pairs, "pred_after", after)


def right_in(known: pd.DataFrame, found: np.ndarray) -> np.ndarray:
    """Whether decisions (rows, classes) are right, bool (rows,): in whole, but where only one label of a text is known
    that may be given several, if it is among them."""
    if "pred_before" in known and is_integer_dtype(known["label"]):
        return (found & truth_of(known, found.shape[1])).any(axis=1)
    return right(known, found)


def moved(pairs: pd.DataFrame) -> pd.Series:
    """For each scored pair, whether the prediction changes: the class, or any of several labels."""
    before, after = decisions(pairs)
    return pd.Series((before != after).any(axis=1), index=pairs.index)


def large(pairs: pd.DataFrame) -> pd.Series:
    """For each scored pair, whether some class's probability moves by LARGE or more."""
    return largest_change(pairs) >= LARGE


def named_first(pairs: pd.DataFrame) -> np.ndarray:
    """For each pair 1 if its original names the first group, -1 if the second, 0 if both or none; int (pairs,).

    Of a suite with groups of its own, the first is the one that the first original names.
    """
    direction, forth, back = pairs["direction"], FIRST_GROUP, SECOND_GROUP
    if (pairs["origin"] == SUITE).any() and not direction.isin(forth | back).any():
        named = direction[direction.str.contains(" to ", regex=False)]
        first, _, second = named.iloc[0].partition(" to ") if len(named) else ("", "", "")
        forth, back = {f"{first} to {second}"}, {f"{second} to {first}"}
    return direction.isin(forth).to_numpy(dtype=int) - direction.isin(back).to_numpy(dtype=int)


# What may happen to pairs, and how far their predictions may move, by the names of measures.
RATES = {"changed": moved, "large": large}
DISTANCES = {
    "distance": lambda pairs: distances(pairs, total_variation),
    "divergence": lambda pairs: distances(pairs, jensen_shannon),
}
