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
from emoscope.models.activations import Activations, each_activations
from emoscope.models.families import pooled_token
from emoscope.models.inside.contributions import contributions_of
from emoscope.perturbation.inside.names import PLACES
from emoscope.perturbation.inside.patching import (
    FLIPPED_INTO_ORIGINAL,
    ORIGINAL_INTO_FLIPPED,
    Transfer,
    all_patches,
    moved_classes,
    patched_logits,
    transfers,
)
from emoscope.perturbation.inside.sample import Drawn
from emoscope.storage.names import NONE

METHODS = ("patching", "attribution", "lens")
AT_ONCE = 16  # pairs whose activations are held together; their patches fill the batches
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
    for start in range(0, len(drawn), AT_ONCE):
        some = drawn[start : start + AT_ONCE]
        texts = [text for one in some for text in (one.aligned.original, one.aligned.flipped)]
        runs = dict(each_activations(model, texts, tokens_per_batch))
        both = [(runs[2 * number], runs[2 * number + 1]) for number in range(len(some))]
        moved = [moved_classes(model, *run) for run in both]
        for number, (one, run, (rise, fall)) in enumerate(zip(some, both, moved, strict=True), start=start):
            total = float((run[1].logits - run[0].logits)[[rise, fall]].diff().neg())
            pair = one.pair
            pairs.append((number, one.kind, pair.id, pair.origin, pair.cluster, classes[rise], classes[fall], total))
            effects += [part.assign(pair=number) for part in _read(model, one, run, rise, fall, methods)]
        if "patching" in methods:
            patched = _patched(model, some, both, moved, tokens_per_batch)
            effects.append(patched.assign(pair=patched["pair"] + start))
    found = pd.concat(effects, ignore_index=True)[EFFECT_COLUMNS] if effects else pd.DataFrame(columns=EFFECT_COLUMNS)
    return pd.DataFrame(pairs, columns=PAIR_COLUMNS), found


def _patched(
    model: PreTrainedModel,
    drawn: Sequence[Drawn],
    runs: Sequence[tuple[Activations, Activations]],
    moved: Sequence[tuple[int, int]],
    tokens_per_batch: int,
) -> pd.DataFrame:
    every = all_patches(model, len(PLACES))
    patches = {FLIPPED_INTO_ORIGINAL: every, ORIGINAL_INTO_FLIPPED: [one for one in every if one.site != "head"]}
    jobs, parts = [], []
    for number, (one, run) in enumerate(zip(drawn, runs, strict=True)):
        for direction, transfer in transfers(one.aligned, *run).items():
            joined = _by_kind(transfer, one.places)
            jobs += [(joined, patch) for patch in patches[direction]]
            parts.append(pd.DataFrame(patches[direction]).assign(pair=number, direction=direction))
    table = pd.concat(parts, ignore_index=True).assign(measure="patching")
    table["place"] = table.pop("unit").map({NONE: "", **dict(enumerate(PLACES))})
    rise, fall = np.array(moved)[table["pair"]].T
    start, goal = (
        _margin(np.stack([getattr(transfer, side).logits.cpu().numpy() for transfer, _ in jobs]), rise, fall)
        for side in ("recipient", "donor")
    )
    found = _margin(patched_logits(model, jobs, tokens_per_batch), rise, fall)
    return table.assign(effect=(found - start) * np.sign(goal - start))


def _by_kind(transfer: Transfer, places: dict[str, list[int]]) -> Transfer:
    """The same with all units of one kind of place as one."""
    joined = [
        tuple([token for unit in places[place] for token in transfer.places[unit][side]] for side in (0, 1))
        for place in PLACES
    ]
    return Transfer(transfer.inputs, transfer.recipient, transfer.donor, joined)


def _read(
    model: PreTrainedModel,
    one: Drawn,
    run: tuple[Activations, Activations],
    rise: int,
    fall: int,
    methods: Collection[str],
) -> Iterator[pd.DataFrame]:
    """Attribution and lens of one pair, if they are among the methods, changed minus original."""
    places = [pooled_token(model, text["input_ids"]) for text in (one.aligned.original, one.aligned.flipped)]
    texts = list(zip(run, places, strict=True))
    if "attribution" in methods:
        (parts, before), (_, after) = (contributions_of(model, *text) for text in texts)
        table = pd.DataFrame(parts).rename(columns={"part": "site"})
        written = (after - before).cpu().numpy()
        yield table.assign(measure="attribution", direction="", place="", effect=written[:, rise] - written[:, fall])
    if "lens" in methods:
        original, changed = (lens_of(model, *text).cpu().numpy() for text in texts)
        grown = changed - original
        yield pd.DataFrame({
            "measure": "lens", "direction": "", "site": "", "place": "", "block": range(len(grown)), "head": NONE,
            "effect": grown[:, rise] - grown[:, fall],
        })  # fmt: skip


def _margin(logits: np.ndarray, rise: np.ndarray, fall: np.ndarray) -> np.ndarray:
    """Of every row's logits (rows, classes), that of its own rising class minus that of its falling one."""
    rows = np.arange(len(logits))
    return logits[rows, rise] - logits[rows, fall]
