"""Erasing a concept from the residual stream, to see whether what can be read there is used.

The least change of the states that leaves no linear classifier anything of a concept is known in closed form (LEACE;
Belrose et al. 2023, arXiv:2306.03819). Beside it stand what must do less: the direction between the groups' means, a
random direction, and the few dimensions in which the groups differ most.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.models.interventions import changing_input, changing_output
from emoscope.models.parts import blocks_of

TINY = 1e-10  # of the largest variance: a direction with less has none


@dataclass(frozen=True)
class Eraser:
    """Takes from states (..., width) what `removed` (width, width) finds in their difference from `mean` (width,)."""

    mean: Tensor
    removed: Tensor

    def __call__(self, states: Tensor) -> Tensor:
        mean, removed = (part.to(states) for part in (self.mean, self.removed))
        return states - (states - mean) @ removed


def least_eraser(states: Tensor, concept: Tensor) -> Eraser:
    """LEACE: no linear function of the erased states (n, width) covaries with the concept (n,) or (n, values), and of
    all affine changes that achieve this, it changes the states least in the mean square.

    Where the states are turned so that all directions vary alike, the concept's directions are those of its covariance
    with them, and are projected out; then the states are turned back. Computed in float64.
    """
    centred, mean = _centred(states)
    wanted, _ = _centred(concept.reshape(len(concept), -1))
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(centred))
    varies = variances > TINY * variances.max()
    roots, axes = variances[varies].sqrt(), axes[:, varies]
    whitened = centred @ axes / roots
    concepts = _basis((whitened.T @ wanted).T)
    whitening, back = axes / roots, (axes * roots).T
    return Eraser(mean, whitening @ concepts @ concepts.T @ back)


def direction_eraser(states: Tensor, directions: Tensor) -> Eraser:
    """Projects these directions (count, width) out of the states, around their mean."""
    _, mean = _centred(states)
    basis = _basis(directions.double())
    return Eraser(mean, basis @ basis.T)


def mean_difference(states: Tensor, member: Tensor) -> Tensor:
    """From the mean of the states (n, width) that are no members (bool, n) to that of the members, (1, width)."""
    return (states[member].double().mean(dim=0) - states[~member].double().mean(dim=0))[None]


def largest_dimensions(states: Tensor, member: Tensor, count: int) -> Tensor:
    """The dimensions in which the groups' means differ most, as directions (count, width)."""
    largest = mean_difference(states, member)[0].abs().topk(count).indices
    return torch.eye(states.shape[1], dtype=torch.float64, device=states.device)[largest]


@contextmanager
def erasing(model: PreTrainedModel, depth: int, eraser: Eraser) -> Iterator[None]:
    """Erase at every token of the residual stream after `depth` blocks, the number of blocks included."""
    blocks = blocks_of(model)
    last = depth == len(blocks)
    with changing_output(blocks[-1], eraser) if last else changing_input(blocks[depth], eraser):
        yield


def _centred(values: Tensor) -> tuple[Tensor, Tensor]:
    """Values (n, columns) around their mean, and the mean, in float64."""
    values = values.double()
    return values - values.mean(dim=0), values.mean(dim=0)


def _basis(rows: Tensor) -> Tensor:
    """Orthonormal columns (width, rank) that span what the rows (count, width) span; none if all are nil."""
    _, sizes, axes = torch.linalg.svd(rows, full_matrices=False)
    return axes[sizes > TINY * sizes.sum().clamp(min=TINY)].T
