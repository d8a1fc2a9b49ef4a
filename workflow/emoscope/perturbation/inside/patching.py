"""Activation patching: which activations of one text, put into the run on the other, move the prediction with them.

Neither text of a pair is clean or corrupted, so every patch is made in both directions: the flipped text's activation
in the original text shows what is enough to bring the flip's effect about, the original's in the flipped text what is
enough to undo it (noising and denoising; Heimersheim and Nanda 2024, arXiv:2404.15255).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from emoscope.models.activations import Activations, one_batch
from emoscope.models.batches import token_batches
from emoscope.models.interventions import changing_input, changing_output, resumed_at
from emoscope.models.logits import gives_several, probabilities
from emoscope.models.parts import (
    attention_of,
    blocks_of,
    feed_forward_of,
    head_slice,
    heads_of,
    projection_of,
)
from emoscope.perturbation.inside.alignment import Aligned
from emoscope.storage.names import NONE

FLIPPED_INTO_ORIGINAL, ORIGINAL_INTO_FLIPPED = "flipped into original", "original into flipped"
STORED = {"head": "heads", "attention": "attention", "feed_forward": "feed_forward"}  # where activations keep a site


class Patch(NamedTuple):
    """One unit of a block's input (`residual`), or all units of its `attention`, of its `feed_forward` or of a `head`.

    The residual stream has one block more than the model: the output of the last one.
    """

    site: str
    block: int
    unit: int = NONE
    head: int = NONE


@dataclass(frozen=True)
class Transfer:
    """The runs to patch into and from; `places[u]` are the token places of unit u in both, in corresponding order."""

    inputs: Mapping[str, Tensor]  # of the recipient, (1, tokens)
    recipient: Activations
    donor: Activations
    places: Sequence[tuple[Sequence[int], Sequence[int]]]

    @cached_property
    def everywhere(self) -> tuple[list[int], list[int]]:
        """The places of all units."""
        into, source = ([place for unit in self.places for place in unit[side]] for side in (0, 1))
        return into, source


def patch_table(
    model: PreTrainedModel,
    aligned: Aligned,
    original: Activations,
    flipped: Activations,
    classes: Sequence[str],
    tokens_per_batch: int,
) -> pd.DataFrame:
    """All patches: `site, block, unit, head, direction, rise, fall, share, change`, and the unit's words and tokens.

    `rise` and `fall` are the classes of `moved_classes`, m = logit(rise) - logit(fall).
    `share` is (m(patched) - m(recipient)) / (m(donor) - m(recipient)), the normalised logit difference of Wang et al.
    2022 (arXiv:2211.00593): 0 changes nothing, 1 makes the recipient's margin the donor's; it may be negative or exceed
    1, and is NaN where both texts have the same margin. `change` is the recipient's change of P(rise). Logits carry
    the share because probabilities saturate.
    """
    rise, fall = moved_classes(model, original, flipped)
    patches = all_patches(model, len(aligned.units))
    parts = []
    for direction, transfer in transfers(aligned, original, flipped).items():
        logits = patched_logits(model, [(transfer, patch) for patch in patches], tokens_per_batch)
        before, goal = (run.logits.cpu().numpy() for run in (transfer.recipient, transfer.donor))
        margins, start, end = (values[..., rise] - values[..., fall] for values in (logits, before, goal))
        table = pd.DataFrame(patches).assign(
            direction=direction,
            rise=classes[rise],
            fall=classes[fall],
            share=(margins - start) / (end - start if end != start else np.nan),
            change=probabilities(model, logits)[:, rise] - probabilities(model, before)[rise],
        )
        parts.append(table)
    table = pd.concat(parts, ignore_index=True)
    units = [(unit.word, unit.flipped_word, len(unit.tokens), len(unit.flipped_tokens)) for unit in aligned.units]
    units = pd.DataFrame([*units, ("", "", 0, 0)], columns=["word", "flipped_word", "tokens", "flipped_tokens"])
    return table.join(units.set_axis([*range(len(units) - 1), NONE]), on="unit")


def moved_classes(model: PreTrainedModel, original: Activations, flipped: Activations) -> tuple[int, int]:
    """The numbers of the classes whose probabilities the flip raises and lowers most; of several labels, whose logits.

    So the margin never falls: of labels that all rise, the one that gains most probability may gain least in logits.
    """
    before, after = original.logits, flipped.logits
    moved = after - before if gives_several(model) else probabilities(model, after) - probabilities(model, before)
    return int(moved.argmax()), int(moved.argmin())


def transfers(aligned: Aligned, original: Activations, flipped: Activations) -> dict[str, Transfer]:
    """Both directions by name."""
    places = [(unit.tokens, unit.flipped_tokens) for unit in aligned.units]
    return {
        FLIPPED_INTO_ORIGINAL: Transfer(aligned.original, original, flipped, [_matched(*unit) for unit in places]),
        ORIGINAL_INTO_FLIPPED: Transfer(aligned.flipped, flipped, original, [_matched(*unit[::-1]) for unit in places]),
    }


def _matched(into: Sequence[int], source: Sequence[int]) -> tuple[list[int], list[int]]:
    """Pair a unit's tokens from the last one backwards, since in a causal model the last has read the whole unit.

    Where the recipient has more of them, its first ones all get the donor's first.
    """
    return list(into), [source[max(0, len(source) - len(into) + number)] for number in range(len(into))]


def all_patches(model: PreTrainedModel, units: int) -> list[Patch]:
    """Every patch of one direction: the residual stream by block and unit; attention, feed-forward, heads by block."""
    blocks = range(len(blocks_of(model)))
    return [
        *(Patch("residual", block, unit=unit) for block in [*blocks, len(blocks)] for unit in range(units)),
        *(Patch(site, block) for site in ("attention", "feed_forward") for block in blocks),
        *(Patch("head", block, head=head) for block in blocks for head in range(heads_of(model))),
    ]


def patched_logits(model: PreTrainedModel, jobs: Sequence[tuple[Transfer, Patch]], tokens_per_batch: int) -> np.ndarray:
    """The recipients' logits (jobs, classes) under each patch; a batch holds patches of one block, of any transfers."""
    logits = np.empty((len(jobs), model.config.num_labels), dtype=np.float32)
    blocks = np.array([patch.block for _, patch in jobs])
    lengths = np.array([transfer.inputs["input_ids"].shape[1] for transfer, _ in jobs])
    for block in np.unique(blocks):
        numbers = np.flatnonzero(blocks == block)
        for batch in token_batches(lengths[numbers], tokens_per_batch):
            rows = numbers[batch]
            chosen = [jobs[row] for row in rows]
            inputs = one_batch(model, [transfer.inputs for transfer, _ in chosen])
            with torch.inference_mode(), _patched(model, int(block), chosen):
                logits[rows] = model(**inputs).logits.cpu().numpy()
    return logits


@contextmanager
def _patched(model: PreTrainedModel, block: int, jobs: Sequence[tuple[Transfer, Patch]]) -> Iterator[None]:
    """Run a batch of recipients, a row for each patch, from `block` on; earlier blocks are the recipient's own."""
    residual = pad_sequence([transfer.recipient.residual[block] for transfer, _ in jobs], batch_first=True)
    for row, (transfer, patch) in enumerate(jobs):
        if patch.site == "residual":
            into, source = transfer.places[patch.unit]
            residual[row, into] = transfer.donor.residual[block][source]

    def replacing(site: str):
        def change(values: Tensor) -> Tensor:
            values = values.clone()
            for row, (transfer, patch) in enumerate(jobs):
                if patch.site == site:
                    into, source = transfer.everywhere
                    where = head_slice(model, patch.head) if site == "head" else slice(None)
                    values[row, into, where] = getattr(transfer.donor, STORED[site])[block][source][:, where]
            return values

        return change

    with ExitStack() as stack:
        stack.enter_context(resumed_at(model, block, residual))
        if block < len(blocks_of(model)):
            stack.enter_context(changing_input(projection_of(model, block), replacing("head")))
            stack.enter_context(changing_output(attention_of(model, block), replacing("attention")))
            stack.enter_context(changing_output(feed_forward_of(model, block), replacing("feed_forward")))
        yield
