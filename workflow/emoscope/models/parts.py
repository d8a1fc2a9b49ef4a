"""The parts of a loaded model, by what the table of families says of them."""

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.llama.modeling_llama import rotate_half
from transformers.pytorch_utils import Conv1D
from transformers.tokenization_utils_base import VERY_LARGE_INTEGER

from emoscope.errors import UserError
from emoscope.models.families import ACTIVATIONS, DESCRIBED, Family, family_named, unknown

PROJECTIONS = (nn.Linear, Conv1D)  # the second is GPT-2's


def family_of(model: PreTrainedModel) -> Family:
    """The family of a model; UserError for one that is not known."""
    described = getattr(model.config, DESCRIBED, None)
    if family := family_named({"model_type": model.config.model_type, DESCRIBED: described}):
        return family
    raise UserError(unknown(model.config.model_type))


def blocks_of(model: PreTrainedModel) -> nn.ModuleList:
    """The transformer blocks, first to last; a block's output is the residual stream, (batch, tokens, width)."""
    return model.get_submodule(family_of(model).blocks)


def projection_of(model: PreTrainedModel, block: int) -> nn.Module:
    """A block's attention output projection.

    Its input is every head's output side by side, (batch, tokens, heads x head width).
    """
    return blocks_of(model)[block].get_submodule(family_of(model).projection)


def attention_of(model: PreTrainedModel, block: int) -> nn.Module:
    """The module whose output, (batch, tokens, width), a block's attention adds to the residual stream.

    That is the projection, or, where one stands behind it, the norm that its output passes first.
    """
    norms = output_norms_of(model, block)
    return norms[0] if norms else projection_of(model, block)


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
    return split_readers(model, [_in_out(model, reader) for reader in readers_of(model, block)])


def readers_of(model: PreTrainedModel, block: int) -> list[nn.Module]:
    """A block's projections to queries, keys and values: three modules, or one if they are fused."""
    return [blocks_of(model)[block].get_submodule(name) for name in family_of(model).readers]


def split_readers(model: PreTrainedModel, parts: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values, each (..., heads x head width), of what the readers give or are, one tensor each."""
    if len(parts) == 3:
        return tuple(parts)
    [fused] = parts
    if family_of(model).fused_by_head:
        by_head = fused.unflatten(-1, (heads_of(model), 3, -1))
        return tuple(by_head[..., number, :].flatten(-2) for number in range(3))
    queries = heads_of(model) * head_weights(model, 0).shape[1]
    shared = (fused.shape[-1] - queries) // 2
    return fused.split([queries, shared, shared], dim=-1)


def joined_readers(model: PreTrainedModel, parts: Sequence[Tensor]) -> list[Tensor]:
    """What each reader gives, (..., its outputs), of queries, keys and values: the way back from `split_readers`."""
    if len(family_of(model).readers) == 3:
        return list(parts)
    if family_of(model).fused_by_head:
        by_head = [part.unflatten(-1, (heads_of(model), -1)) for part in parts]
        return [torch.cat(by_head, dim=-1).flatten(-2)]
    return [torch.cat(list(parts), dim=-1)]


def projections_of(model: PreTrainedModel, block: int) -> list[nn.Module]:
    """All of a block's matrix products with weights."""
    return [module for module in blocks_of(model)[block].modules() if isinstance(module, PROJECTIONS)]


def after_attention(model: PreTrainedModel, block: int) -> list[nn.Module]:
    """What a block computes of each token alone once attention is done, but for norms and activations between: the
    attention's projection and the feed-forward half, none inside another.

    Whatever stands beside the readers is left out: it may be about pairs of tokens.
    """
    module, family = blocks_of(model)[block], family_of(model)
    whole = [family.projection, family.feed_forward]
    holders = {name.rpartition(".")[0] for name in family.readers} - {""}
    inside = tuple(f"{name}." for name in [*whole, *holders])
    beside = [name for name, part in module.named_modules() if isinstance(part, PROJECTIONS)]
    beside = [name for name in beside if name not in (*whole, *family.readers) and not name.startswith(inside)]
    return [module.get_submodule(name) for name in [*whole, *beside]]


def width_given(model: PreTrainedModel, projection: nn.Module) -> int:
    """The size of the last dimension of what a projection gives."""
    return _in_out(model, projection).shape[1]


def attention_norm_of(model: PreTrainedModel, block: int) -> nn.Module | None:
    """The norm through which a block's attention reads the residual stream; None if there is none."""
    name = family_of(model).attention_norm
    return blocks_of(model)[block].get_submodule(name) if name else None


def rotated(model: PreTrainedModel, block: int, queries: Tensor, distance: int) -> Tensor | None:
    """A block's queries (n, head width) turned by the rotary embedding for keys `distance` tokens earlier; None without
    rotary.

    Rotating queries and keys by their positions turns one against the other by the difference alone; Su et al.,
    "RoFormer" (2021).
    """
    family = family_of(model)
    if family.rotary is None:
        return None
    kind = (model.config.layer_types[block],) if family.rotary_by_type else ()
    places = torch.tensor([[distance]], device=queries.device)
    cosine, sine = model.get_submodule(family.rotary)(queries, places, *kind)
    turned, rest = queries.split([cosine.shape[-1], queries.shape[-1] - cosine.shape[-1]], dim=-1)  # may be a part only
    return torch.cat([turned * cosine[0] + rotate_half(turned) * sine[0], rest], dim=-1)


def feed_forward_of(model: PreTrainedModel, block: int) -> nn.Module:
    """The module whose output, (batch, tokens, width), a block's feed-forward half adds to the residual stream."""
    norms = output_norms_of(model, block)
    return norms[1] if norms else blocks_of(model)[block].get_submodule(family_of(model).feed_forward)


def write_directions(model: PreTrainedModel, block: int) -> Tensor:
    """The direction in which each neuron of a block's feed-forward half moves the residual stream, (neurons, width)."""
    written = _in_out(model, blocks_of(model)[block].get_submodule(family_of(model).neurons)).detach()
    norms = output_norms_of(model, block)
    return written * (norms[1].weight.detach() + family_of(model).norms_add_one) if norms else written


def residual_norms_of(model: PreTrainedModel, block: int) -> list[nn.Module]:
    """The norms that a post-norm model applies to its residual stream after each half of a block; else none."""
    return [blocks_of(model)[block].get_submodule(name) for name in family_of(model).norms]


def output_norms_of(model: PreTrainedModel, block: int) -> list[nn.Module]:
    """The norms that the outputs of attention and feed-forward pass before they are added to the stream, if any."""
    return [blocks_of(model)[block].get_submodule(name) for name in family_of(model).output_norms]


def query_norms_of(model: PreTrainedModel, block: int) -> list[nn.Module]:
    """The norms that each head's queries and keys pass before they meet, (..., head width) each, if any."""
    return [blocks_of(model)[block].get_submodule(name) for name in family_of(model).query_norms]


def centres(norm: nn.Module) -> bool:
    """Whether a norm subtracts the mean, as a LayerNorm does and an RMSNorm does not."""
    return "LayerNorm" in type(norm).__name__


def epsilon_of(norm: nn.Module) -> float:
    """What a norm adds to the variance before it takes the root."""
    return norm.eps if hasattr(norm, "eps") else norm.variance_epsilon


def is_classifier(model: PreTrainedModel) -> bool:
    """Whether the model gives a text one answer; a language model predicts a next token at each place."""
    return hasattr(model, family_of(model).readout[-1].split(".")[0])


def readout_of(model: PreTrainedModel) -> list[nn.Module | str]:
    """What the pooled token's residual passes after the last block, step by step: modules, and activations by name."""
    return [step if step in ACTIVATIONS else model.get_submodule(step) for step in family_of(model).readout]


def classification_head_of(model: PreTrainedModel) -> nn.Linear:
    """The layer that gives the logits."""
    return readout_of(model)[-1]


def context_of(model: PreTrainedModel) -> float:
    """The most tokens that the model reads at once; infinite where config.json names none (ALiBi needs none)."""
    config = model.config
    skipped = config.pad_token_id + 1 if family_of(model).positions_after_padding else 0
    return (getattr(config, "max_position_embeddings", None) or inf) - skipped


def seen_by_all(model: PreTrainedModel) -> float:
    """The most tokens that a text may have if every block is to see all of it and keep it for the tokens that follow:
    the context or, of a model with sliding windows, one less than the shortest."""
    windows = (getattr(model.config, name, None) for name in ("sliding_window", "window_size"))
    return min([context_of(model), *(window - 1 for window in windows if window)])


def longest_text(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The tokens after which a text is cut; UserError if neither the model nor its tokenizer says how many."""
    longest = min(tokenizer.model_max_length, context_of(model))
    if longest == VERY_LARGE_INTEGER:
        raise UserError(
            f"{model.name_or_path}: neither max_position_embeddings in config.json nor model_max_length in "
            "tokenizer_config.json says how many tokens it reads at once; write the second there, such as 512"
        )
    return longest


def pooled_tokens(model: PreTrainedModel, input_ids: Tensor) -> Tensor:
    """The place of the token that the classification head reads in each text of (rows, tokens): the first, or the last
    but padding."""
    places = torch.arange(input_ids.shape[1], device=input_ids.device).expand_as(input_ids)
    if family_of(model).pools_first:
        return places[:, 0]
    padding = model.config.pad_token_id
    return places[:, -1] if padding is None else (places * (input_ids != padding)).amax(dim=1)


def pooled_token(model: PreTrainedModel, input_ids: Tensor) -> int:
    """The place of the token that the classification head reads, for one text (1, tokens)."""
    return int(pooled_tokens(model, input_ids)[0])


def _in_out(model: PreTrainedModel, projection: nn.Module) -> Tensor:
    """A projection's weight as (in, out)."""
    return projection.weight if family_of(model).stores_in_out else projection.weight.T
