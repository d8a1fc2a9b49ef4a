"""Which pairs are averaged over: flips and neutral swaps whose texts correspond token for token, drawn by chance, of
the same texts as far as there are any."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.parts import pooled_token
from emoscope.perturbation.inside.alignment import Aligned, Unit, align
from emoscope.perturbation.inside.names import FLIP, NEUTRAL, PLACES
from emoscope.perturbation.pairs import NEUTRAL_OF, NEUTRAL_ORIGINS, countable

PASSED = ["kind", "id", "origin", "cluster"]  # columns that tell of a pair passed over


@dataclass(frozen=True)
class Drawn:
    """A pair that is averaged over; `places` are the numbers of its units, for each of PLACES."""

    kind: str
    pair: object  # a row of the perturbation set
    aligned: Aligned
    places: dict[str, list[int]]


def pairs_by_kind(pairs: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """The countable flips and neutral swaps, each in an order drawn by chance, each text once.

    Given names exchanged within one gender are neither: they say something about the axis, and match no flip.
    One pair of every cluster comes first, then a second one, and so on. Among these, clusters that both kinds have come
    before those of one kind alone, and in the same order: most flips have no neutral swap, and of two kinds drawn each
    for itself hardly a text would be the same.
    """
    rng = np.random.default_rng(seed)
    shuffled = pairs[countable(pairs)].sort_values(["origin", "id", "term"]).sample(frac=1, random_state=rng)
    origin = shuffled["origin"]
    kind_of = {FLIP: ~origin.isin(NEUTRAL_ORIGINS), NEUTRAL: origin.isin(NEUTRAL_OF.values())}
    codes, clusters = pd.factorize(shuffled["cluster"], sort=True)
    shuffled = shuffled.assign(order=rng.permutation(len(clusters))[codes])
    kinds = {kind: shuffled[chosen].drop_duplicates(["text", "perturbed"]) for kind, chosen in kind_of.items()}
    shared = set.intersection(*(set(rows["cluster"]) for rows in kinds.values()))
    return {kind: _in_turn(rows, shared) for kind, rows in kinds.items()}


def _in_turn(rows: pd.DataFrame, shared: Collection) -> pd.DataFrame:
    """One pair of every cluster, then a second one, and so on; of each turn the `shared` clusters first, by `order`."""
    rows = rows.assign(turn=rows.groupby("cluster").cumcount(), alone=~rows["cluster"].isin(shared))
    return rows.sort_values(["turn", "alone", "order"], kind="stable")


def draw(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pairs: pd.DataFrame, count: int, seed: int
) -> tuple[list[Drawn], pd.DataFrame]:
    """At most `count` pairs of each kind that can be averaged over; those passed over: `kind, id, origin, cluster`.

    Passed over are pairs that do not correspond token for token, that the classifier reads at a changed word, and whose
    changed words the model's context cuts off.
    """
    drawn, passed = [], []
    for kind, rows in pairs_by_kind(pairs, seed).items():
        wanted = count
        for pair in rows.itertuples():
            if not wanted:
                break
            aligned = align(tokenizer, pair.text, pair.perturbed, pair.spans)
            places = places_of(aligned.units, pooled_token(model, aligned.original["input_ids"]))
            if places.get("changed") and token_for_token(aligned):  # beyond the context nothing changes
                drawn.append(Drawn(kind, pair, aligned, places))
                wanted -= 1
            else:
                passed.append((kind, pair.id, pair.origin, pair.cluster))
    return drawn, pd.DataFrame(passed, columns=PASSED)


def token_for_token(aligned: Aligned) -> bool:
    """Whether each unit has as many tokens in both texts, and no token is left over: a patch then moves all of it."""
    lengths = (text["input_ids"].shape[1] for text in (aligned.original, aligned.flipped))
    owned = sum(len(unit.tokens) for unit in aligned.units)
    return set(lengths) == {owned} and all(unit.tokens == unit.flipped_tokens for unit in aligned.units)


def places_of(units: list[Unit], pooled: int) -> dict[str, list[int]]:
    """The numbers of the units of each kind of place; nothing if the classifier reads at a changed word itself."""
    kinds: dict[str, list[int]] = {place: [] for place in PLACES}
    for number, unit in enumerate(units):
        changed, read = unit.word != unit.flipped_word, pooled in unit.tokens
        if changed and read:
            return {}
        kinds["changed" if changed else "pooled" if read else "others"].append(number)
    return kinds
