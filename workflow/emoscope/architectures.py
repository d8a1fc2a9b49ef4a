"""What differs between model families: where the blocks are, and the parts of each block.

The only place that knows families. To add one, add a line to FAMILIES.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.llama.modeling_llama import rotate_half

from emoscope.errors import UserError


@dataclass(frozen=True)
class Family:
    """Names of a family's parts: attribute paths from the classifier, and from one block."""

    blocks: str
    projection: str
    stores_in_out: bool  # weights are (in, out), not nn.Linear's (out, in)
    readers: tuple[str, ...]  # projections to queries, keys and values; one if they are fused
    mlp: str  # the module whose output is added to the residual stream
    norm: str | None = None  # what attention reads the residual stream through; BERT normalises after adding
    rotary: str | None = None  # from the model: what rotates queries and keys by their positions


FAMILIES = {
    "gpt2": Family(
        blocks="transformer.h",
        projection="attn.c_proj",
        stores_in_out=True,
        readers=("attn.c_attn",),
        mlp="mlp",
        norm="ln_1",
    ),
    "bert": Family(
        blocks="bert.encoder.layer",
        projection="attention.output.dense",
        stores_in_out=False,
        readers=("attention.self.query", "attention.self.key", "attention.self.value"),
        mlp="output.dense",
    ),
    "llama": Family(
        blocks="model.layers",
        projection="self_attn.o_proj",
        stores_in_out=False,
        readers=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        mlp="mlp",
        norm="input_layernorm",
        rotary="model.rotary_emb",
    ),
}


def family_of(model: PreTrainedModel) -> Family:
    """The family of a classifier; UserError for one that is not known."""
    try:
        return FAMILIES[model.config.model_type]
    except KeyError:
        known = ", ".join(FAMILIES)
        raise UserError(f"model type {model.config.model_type!r} is not known; known families: {known}") from None


def blocks_of(model: PreTrainedModel) -> nn.ModuleList:
    """The transformer blocks, first to last; a block's output is the residual stream, (batch, tokens, width)."""
    return model.get_submodule(family_of(model).blocks)


def projection_of(model: PreTrainedModel, block: int) -> nn.Module:
    """A block's attention output projection.

    Its input is every head's output side by side, (batch, tokens, heads x head width); its output is what attention
    adds to the residual stream, (batch, tokens, width).
    """
    return blocks_of(model)[block].get_submodule(family_of(model).projection)


def mlp_of(model: PreTrainedModel, block: int) -> nn.Module:
    """A block's MLP; its output is what it adds to the residual stream, (batch, tokens, width)."""
    return blocks_of(model)[block].get_submodule(family_of(model).mlp)


def norm_of(model: PreTrainedModel, block: int) -> nn.Module | None:
    """The normalisation through which a block's attention reads the residual stream; None if there is none."""
    name = family_of(model).norm
    return blocks_of(model)[block].get_submodule(name) if name else None


def rotated(model: PreTrainedModel, queries: Tensor, distance: int) -> Tensor | None:
    """Queries (n, head width) as keys `distance` tokens earlier meet them; None where positions enter otherwise.

    Rotating queries and keys by their positions turns one against the other by the difference alone; Su et al.,
    "RoFormer" (2021).
    """
    name = family_of(model).rotary
    if name is None:
        return None
    cosine, sine = model.get_submodule(name)(queries, torch.tensor([[distance]], device=queries.device))
    return queries * cosine[0] + rotate_half(queries) * sine[0]


def reading_weights(model: PreTrainedModel, block: int) -> tuple[Tensor, Tensor, Tensor]:
    """A block's query, key and value weights as stored, (width, heads x head width) each.

    Keys and values may have fewer heads than queries (grouped-query attention).
    """
    family = family_of(model)
    readers = [blocks_of(model)[block].get_submodule(name).weight for name in family.readers]
    weights = [weight if family.stores_in_out else weight.T for weight in readers]
    return tuple(weights) if len(weights) == 3 else weights[0].chunk(3, dim=1)


def writing_weight(model: PreTrainedModel, block: int) -> Tensor:
    """A block's attention output projection as stored, (heads x head width, width)."""
    weight = projection_of(model, block).weight
    return weight if family_of(model).stores_in_out else weight.T


def heads_of(model: PreTrainedModel) -> int:
    """Number of attention (query) heads in each block."""
    return model.config.num_attention_heads


def head_slice(model: PreTrainedModel, head: int) -> slice:
    """Where one head's output lies in the last dimension of the projection's input."""
    width = len(writing_weight(model, 0)) // heads_of(model)
    return slice(head * width, (head + 1) * width)
