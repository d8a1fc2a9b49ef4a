"""What happens to a prediction when attention is blocked, one weight or one head at a time.

Source and target mean what they mean in attention.py: the token that looks, and what it looks at. Effects are
`divergence` (nats, Kullback-Leibler, from the prediction as it was to the blocked one) and `change` (nats) of the true
next token's log-probability.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import Cache, PreTrainedModel

from emoscope.architectures import blocks_of, head_slice, heads_of, projection_of
from emoscope.interventions import Change, changing_input

QUERIES = 512  # blocked (source, target) pairs in one forward pass; bounds memory, changes nothing else


@dataclass(frozen=True)
class Prefix:
    """A text as the model saw it whole: token ids (tokens,), what they left in the cache, and the predictions,
    log-probabilities (tokens, vocabulary)."""

    tokens: Tensor
    cache: Cache
    predictions: Tensor

    @classmethod
    def of(cls, model: PreTrainedModel, ids: Sequence[int]) -> "Prefix":
        tokens = torch.tensor(list(ids), device=model.device)
        with torch.inference_mode():
            output = model(tokens[None], use_cache=True)
            return cls(tokens, output.past_key_values, output.logits[0].log_softmax(dim=-1))


def blocked_predictions(model: PreTrainedModel, text: Prefix) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of each source's prediction when it cannot look at one target, in any head of any block.

    Returns (change, divergence), each (source, target); NaN where there is nothing to block (the first token has only
    itself to look at) and, for `change`, no next token. The target's score is taken out before the softmax: its weight
    is zero, and the source's other weights are renormalised. Only the source's own row is blocked; all other tokens
    stay as they were, and so do the keys and values that they offer. A blocked source is therefore one more query
    beside the cached text, exactly, and all pairs of a text go through the model together.
    """
    length = len(text.tokens)
    change, divergence = (np.full((length, length), np.nan) for _ in range(2))
    pairs = np.stack(np.tril_indices(length))[:, 1:]  # without the first token
    places = np.arange(length)
    for start in range(0, pairs.shape[1], QUERIES):
        source, target = pairs[:, start : start + QUERIES]
        allowed = (places <= source[:, None]) & (places != target[:, None])
        change[source, target], divergence[source, target] = _effects(model, text, source, allowed)
    return change, divergence


def silenced_predictions(model: PreTrainedModel, text: Prefix, source: int) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of one source's prediction when one head adds nothing at this token, for every head in turn.

    Returns (change, divergence), each (blocks, heads). As in `blocked_predictions` all other tokens stay as they were,
    so the heads go through the model together, one query for each.
    """
    blocks, heads = len(blocks_of(model)), heads_of(model)
    with ExitStack() as stack:
        for block in range(blocks):
            stack.enter_context(changing_input(projection_of(model, block), _without_own_head(model, block)))
        sources = np.full(blocks * heads, source)
        allowed = np.tile(np.arange(len(text.tokens)) <= source, (len(sources), 1))
        change, divergence = _effects(model, text, sources, allowed)
    return change.reshape(blocks, heads), divergence.reshape(blocks, heads)


def _without_own_head(model: PreTrainedModel, block: int) -> Change:
    """Take from the queries of this block, one for each head, the output of their head; (1, queries, all heads)."""

    def change(outputs: Tensor) -> Tensor:
        outputs = outputs.clone()
        for head in range(heads_of(model)):
            outputs[:, block * heads_of(model) + head, head_slice(model, head)] = 0
        return outputs

    return change


def _effects(
    model: PreTrainedModel, text: Prefix, source: np.ndarray, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(change, divergence), each (queries,), of sources that look only at what is `allowed`, (queries, tokens)."""
    places = np.arange(len(text.tokens))
    own = np.diag(allowed[np.arange(len(source)), source])  # a query's own key is not the cached one
    seen = torch.from_numpy(np.concatenate([allowed & (places < source[:, None]), own], axis=1)).to(model.device)
    mask = torch.zeros(seen.shape, device=model.device).masked_fill(~seen, torch.finfo(torch.float32).min)
    rows = torch.from_numpy(source).to(model.device)
    with torch.inference_mode():
        after = model(
            text.tokens[rows][None],
            position_ids=rows[None],
            attention_mask=mask[None, None],
            past_key_values=deepcopy(text.cache),  # the model adds the queries to the cache that it is given
        ).logits[0].log_softmax(dim=-1)  # fmt: skip
        before = text.predictions[rows]
        divergence = (before.exp() * (before - after)).sum(dim=-1).clamp(min=0)  # rounding leaves -1e-8
        following = text.tokens.roll(-1)[rows][:, None]
        change = (after.gather(1, following) - before.gather(1, following))[:, 0]
        change = change.masked_fill(rows == len(places) - 1, torch.nan)
    return change.cpu().numpy(), divergence.cpu().numpy()
