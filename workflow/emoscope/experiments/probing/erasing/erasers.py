"""How a concept is erased from a classifier's states: fitted on training texts, depth by depth."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from emoscope.experiments.probing import names
from emoscope.experiments.probing.states import Located, TokenStates, batched, token_states
from emoscope.models.inside.erasure import (
    Eraser,
    direction_eraser,
    erasing,
    largest_dimensions,
    least_eraser,
    mean_difference,
)
from emoscope.storage.names import EVERYWHERE

ROUNDING = 1e-3  # of the spread of their states: a smaller difference between the groups is none
DIGITS = 1e-5  # of the states' length: float32 has no more, where all states are alike
Erasers = dict[int, Eraser]  # by depth


def fit(method: str, seed: int | Sequence[int], states: TokenStates, member: np.ndarray) -> Eraser:
    """Erase which texts are members, bool (texts,), from the states of their tokens; `seed` draws random directions.

    A concept lies elsewhere at the word that says it than at the token that the classification head reads, so that each
    kind of place is a concept of its own, and has a direction of its own: the other methods take away as many
    directions. By word, so has each word that has one in its place in the twin, as `he` and `she` may differ otherwise
    than `aunt` and `uncle`.
    """
    values, inside = states.values, torch.from_numpy(member[states.text])
    kinds, between = _told(values, inside, _kinds(states, method in (names.BY_WORD, names.RANDOM_BY_WORD)))
    count = int(torch.linalg.matrix_rank(between))
    match method:
        case names.LEAST | names.BY_WORD:
            concepts = [torch.zeros(len(inside), dtype=torch.float64), *(_centred(inside, kind) for kind in kinds)]
            return least_eraser(values, torch.stack(concepts, dim=1).to(values.device))
        case names.DIRECTION:
            directions = between
        case names.DIMENSIONS:
            directions = largest_dimensions(values, inside, count)
        case names.RANDOM | names.RANDOM_BY_WORD:
            directions = torch.from_numpy(np.random.default_rng(seed).standard_normal((count, values.shape[1])))
        case _:
            raise ValueError(f"no way of erasing is called {method!r}")
    return direction_eraser(values, directions.to(values.device))


def _kinds(states: TokenStates, by_word: bool) -> list[Tensor]:
    """Which tokens are of each kind, bool (tokens,): of each place, or of each word that says the concept and of each
    other place."""
    kinds = [states.place == place for place in names.PLACES if not (by_word and place == names.WORD)]
    if by_word:
        kinds += [states.said == name for name in sorted(set(states.said) - {""})]
    return [torch.from_numpy(kind) for kind in kinds]


def _told(values: Tensor, inside: Tensor, kinds: list[Tensor]) -> tuple[list[Tensor], Tensor]:
    """The kinds at which the means of the groups differ, and their differences (kinds, width); before any attention,
    nothing tells at other words, and what was erased is not there any more. Each kind is held against its own states:
    one token of a text may be many times as long as all others."""
    kinds = [kind for kind in kinds if 0 < inside[kind].sum() < kind.sum()]
    between = torch.cat([values[:0].double(), *(mean_difference(values[kind], inside[kind]) for kind in kinds)])
    differs = between.norm(dim=1) > torch.tensor([_nothing(values[kind].double()) for kind in kinds]).to(between)
    return [kind for kind, told in zip(kinds, differs, strict=True) if told], between[differs]


def _nothing(states: Tensor) -> float:
    """The length of a difference between means of states (n, width) that counts as none."""
    spread, length = states.var(dim=0, correction=0).sum().sqrt(), states.norm(dim=1).mean()
    return float(torch.maximum(ROUNDING * spread, DIGITS * length))


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
    seed: int,
) -> dict[tuple[str, int, int], Erasers]:
    """What is erased by method, draw and depth; at EVERYWHERE, at all of these depths at once, each fitted on the
    states that those before it leave. `member`, bool (texts,), is the concept; `ways` are methods and draws. Random
    directions are others at each depth: of one subspace, erased again and again, little would be left to take."""
    found: dict[tuple[str, int, int], Erasers] = {(*way, EVERYWHERE): {} for way in ways}
    batches = batched(model, texts, tokens_per_batch)
    for depth in tqdm(depths, desc="erasers", mininterval=2):
        states = token_states(model, texts, batches, depth)
        for method, draw in ways:
            numbers, everywhere = [seed, draw, depth], found[method, draw, EVERYWHERE]
            found[method, draw, depth] = {depth: fit(method, numbers, states, member)}
            with erased(model, everywhere):
                left = token_states(model, texts, batches, depth) if everywhere else states
            everywhere[depth] = fit(method, numbers, left, member)
    return found
