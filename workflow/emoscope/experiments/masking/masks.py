"""Which masks there are of a block and of its heads, and how one is laid on while the model runs."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.models.interventions import fixed_head, fixed_output, silenced_bias
from emoscope.models.parts import attention_of, feed_forward_of, head_slice, heads_of, projection_of
from emoscope.storage.names import WHOLE_BLOCK

PARTS = {"attention": attention_of, "mlp": feed_forward_of}


@dataclass(frozen=True)
class Mask:
    """One ablation: a condition on a whole block (`head` is WHOLE_BLOCK) or on one of its heads.

    `draw` counts the random texts whose outputs are put in place, one after the other.
    """

    head: int
    condition: str
    draw: int = 0

    def __post_init__(self) -> None:
        if self.condition not in (BLOCKS if self.head == WHOLE_BLOCK else HEADS):
            raise ValueError(f"no such mask: {self}")


@dataclass(frozen=True)
class Substitutes:
    """What may take the place of blocks' outputs in one batch, (rows, tokens, width) by block and site: `means`, and by
    draw the outputs in other texts."""

    means: Mapping[str, Tensor]
    kinds: Tensor
    drawn: Mapping[int, Mapping[tuple[int, str], Tensor]]

    def mean(self, block: int, site: str) -> Tensor:
        return self.means[site][block][self.kinds]


def masks_of(
    model: PreTrainedModel, block_conditions: Sequence[str], head_conditions: Sequence[str], resample_draws: int
) -> list[Mask]:
    """All masks of one block. A model whose projection has no bias has no `published` condition."""
    draws = {name: resample_draws if BLOCKS[name].by == "resample" else 1 for name in block_conditions}
    if projection_of(model, 0).bias is None:
        draws = {name: count for name, count in draws.items() if BLOCKS[name].by != "bias"}
    masks = [Mask(WHOLE_BLOCK, name, draw) for name, count in draws.items() for draw in range(count)]
    return masks + [Mask(head, name) for name in head_conditions for head in range(heads_of(model))]


def silence(model: PreTrainedModel, block: int, mask: Mask, substitutes: Substitutes) -> AbstractContextManager:
    """Mask one block or one of its heads while the model runs on one batch."""
    if mask.head != WHOLE_BLOCK:
        by_mean = HEADS[mask.condition].by == "mean"
        value = substitutes.mean(block, "heads")[..., head_slice(model, mask.head)] if by_mean else 0.0
        return fixed_head(model, block, mask.head, value)
    condition = BLOCKS[mask.condition]
    module = PARTS[condition.part](model, block)
    match condition.by:
        case "zero":
            return fixed_output(module, torch.zeros((), device=model.device))
        case "bias":
            return silenced_bias(model, block)
        case "mean":
            return fixed_output(module, substitutes.mean(block, condition.part))
        case "resample":
            return fixed_output(module, substitutes.drawn[mask.draw][block, condition.part])
    raise ValueError(f"no such mask: {mask}")
