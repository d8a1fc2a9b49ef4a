"""Direct logit attribution (what each part writes towards each class) and the logit lens (the answer after each block).

Direct logit attribution splits the pooled token's last residual into what the embedding, every head and every
feed-forward wrote there, and sends each part through the final norm and the head. It shows direct effects only: what a
head tells later blocks counts for those.
"""

from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from emoscope.models.activations import Activations
from emoscope.models.families import (
    blocks_of,
    head_weights,
    last_and_head_of,
    projection_of,
    read_out,
    residual_norms_of,
)
from emoscope.models.logits import probabilities
from emoscope.storage.names import NONE


class Part(NamedTuple):
    """A writer to the residual stream: `constant` (biases of the norms and of the head), `embedding`, or of a block
    one `head`, the `bias` of its attention output projection, or the `feed_forward`."""

    part: str
    block: int = NONE
    head: int = NONE


def attribution_table(model: PreTrainedModel, run: Activations, place: int, classes: list[str]) -> pd.DataFrame:
    """Direct logit attribution: `part, block, head, class, contribution`, which add up to the logit of each class."""
    parts, contributions = contributions_of(model, run, place)
    table = pd.DataFrame(parts).join(pd.DataFrame(contributions.cpu().numpy(), columns=classes))
    return table.melt(list(Part._fields), var_name="class", value_name="contribution")


def class_lens_table(model: PreTrainedModel, run: Activations, place: int, classes: list[str]) -> pd.DataFrame:
    """The logit lens: `depth, class, logit, probability` after `depth` blocks; the last is the model's own answer."""
    logits = lens_of(model, run, place)
    tables = {"logit": logits, "probability": probabilities(model, logits)}
    columns = [
        pd.DataFrame(values.cpu().numpy(), columns=classes)
        .rename_axis("depth")
        .melt(ignore_index=False, value_name=name)
        for name, values in tables.items()
    ]
    return columns[0].rename(columns={"variable": "class"}).assign(probability=columns[1]["probability"]).reset_index()


@torch.inference_mode()
def lens_of(model: PreTrainedModel, run: Activations, place: int) -> Tensor:
    """Logits (blocks + 1, classes) that the model's last steps make of the pooled token's residual at every depth."""
    return read_out(model, run.residual[:, place])


@torch.inference_mode()
def contributions_of(model: PreTrainedModel, run: Activations, place: int) -> tuple[list[Part], Tensor]:
    """Parts, and their contributions (parts, classes) to the logits, float64; they sum to the logits.

    Norms are linear once their scale is held at its actual value, so they are sent every part in proportion. BERT
    norms its residual twice in a block, so earlier parts pass all later norms; its pooler's tanh is held at its actual
    slope from the origin, tanh(y) / y, in every dimension.
    """
    embedding = run.residual[0, place].double()
    parts, values = [Part("constant"), Part("embedding")], torch.stack([torch.zeros_like(embedding), embedding])
    for block in range(len(blocks_of(model))):
        weights, bias = head_weights(model, block).double(), projection_of(model, block).bias
        heads = run.heads[block, place].double().reshape(len(weights), -1)
        written = torch.einsum("hi,hio->ho", heads, weights)
        norms = residual_norms_of(model, block) or [nn.Identity(), nn.Identity()]
        parts += [Part("head", block, head) for head in range(len(written))]
        values = torch.cat([values, written])
        if bias is not None:
            parts, values = [*parts, Part("bias", block)], torch.cat([values, bias.double()[None]])
        values = _held(norms[0], values)
        parts.append(Part("feed_forward", block))
        values = _held(norms[1], torch.cat([values, run.feed_forward[block, place].double()[None]]))
    for module in last_and_head_of(model):
        values = _held(module, values)
    return parts, values


def _held(module: nn.Module, values: Tensor) -> Tensor:
    """Pass parts (parts, width) through a module linearised at their sum; its biases are added to the first part."""
    match module:
        case nn.Identity():
            return values
        case nn.Linear():
            values = values @ module.weight.T.double()
            bias = module.bias
        case nn.LayerNorm():
            total = values.sum(dim=0)
            scale = (total.var(correction=0) + module.eps).rsqrt()
            values = (values - values.mean(dim=1, keepdim=True)) * scale * module.weight.double()
            bias = module.bias
        case nn.Module(dense=nn.Linear() as dense, activation=nn.Tanh()):
            values = _held(dense, values)
            total = values.sum(dim=0)
            return values * torch.where(total == 0, 1, total.tanh() / total)
        case _:  # RMSNorm
            scale = (values.sum(dim=0).square().mean() + module.variance_epsilon).rsqrt()
            values, bias = values * scale * module.weight.double(), None
    if bias is not None:
        values = torch.cat([values[:1] + bias.double(), values[1:]])
    return values
