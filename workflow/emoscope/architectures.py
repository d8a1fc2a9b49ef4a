"""What differs between model families: where the blocks are, and what they write into the residual stream.

The only place that knows families. To add one, add a line to FAMILIES.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from transformers import PreTrainedModel

from emoscope.errors import UserError


@dataclass(frozen=True)
class Family:
    """Names of a family's parts: attribute paths from the classifier, and from one block."""

    blocks: str
    projection: str
    mlp_projection: str
    stores_in_out: bool  # the projections' weights are (in, out), not nn.Linear's (out, in)
    final_norm: str = ""  # what the last residual passes before the language-model head; empty without such a head


FAMILIES = {
    "gpt2": Family(
        blocks="transformer.h",
        projection="attn.c_proj",
        mlp_projection="mlp.c_proj",
        stores_in_out=True,
        final_norm="transformer.ln_f",
    ),
    "bert": Family(
        blocks="bert.encoder.layer",
        projection="attention.output.dense",
        mlp_projection="output.dense",
        stores_in_out=False,
    ),
    "llama": Family(
        blocks="model.layers",
        projection="self_attn.o_proj",
        mlp_projection="mlp.down_proj",
        stores_in_out=False,
        final_norm="model.norm",
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


def write_directions(model: PreTrainedModel, block: int) -> Tensor:
    """What each neuron of a block's MLP adds to the residual stream when it fires, (neurons, width)."""
    family = family_of(model)
    weight = blocks_of(model)[block].get_submodule(family.mlp_projection).weight.detach()
    return weight if family.stores_in_out else weight.T


def unembed(model: PreTrainedModel, residual: Tensor) -> Tensor:
    """Read a residual stream (..., width) as the language model reads its last one: logits (..., vocabulary)."""
    return model.get_output_embeddings()(model.get_submodule(family_of(model).final_norm)(residual))


def heads_of(model: PreTrainedModel) -> int:
    """Number of attention (query) heads in each block."""
    return model.config.num_attention_heads


def head_slice(model: PreTrainedModel, head: int) -> slice:
    """Where one head's output lies in the last dimension of the projection's input."""
    family = family_of(model)
    weight = projection_of(model, 0).weight
    width = weight.shape[0 if family.stores_in_out else 1] // heads_of(model)
    return slice(head * width, (head + 1) * width)
