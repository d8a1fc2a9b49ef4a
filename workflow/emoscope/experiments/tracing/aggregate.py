"""Patching, direct logit attribution and the lens over many pairs at once: what each part of the model moves.

All effects of a pair are in logits of one margin, m = logit(rise) - logit(fall) of the two classes that the pair moves
most, with the sign that makes the margin grow. Over pairs, effects are summed and then divided by the summed growth: a
mean of the pairs' own shares would be ruled by pairs whose margin hardly moves.
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd
from transformers import PreTrainedModel

from emoscope.experiments.tracing.attribution import lens_of
from emoscope.models.inside.contributions import contributions_of
from emoscope.models.parts import pooled_token
from emoscope.perturbation.inside.names import PLACES
from emoscope.perturbation.inside.patching import (
    FLIPPED_INTO_ORIGINAL,
    ORIGINAL_INTO_FLIPPED,
    Transfer,
    all_patches,
    patched_logits,
    transfers,
)
from emoscope.perturbation.inside.sample import Drawn
from emoscope.perturbation.inside.seen import Seen, seen_pairs
from emoscope.storage.names import NONE

METHODS = ("patching", "attribution", "lens")
PAIR_COLUMNS = ["pair", "kind", "id", "origin", "cluster", "rise", "fall", "total"]
EFFECT_COLUMNS = ["pair", "measure", "direction", "site", "place", "block", "head", "effect"]


def aggregate(
    model: PreTrainedModel,
    drawn: Sequence[Drawn],
    classes: Sequence[str],
    tokens_per_batch: int,
    methods: Collection[str] = METHODS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables: the pairs, and the effects on each.

    - pairs: `pair, kind, id, origin, cluster, rise, fall, total`; `total` is the growth of the margin from the original
      to the changed text, in logits, which is never negative;
    - effects: `pair, measure, direction, site, place, block, head, effect`. `patching`: how far the patched recipient's
      margin comes towards the donor's, in each direction (heads, being many, only into the original). `attribution`:
      how much more a part writes for the margin in the changed text; the parts of a pair add up to its total. `lens`:
      how far the margin has grown after `block` blocks. Only these `methods` have rows.
    """
    pairs, effects = [], []
    for group in seen_pairs(model, drawn, tokens_per_batch, "pairs"):
        for seen in group:
            one = seen.pair.pair
            named = classes[seen.rise], classes[seen.fall], seen.total
            pairs.append((seen.number, seen.pair.kind, one.id, one.origin, one.cluster, *named))
            effects += [part.assign(pair=seen.number) for part in _read(model, seen, methods)]
        if "patching" in methods:
            effects.append(_patched(model, group, tokens_per_batch))
    found = pd.concat(effects, ignore_index=True)[EFFECT_COLUMNS] if effects else pd.DataFrame(columns=EFFECT_COLUMNS)
    return pd.DataFrame(pairs, columns=PAIR_COLUMNS), found


def _patched(model: PreTrainedModel, group: Sequence[Seen], tokens_per_batch: int) -> pd.DataFrame:
    every = all_patches(model, len(PLACES))
    patches = {FLIPPED_INTO_ORIGINAL: every, ORIGINAL_INTO_FLIPPED: [one for one in every if one.site != "head"]}
    jobs, asked, parts = [], [], []
    for seen in group:
        for direction, transfer in transfers(seen.pair.aligned, seen.original, seen.flipped).items():
            joined = _by_kind(transfer, seen.pair.places)
            jobs += [(joined, patch) for patch in patches[direction]]
            asked += [seen] * len(patches[direction])
            parts.append(pd.DataFrame(patches[direction]).assign(pair=seen.number, direction=direction))
    table = pd.concat(parts, ignore_index=True).assign(measure="patching")
    table["place"] = table.pop("unit").map({NONE: "", **dict(enumerate(PLACES))})
    start, goal = (
        np.array([
            seen.margin(getattr(transfer, side).logits.cpu().numpy())
            for seen, (transfer, _) in zip(asked, jobs, strict=True)
        ])
        for side in ("recipient", "donor")
    )  # fmt: skip
    logits = patched_logits(model, jobs, tokens_per_batch)
    found = np.array([seen.margin(row) for seen, row in zip(asked, logits, strict=True)])
    return table.assign(effect=(found - start) * np.sign(goal - start))


def _by_kind(transfer: Transfer, places: dict[str, list[int]]) -> Transfer:
    """The same with all units of one kind of place as one."""
    joined = [
        tuple([token for unit in places[place] for token in transfer.places[unit][side]] for side in (0, 1))
        for place in PLACES
    ]
    return Transfer(transfer.inputs, transfer.recipient, transfer.donor, joined)


def _read(model: PreTrainedModel, seen: Seen, methods: Collection[str]) -> Iterator[pd.DataFrame]:
    """Attribution and lens of one pair, if they are among the methods, changed minus original."""
    aligned = seen.pair.aligned
    places = [pooled_token(model, text["input_ids"]) for text in (aligned.original, aligned.flipped)]
    texts = list(zip((seen.original, seen.flipped), places, strict=True))
    if "attribution" in methods:
        (parts, before), (_, after) = (contributions_of(model, *text) for text in texts)
        table = pd.DataFrame(parts).rename(columns={"part": "site"})
        written = (after - before).cpu().numpy()
        yield table.assign(measure="attribution", direction="", place="", effect=seen.margin(written))
    if "lens" in methods:
        original, changed = (lens_of(model, *text).cpu().numpy() for text in texts)
        grown = seen.margin(changed - original)
        yield pd.DataFrame({
            "measure": "lens", "direction": "", "site": "", "place": "", "block": range(len(grown)), "head": NONE,
            "effect": grown,
        })  # fmt: skip
