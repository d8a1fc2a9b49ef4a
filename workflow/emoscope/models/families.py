"""The parts of a loaded model, by what the table of families says of them."""

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.llama.modeling_llama import rotate_half

from emoscope.errors import UserError
from emoscope.models.anatomy import FAMILIES, Family


def family_of(model: PreTrainedModel) -> Family:
    """The family of a model; UserError for one that is not known."""
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
    width = head_weights(model, 0).shape[1]
    return slice(head * width, (head + 1) * width)


def head_weights(model: PreTrainedModel, block: int) -> Tensor:
    """W_O of each head, (heads, head width, width): head output @ W_O is the head's part of the projection's output."""
    weight = _in_out(model, projection_of(model, block))
    return weight.reshape(heads_of(model), -1, weight.shape[1])


def reading_weights(model: PreTrainedModel, block: int) -> tuple[Tensor, Tensor, Tensor]:
    """A block's query, key and value weights as stored, (width, heads x head width) each.

    Keys and values may have fewer heads than queries (grouped-query attention).
    """
    weights = [_in_out(model, blocks_of(model)[block].get_submodule(name)) for name in family_of(model).readers]
    return tuple(weights) if len(weights) == 3 else weights[0].chunk(3, dim=1)


def visible_tokens(model: PreTrainedModel, length: int) -> np.ndarray:
    """Attention mask, bool (tokens, tokens): what each token (row) may look at: itself and earlier ones, or all."""
    return np.tri(length, dtype=bool) | family_of(model).looks_ahead


def attention_norm_of(model: PreTrainedModel, block: int) -> nn.Module | None:
    """The norm through which a block's attention reads the residual stream; None if there is none."""
    name = family_of(model).attention_norm
    return blocks_of(model)[block].get_submodule(name) if name else None


def rotated(model: PreTrainedModel, queries: Tensor, distance: int) -> Tensor | None:
    """Queries (n, head width) turned by the rotary embedding for keys `distance` tokens earlier; None without rotary.

    Rotating queries and keys by their positions turns one against the other by the difference alone; Su et al.,
    "RoFormer" (2021).
    """
    name = family_of(model).rotary
    if name is None:
        return None
    cosine, sine = model.get_submodule(name)(queries, torch.tensor([[distance]], device=queries.device))
    return queries * cosine[0] + rotate_half(queries) * sine[0]


def feed_forward_of(model: PreTrainedModel, block: int) -> nn.Module:
    """The module whose output, (batch, tokens, width), a block's feed-forward half adds to the residual stream."""
    return blocks_of(model)[block].get_submodule(family_of(model).feed_forward)


def write_directions(model: PreTrainedModel, block: int) -> Tensor:
    """What each neuron of a block's feed-forward half adds to the residual stream when it fires, (neurons, width)."""
    return _in_out(model, blocks_of(model)[block].get_submodule(family_of(model).neurons)).detach()


def residual_norms_of(model: PreTrainedModel, block: int) -> list[nn.Module]:
    """The norms that a post-norm model applies to its residual stream after each half of a block; else none."""
    return [blocks_of(model)[block].get_submodule(name) for name in family_of(model).norms or ()]


def is_classifier(model: PreTrainedModel) -> bool:
    """Whether the model gives a text one answer; a language model predicts a next token at each place."""
    return hasattr(model, family_of(model).head)


def last_and_head_of(model: PreTrainedModel) -> tuple[nn.Module, nn.Module]:
    """What the pooled token's residual passes after the last block: the final norm (BERT: the pooler), and the head."""
    family = family_of(model)
    return model.get_submodule(family.last), model.get_submodule(family.head)


def read_out(model: PreTrainedModel, residual: Tensor) -> Tensor:
    """Logits (rows, classes) that the model gives if these (rows, width) are the pooled token's last residuals."""
    last, head = last_and_head_of(model)
    return head(last(residual[:, None]).reshape(residual.shape))  # a pooler takes the first of the tokens


def unembed(model: PreTrainedModel, residual: Tensor) -> Tensor:
    """Final norm and unembedding of a residual stream (..., width): logits (..., vocabulary), as in the logit lens."""
    return model.get_output_embeddings()(model.get_submodule(family_of(model).last)(residual))


def pooled_tokens(model: PreTrainedModel, input_ids: Tensor) -> Tensor:
    """The place of the token that the head reads in each text of (rows, tokens): the first, or the last but padding."""
    places = torch.arange(input_ids.shape[1], device=input_ids.device).expand_as(input_ids)
    if family_of(model).pools_first:
        return places[:, 0]
    padding = model.config.pad_token_id
    return places[:, -1] if padding is None else (places * (input_ids != padding)).amax(dim=1)


def pooled_token(model: PreTrainedModel, input_ids: Tensor) -> int:
    """The place of the token that the head reads, for one text (1, tokens)."""
    return int(pooled_tokens(model, input_ids)[0])


def _in_out(model: PreTrainedModel, projection: nn.Module) -> Tensor:
    """A projection's weight as (in, out)."""
    return projection.weight if family_of(model).stores_in_out else projection.weight.T
