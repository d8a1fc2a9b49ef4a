"""Which tokens decide, by gradients: integrated gradients at the embeddings or inside, and gradient times input.

Many texts and steps are one batch, and the gradients of several classes share one run forward.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.words.methods import BASELINES, LAYERS, SPECIAL
from emoscope.experiments.words.readings import Reading
from emoscope.models.batches import token_batches
from emoscope.models.families import blocks_of
from emoscope.models.interventions import changing_output, recording, resumed_at
from emoscope.models.logits import gives_several

KEPT = 8  # a token takes about as many times more memory when gradients are wanted than when it is only read

Place = Callable[[Tensor], AbstractContextManager]  # puts values (rows, tokens, width) into a model while it runs


@dataclass(frozen=True)
class Explained:
    """What gradients say of one text: scores (tokens, chosen) by method; and by method that should account for the
    whole difference between the text and its baseline, their sum and that difference, (chosen, 2)."""

    scores: dict[str, np.ndarray]
    accounts: dict[str, np.ndarray]


def answers(model: PreTrainedModel, logits: np.ndarray | Tensor) -> np.ndarray | Tensor:
    """What is explained, (..., classes): logits less their mean, as nothing else counts among exclusive classes; of
    several labels the logits themselves."""
    return logits if gives_several(model) else logits - logits.mean(axis=-1, keepdims=True)


def explain(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    readings: Sequence[Reading],
    chosen: np.ndarray,
    methods: Sequence[str],
    steps: int,
    tokens_per_batch: int,
    noise: Callable[[Tensor], Tensor] = lambda values: values,
) -> list[Explained]:
    """What each of some gradient `methods` says of the classes `chosen` (texts, chosen) for each text.

    `noise` changes embeddings (rows, tokens, width) before anything else is done with them.
    """
    tokens_per_batch = max(1, tokens_per_batch // KEPT)
    lengths = np.array([len(reading.owners) for reading in readings])
    explained: list[Explained | None] = [None] * len(readings)
    with tqdm(total=len(readings), desc="gradients", unit="text", mininterval=2) as progress:
        for rows in token_batches(lengths * steps, tokens_per_batch):
            inputs, fixed = padded(tokenizer, [readings[row] for row in rows], model.device)
            wanted = torch.as_tensor(chosen[rows], device=model.device)
            found = dict(_explained(model, inputs, fixed, wanted, methods, steps, tokens_per_batch, noise))
            for place, row in enumerate(rows):
                explained[row] = Explained(
                    {name: scores[place, : lengths[row]].numpy() for name, (scores, _) in found.items()},
                    {name: account[place].numpy() for name, (_, account) in found.items() if account is not None},
                )
            progress.update(len(rows))
    return explained


def padded(
    tokenizer: PreTrainedTokenizerBase, readings: Sequence[Reading], device: torch.device
) -> tuple[dict[str, Tensor], Tensor]:
    """Inputs (rows, tokens) padded on the right, and which of their tokens are no words, bool (rows, tokens)."""
    inputs = tokenizer.pad([reading.inputs for reading in readings], padding_side="right", return_tensors="pt")
    fixed = torch.ones(inputs["input_ids"].shape, dtype=torch.bool)
    for row, reading in enumerate(readings):
        fixed[row, : len(reading.owners)] = torch.from_numpy(reading.owners == SPECIAL)
    return dict(inputs.to(device)), fixed.to(device)


def embedded(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
    """The embeddings of a batch's tokens, (rows, tokens, width)."""
    return model.get_input_embeddings()(inputs["input_ids"]).detach()


def baseline(model: PreTrainedModel, padding: int, values: Tensor, fixed: Tensor, kind: str) -> Tensor:
    """Embeddings (rows, tokens, width) of a text that says nothing: every word's tokens are `padding`, `zero` or the
    `mean` of the vocabulary; special tokens stay."""
    embedding = model.get_input_embeddings()
    match kind:
        case "padding":
            nothing = embedding(torch.tensor(padding, device=values.device))
        case "zero":
            nothing = torch.zeros_like(values[0, 0])
        case "mean":
            nothing = embedding(torch.arange(embedding.num_embeddings, device=values.device)).mean(dim=0)
        case _:
            raise ValueError(f"no such baseline: {kind}")
    return torch.where(fixed[..., None], values, nothing.detach())


def padding_of(model: PreTrainedModel) -> int:
    """The number of the token that padding is made of."""
    return 0 if model.config.pad_token_id is None else model.config.pad_token_id


def at_embeddings(model: PreTrainedModel, values: Tensor) -> AbstractContextManager:
    return changing_output(model.get_input_embeddings(), lambda _: values)


def block_at(model: PreTrainedModel, depth: float) -> int:
    """The block at a relative depth, never the first one, which has the embeddings alone before it."""
    blocks = len(blocks_of(model))
    return min(max(round(depth * blocks), 1), blocks - 1)


def _explained(
    model: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    fixed: Tensor,
    chosen: Tensor,
    methods: Sequence[str],
    steps: int,
    tokens_per_batch: int,
    noise: Callable[[Tensor], Tensor],
) -> Iterator[tuple[str, tuple[Tensor, Tensor | None]]]:
    """By method, scores (rows, tokens, chosen) and, for integrated ones, their sum and what it should be."""
    embeddings = partial(at_embeddings, model)
    end = noise(embedded(model, inputs))
    for name in methods:
        if name == "gradient_input":
            slopes = _slopes(model, inputs, embeddings, end, chosen)
            yield name, (torch.stack([(slope * end).sum(dim=-1) for slope in slopes], dim=-1).cpu(), None)
            continue
        start = baseline(model, padding_of(model), end, fixed, BASELINES.get(name, "padding"))
        ends, place = (start, end), embeddings
        if name in LAYERS:
            block = block_at(model, LAYERS[name])
            ends, place = (
                [_residual(model, inputs, block, values) for values in ends],
                partial(resumed_at, model, block),
            )
        scores = integrated(model, inputs, place, *ends, chosen, steps, tokens_per_batch)
        low, high = (_values(model, inputs, embeddings, values, chosen) for values in (start, end))
        yield name, (scores.cpu(), torch.stack([scores.sum(dim=1), high - low], dim=-1).cpu())


def integrated(
    model: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    place: Place,
    start: Tensor,
    end: Tensor,
    chosen: Tensor,
    steps: int,
    tokens_per_batch: int,
) -> Tensor:
    """Integrated gradients (rows, tokens, chosen) along the straight line from `start` to `end` (rows, tokens, width).

    Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", by Gauss-Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    rows, tokens = end.shape[:2]
    scores = torch.zeros((rows, tokens, chosen.shape[1]), device=end.device)
    at_once = max(1, tokens_per_batch // (rows * tokens))
    for first in range(0, steps, at_once):
        part = slice(first, first + at_once)
        way = torch.tensor((1 + nodes[part]) / 2, dtype=end.dtype, device=end.device)
        weight = torch.tensor(weights[part] / 2, dtype=end.dtype, device=end.device)
        values = (start[:, None] + way[:, None, None] * (end - start)[:, None]).flatten(0, 1)
        repeated = {key: value.repeat_interleave(len(way), dim=0) for key, value in inputs.items()}
        for number, slope in enumerate(
            _slopes(model, repeated, place, values, chosen.repeat_interleave(len(way), dim=0))
        ):
            scores[..., number] += (
                (slope.unflatten(0, (rows, -1)) * weight[:, None, None]).sum(1) * (end - start)
            ).sum(-1)
    return scores


def _slopes(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], place: Place, values: Tensor, chosen: Tensor
) -> Iterator[Tensor]:
    """The gradients (rows, tokens, width) of what is explained, of one chosen class after the other."""
    values = values.detach().requires_grad_()
    with torch.enable_grad(), place(values):
        found = answers(model, model(**inputs).logits).gather(1, chosen)
    last = chosen.shape[1] - 1
    for number in range(last + 1):
        [slope] = torch.autograd.grad(found[:, number].sum(), values, retain_graph=number < last)
        yield slope


@torch.no_grad()
def _values(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], place: Place, values: Tensor, chosen: Tensor
) -> Tensor:
    with place(values):
        return answers(model, model(**inputs).logits).gather(1, chosen)


@torch.no_grad()
def _residual(model: PreTrainedModel, inputs: Mapping[str, Tensor], block: int, values: Tensor) -> Tensor:
    """What a block gets, (rows, tokens, width), if these are the embeddings."""
    with at_embeddings(model, values), recording(blocks_of(model)[block]) as seen:
        model(**inputs)
    return seen["input"]
