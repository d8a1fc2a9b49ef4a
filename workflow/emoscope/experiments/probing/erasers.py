"""How a concept is erased from a classifier's states: fitted on training texts, depth by depth."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from emoscope.experiments.probing import names
from emoscope.experiments.probing.states import Located, TokenStates, token_states
from emoscope.models.inside.erasure import (
    Eraser,
    direction_eraser,
    erasing,
    largest_dimensions,
    least_eraser,
    mean_difference,
)
from emoscope.storage.names import EVERYWHERE

ROUNDING = 1e-3  # of the largest difference between the groups: a smaller one is where the texts are the same
Erasers = dict[int, Eraser]  # by depth


def fit(method: str, draw: int, states: TokenStates, member: np.ndarray) -> Eraser:
    """Erase which texts are members, bool (texts,), from the states of their tokens.

    A concept lies elsewhere at the word that says it than at the token that the head reads, so that each kind of place
    is a concept of its own, and has a direction of its own: the other methods take away as many directions.
    """
    inside = torch.from_numpy(member[states.text])
    kinds = [torch.from_numpy(states.place == place) for place in names.PLACES if (states.place == place).any()]
    values = states.values
    between = torch.cat([mean_difference(values[kind], inside[kind]) for kind in kinds])
    sizes = between.norm(dim=1)
    between = between[sizes >= ROUNDING * sizes.max()]  # before any attention, nothing tells at other words
    match method:
        case names.LEAST:
            return least_eraser(
                values, torch.stack([_centred(inside, kind) for kind in kinds], dim=1).to(values.device)
            )
        case names.DIRECTION:
            directions = between
        case names.DIMENSIONS:
            directions = largest_dimensions(values, inside, len(between))
        case names.RANDOM:
            generator = torch.Generator().manual_seed(draw)
            directions = torch.randn(len(between), values.shape[1], generator=generator, dtype=torch.float64)
        case _:
            raise ValueError(f"no way of erasing is called {method!r}")
    return direction_eraser(values, directions.to(values.device))


def _centred(inside: Tensor, kind: Tensor) -> Tensor:
    """Membership around its mean at one kind of place, 0 at all others."""
    return torch.where(kind, inside.double() - inside[kind].double().mean(), 0)


@contextmanager
def erased(model: PreTrainedModel, erasers: Erasers) -> Iterator[None]:
    """Erase at each of these depths."""
    with ExitStack() as stack:
        for depth, eraser in erasers.items():
            stack.enter_context(erasing(model, depth, eraser))
        yield


def fitted(
    model: PreTrainedModel,
    texts: Sequence[Located],
    member: np.ndarray,
    depths: Sequence[int],
    ways: Sequence[tuple[str, int]],
    tokens_per_batch: int,
) -> dict[tuple[str, int, int], Erasers]:
    """What is erased by method, draw and depth; at EVERYWHERE, at all of these depths at once, each fitted on the
    states that those before it leave. `member`, bool (texts,), is the concept; `ways` are methods and draws."""
    found: dict[tuple[str, int, int], Erasers] = {(*way, EVERYWHERE): {} for way in ways}
    for depth in tqdm(depths, desc="erasers", mininterval=2):
        states = token_states(model, texts, depth, tokens_per_batch)
        for way in ways:
            found[*way, depth] = {depth: fit(*way, states, member)}
            everywhere = found[*way, EVERYWHERE]
            with erased(model, everywhere):
                left = token_states(model, texts, depth, tokens_per_batch) if everywhere else states
            everywhere[depth] = fit(*way, left, member)
    return found
