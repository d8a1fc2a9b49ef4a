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

from emoscope.experiments.words.methods import BASELINES, LAYERS, SPECIAL, TOLERANCE
from emoscope.experiments.words.read_texts import Reading
from emoscope.models.batches import FOR_GRADIENTS, token_batches
from emoscope.models.inside.integration import Integral, Line, accounting, slopes
from emoscope.models.interventions import changing_output, recording, resumed_at
from emoscope.models.parts import blocks_of


@dataclass(frozen=True)
class Explained:
    """What gradients say of one text: scores (tokens, chosen) by method; and by method that should account for the
    whole difference between the text and its baseline, their sum and that difference, (chosen, 2), and in how many
    steps they were integrated."""

    scores: dict[str, np.ndarray]
    accounts: dict[str, np.ndarray]
    steps: dict[str, int]


def explain(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    readings: Sequence[Reading],
    chosen: np.ndarray,
    methods: Sequence[str],
    steps: int,
    tokens_per_batch: int,
    noise: Callable[[Tensor], Tensor] = lambda values: values,
    tolerance: float = TOLERANCE,
) -> list[Explained]:
    """What each of some gradient `methods` says of the classes `chosen` (texts, chosen) for each text.

    Integrals take `steps`, and more where scores are off by more than `tolerance` (`integration.accounting`). `noise`
    changes embeddings (rows, tokens, width) before anything else is done with them.
    """
    tokens_per_batch = max(1, tokens_per_batch // FOR_GRADIENTS)
    lengths = np.array([len(reading.owners) for reading in readings])
    explained: list[Explained | None] = [None] * len(readings)
    with tqdm(total=len(readings) * len(methods), desc="gradients", unit="explanation", mininterval=2) as progress:
        for rows in token_batches(lengths * steps, tokens_per_batch):
            inputs, fixed = inputs_of(tokenizer, [readings[row] for row in rows], model.device)
            wanted = torch.as_tensor(chosen[rows], device=model.device)
            found = {}
            for name, one in _explained(
                model, inputs, fixed, wanted, methods, steps, tokens_per_batch, noise, tolerance
            ):
                found[name] = one
                progress.update(len(rows))
            whole = {name: one for name, one in found.items() if isinstance(one, Integral)}
            accounts = {
                name: torch.stack([one.scores.sum(dim=1), one.difference], dim=-1).cpu() for name, one in whole.items()
            }
            scores = {name: (whole[name].scores if name in whole else one).cpu() for name, one in found.items()}
            for place, row in enumerate(rows):
                explained[row] = Explained(
                    {name: values[place, : lengths[row]].numpy() for name, values in scores.items()},
                    {name: account[place].numpy() for name, account in accounts.items()},
                    {name: int(one.steps[place]) for name, one in whole.items()},
                )
    return explained


def inputs_of(
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
    """Let the model read `values` (rows, tokens, width) in place of the embeddings of its inputs."""
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
    tolerance: float,
) -> Iterator[tuple[str, Integral | Tensor]]:
    """By method the integral, or scores (rows, tokens, chosen) that need none."""
    embeddings = partial(at_embeddings, model)
    end = noise(embedded(model, inputs))
    for name in methods:
        if name == "gradient_input":
            own = slopes(model, inputs, embeddings, end, chosen)
            yield name, torch.stack([(slope * end).sum(dim=-1) for slope in own], dim=-1)
            continue
        start = baseline(model, padding_of(model), end, fixed, BASELINES.get(name, "padding"))
        ends, place = (start, end), embeddings
        if name in LAYERS:
            block = block_at(model, LAYERS[name])
            ends, place = (
                [_residual(model, inputs, block, values) for values in ends],
                partial(resumed_at, model, block),
            )
        yield name, accounting(model, Line(inputs, place, *ends, chosen), steps, tokens_per_batch, tolerance)


@torch.no_grad()
def _residual(model: PreTrainedModel, inputs: Mapping[str, Tensor], block: int, values: Tensor) -> Tensor:
    """What a block gets, (rows, tokens, width), if these are the embeddings."""
    with at_embeddings(model, values), recording(blocks_of(model)[block]) as seen:
        model(**inputs)
    return seen["input"]
