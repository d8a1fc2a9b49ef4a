"""Attention knockout and zero ablation: what blocking one weight, or one head, does to a prediction.

Source and target mean what they mean in weights.py: the token that looks, and what it looks at. Effects are
`divergence` (nats, Kullback-Leibler, from the prediction as it was to the blocked one) and `change` (nats) of one
outcome's log-probability: a language model's true next token, or the class that a classifier predicts.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import Cache, PreTrainedModel

from emoscope.errors import UserError
from emoscope.models.activations import activations_of
from emoscope.models.inside.padding import LIMIT
from emoscope.models.inside.visibility import MOST_QUERIES, additive, answers_seeing, visible_tokens
from emoscope.models.interventions import Change, changing_input, resumed_at
from emoscope.models.logits import log_probabilities
from emoscope.models.parts import (
    blocks_of,
    head_slice,
    heads_of,
    is_classifier,
    pooled_token,
    projection_of,
)


def when_blocked(model: PreTrainedModel, ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """(change, divergence) when a source cannot look at a target, each (source, target): of a classifier's answer, or
    of a language model's prediction at the source."""
    if is_classifier(model):
        return blocked_answers(model, ids)
    return blocked_predictions(model, SeenText.of(model, ids))


def when_silenced(model: PreTrainedModel, ids: Sequence[int]) -> tuple[int, np.ndarray, np.ndarray]:
    """A token, and (change, divergence), each (blocks, heads), when a head adds nothing there: the token that a
    classifier reads its answer from, or for a language model the last one with a true next token."""
    if is_classifier(model):
        place = pooled_token(model, torch.tensor([list(ids)]))
        return place, *silenced_answers(model, ids, place)
    return len(ids) - 2, *silenced_predictions(model, SeenText.of(model, ids), len(ids) - 2)


@torch.inference_mode()
def blocked_answers(model: PreTrainedModel, ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of a classifier's answer when a source cannot look at one target, in any head of any block.

    As in `blocked_predictions`, but what the source then passes on reaches the other tokens, of which one gives the
    answer. NaN where there is nothing to block: nothing to look at, or nothing else.
    """
    tokens = torch.tensor([list(ids)], device=model.device)
    answer = model(tokens).logits
    seen = visible_tokens(model, len(ids))
    _assert_whole(answer, answers_seeing(model, tokens, seen[None]), len(ids))
    change, divergence = (np.full(seen.shape, np.nan) for _ in range(2))
    source, target = np.nonzero(seen & (seen.sum(axis=1, keepdims=True) > 1))
    for rows in np.split(np.arange(len(source)), range(MOST_QUERIES, len(source), MOST_QUERIES)):
        allowed = np.repeat(seen[None], len(rows), axis=0)
        allowed[np.arange(len(rows)), source[rows], target[rows]] = False
        after = answers_seeing(model, tokens, allowed)
        change[source[rows], target[rows]], divergence[source[rows], target[rows]] = _moved(model, answer, after)
    return change, divergence


@torch.inference_mode()
def silenced_answers(model: PreTrainedModel, ids: Sequence[int], place: int) -> tuple[np.ndarray, np.ndarray]:
    """What zero ablation of one head at one token does to a classifier's answer, for every head in turn: the change and
    the divergence of `_moved`, each (blocks, heads)."""
    whole = activations_of(model, {"input_ids": torch.tensor([list(ids)])})
    heads = range(heads_of(model))
    tokens = torch.tensor([list(ids)] * len(heads), device=model.device)

    def without_own_head(outputs: Tensor) -> Tensor:
        outputs = outputs.clone()
        for head in heads:
            outputs[head, place, head_slice(model, head)] = 0
        return outputs

    found = []
    for block in range(len(blocks_of(model))):
        residual = whole.residual[block].repeat(len(heads), 1, 1)
        with resumed_at(model, block, residual), changing_input(projection_of(model, block), without_own_head):
            found.append(_moved(model, whole.logits[None], model(tokens).logits))
    change, divergence = zip(*found, strict=True)
    return np.stack(change), np.stack(divergence)


def _assert_whole(answer: Tensor, unhidden: Tensor, length: int) -> None:
    """UserError if a mask that hides nothing changes the answer: it takes the place of a block's sliding window."""
    if (answer - unhidden).abs().max() > LIMIT * max(1.0, float(answer.abs().max())):
        raise UserError(
            f"a text of {length} tokens is longer than what this model's blocks look at, so its attention cannot be "
            "blocked token by token; shorten it, if it is one of attention.sentences, or name another model"
        )


def _moved(model: PreTrainedModel, before: Tensor, after: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(change, divergence), each (rows,), from logits (1, classes) to (rows, classes).

    The change is of the log-probability of the most probable class. Of several labels, each given or not by a
    distribution of its own, the divergence is the sum over labels.

    Where a classifier is nearly certain, divergences are tiny. So the sum of p log(p/q) is taken as that of
    p log(p/q) - p + q, which is the same and has no terms of opposite signs to lose digits by.
    """
    before, after = (log_probabilities(model, logits.double()) for logits in (before, after))
    change = after - before
    divergence = (before.exp() * (change.expm1() - change)).sum(dim=-1)
    change = change[:, int(before[..., : model.config.num_labels].argmax())]
    return change.cpu().numpy(), divergence.cpu().numpy()


@dataclass(frozen=True)
class SeenText:
    """A text as the model saw it whole: token ids (tokens,), what they left in the cache, and the predictions,
    log-probabilities (tokens, vocabulary)."""

    tokens: Tensor
    cache: Cache
    predictions: Tensor

    @classmethod
    def of(cls, model: PreTrainedModel, ids: Sequence[int]) -> "SeenText":
        tokens = torch.tensor(list(ids), device=model.device)
        with torch.inference_mode():
            output = model(tokens[None], use_cache=True)
            return cls(tokens, output.past_key_values, output.logits[0].log_softmax(dim=-1))


def blocked_predictions(model: PreTrainedModel, text: SeenText) -> tuple[np.ndarray, np.ndarray]:
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
    _, untouched = _effects(model, text, places, places <= places[:, None])
    _assert_whole(torch.zeros(length), torch.from_numpy(untouched), length)
    for start in range(0, pairs.shape[1], MOST_QUERIES):
        source, target = pairs[:, start : start + MOST_QUERIES]
        allowed = (places <= source[:, None]) & (places != target[:, None])
        change[source, target], divergence[source, target] = _effects(model, text, source, allowed)
    return change, divergence


def silenced_predictions(model: PreTrainedModel, text: SeenText, source: int) -> tuple[np.ndarray, np.ndarray]:
    """What zero ablation of one head at this token does to its prediction, for every head in turn.

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
    model: PreTrainedModel, text: SeenText, source: np.ndarray, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(change, divergence), each (queries,), of sources that look only at what is `allowed`, (queries, tokens)."""
    places = np.arange(len(text.tokens))
    own = np.diag(allowed[np.arange(len(source)), source])  # a query's own key is not the cached one
    seen = torch.from_numpy(np.concatenate([allowed & (places < source[:, None]), own], axis=1)).to(model.device)
    mask = additive(seen)
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
