"""What differs between model families: where the blocks are, what they consist of, and what reads their result.

The only place that knows families. To add one, add a line to FAMILIES.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from emoscope.errors import UserError


@dataclass(frozen=True)
class Family:
    """Names of a family's parts: attribute paths from the classifier, and from one block."""

    blocks: str
    projection: str
    stores_in_out: bool  # the projection's weight is (in, out), not nn.Linear's (out, in)
    feed_forward: str
    last: str  # between the last block and the head: the final norm; in BERT the pooler
    head: str
    norms: tuple[str, str] | None = None  # of the residual stream, after attention and feed-forward (post-norm models)
    pools_first: bool = False  # the head reads the first token, not the last one


FAMILIES = {
    "gpt2": Family(
        blocks="transformer.h",
        projection="attn.c_proj",
        stores_in_out=True,
        feed_forward="mlp",
        last="transformer.ln_f",
        head="score",
    ),
    "bert": Family(
        blocks="bert.encoder.layer",
        projection="attention.output.dense",
        stores_in_out=False,
        feed_forward="output.dense",
        last="bert.pooler",
        head="classifier",
        norms=("attention.output.LayerNorm", "output.LayerNorm"),
        pools_first=True,
    ),
    "llama": Family(
        blocks="model.layers",
        projection="self_attn.o_proj",
        stores_in_out=False,
        feed_forward="mlp",
        last="model.norm",
        head="score",
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


def heads_of(model: PreTrainedModel) -> int:
    """Number of attention (query) heads in each block."""
    return model.config.num_attention_heads


def head_slice(model: PreTrainedModel, head: int) -> slice:
    """Where one head's output lies in the last dimension of the projection's input."""
    family = family_of(model)
    weight = projection_of(model, 0).weight
    width = weight.shape[0 if family.stores_in_out else 1] // heads_of(model)
    return slice(head * width, (head + 1) * width)


def head_weights(model: PreTrainedModel, block: int) -> Tensor:
    """What turns each head's output into its share of the projection's output: (heads, head width, width)."""
    weight = projection_of(model, block).weight
    weight = weight if family_of(model).stores_in_out else weight.T
    return weight.reshape(heads_of(model), -1, weight.shape[1])


def feed_forward_of(model: PreTrainedModel, block: int) -> nn.Module:
    """The module whose output, (batch, tokens, width), a block's feed-forward half adds to the residual stream."""
    return blocks_of(model)[block].get_submodule(family_of(model).feed_forward)


def residual_norms_of(model: PreTrainedModel, block: int) -> list[nn.Module]:
    """The norms that a post-norm model applies to its residual stream after each half of a block; else none."""
    return [blocks_of(model)[block].get_submodule(name) for name in family_of(model).norms or ()]


def last_and_head_of(model: PreTrainedModel) -> tuple[nn.Module, nn.Module]:
    """What the pooled token's residual passes after the last block: the final norm (BERT: the pooler), and the head."""
    family = family_of(model)
    return model.get_submodule(family.last), model.get_submodule(family.head)


def read_out(model: PreTrainedModel, residual: Tensor) -> Tensor:
    """Logits (rows, classes) that the model would give, were these (rows, width) the pooled token's last residual."""
    last, head = last_and_head_of(model)
    return head(last(residual[:, None]).reshape(residual.shape))  # a pooler takes the first of the tokens


def pooled_token(model: PreTrainedModel, input_ids: Tensor) -> int:
    """The place of the token that the head reads, for one text (1, tokens): the first one, or the last but padding."""
    if family_of(model).pools_first:
        return 0
    padding = model.config.pad_token_id
    real = torch.arange(input_ids.shape[1]) if padding is None else (input_ids[0] != padding).nonzero()
    return int(real.max()) if real.numel() else 0
