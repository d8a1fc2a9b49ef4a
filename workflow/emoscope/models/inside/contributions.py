"""Direct logit attribution: what each part of a model writes towards each class."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from emoscope.models.activations import Activations
from emoscope.models.parts import (
    blocks_of,
    centres,
    epsilon_of,
    family_of,
    head_weights,
    output_norms_of,
    projection_of,
    readout_of,
    residual_norms_of,
)
from emoscope.storage.names import NONE

ACTIVATIONS = {"tanh": torch.tanh, "gelu": functional.gelu, "relu": functional.relu}  # steps of a readout


class Part(NamedTuple):
    """A writer to the residual stream: `constant` (biases of the norms and of the classification head), `embedding`, or
    of a block one `head`, the `bias` of its attention output projection, or the `feed_forward`."""

    part: str
    block: int = NONE
    head: int = NONE


@torch.inference_mode()
def contributions_of(model: PreTrainedModel, run: Activations, place: int) -> tuple[list[Part], Tensor]:
    """Parts, and their contributions (parts, classes) to the logits, float64; they sum to the logits.

    Norms are linear once their scale is held at its actual value, so they are sent every part in proportion. BERT
    norms its residual twice in a block, so earlier parts pass all later norms. An activation in the classification
    head, such as tanh, is held at its actual slope from the origin, tanh(y) / y, in every dimension.
    """
    held = partial(_held, add_one=family_of(model).norms_add_one)
    embedding = run.residual[0, place].double()
    parts, values = [Part("constant"), Part("embedding")], torch.stack([torch.zeros_like(embedding), embedding])
    for block in range(len(blocks_of(model))):
        weights, bias = head_weights(model, block).double(), projection_of(model, block).bias
        heads = run.heads[block, place].double().reshape(len(weights), -1)
        written = torch.einsum("hi,hio->ho", heads, weights)
        norms = residual_norms_of(model, block) or [nn.Identity(), nn.Identity()]
        parts += [Part("head", block, head) for head in range(len(written))]
        if bias is not None:
            parts, written = [*parts, Part("bias", block)], torch.cat([written, bias.double()[None]])
        if before := output_norms_of(model, block):
            constant, *written = held(before[0], torch.cat([torch.zeros_like(written[:1]), written]))
            values[0] += constant
            written = torch.stack(written)
        values = held(norms[0], torch.cat([values, written]))
        parts.append(Part("feed_forward", block))
        values = held(norms[1], torch.cat([values, run.feed_forward[block, place].double()[None]]))
    for step in readout_of(model):
        values = held(step, values)
    return parts, values


def _held(step: nn.Module | str, values: Tensor, add_one: bool) -> Tensor:
    """Pass parts (parts, width) through a step linearised at their sum; its biases are added to the first part.

    With `add_one`, norms scale by 1 + weight.
    """
    total = values.sum(dim=0)
    match step:
        case nn.Identity():
            return values
        case str():
            return values * torch.where(total == 0, 1, ACTIVATIONS[step](total) / total)
        case nn.Linear():
            values = values @ step.weight.T.double()
        case _:
            variance = total.var(correction=0) if centres(step) else total.square().mean()
            centred = values - values.mean(dim=1, keepdim=True) if centres(step) else values
            values = centred * (variance + epsilon_of(step)).rsqrt() * (step.weight.double() + add_one)
    bias = getattr(step, "bias", None)
    if bias is not None:
        values = torch.cat([values[:1] + bias.double(), values[1:]])
    return values
