"""Gradients of what is explained, and their integral along straight lines, as dense as it takes to be right."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.models.logits import gives_several

PART = 4  # a half has so many times fewer steps than the whole line, since most of it is smooth
HALVINGS = 8  # at most: then steps are 2 ** 8 / PART, 64 times as dense, enough for the kinks of a ReLU
LEAST = 1e-4  # of a logit: differences below are rounding

Place = Callable[[Tensor], AbstractContextManager]  # puts values (rows, tokens, width) into a model while it runs


@dataclass(frozen=True)
class Line:
    """Straight lines, one for each row of `inputs`, through what the model reads at some `place`: from `start` to
    `end`, (rows, tokens, width); and the classes `chosen` (rows, chosen) that are explained."""

    inputs: Mapping[str, Tensor]
    place: Place
    start: Tensor
    end: Tensor
    chosen: Tensor

    def stretches(self, rows: Tensor, low: Tensor, high: Tensor) -> "Line":
        """Of some rows the parts from `low` to `high`, shares of the line, (stretches,)."""
        start, way = self.start[rows], self.end[rows] - self.start[rows]
        ends = [start + share.to(way.dtype)[:, None, None] * way for share in (low, high)]
        return Line({key: value[rows] for key, value in self.inputs.items()}, self.place, *ends, self.chosen[rows])


class Integral(NamedTuple):
    """Scores (rows, tokens, chosen), the `difference` that they should sum to (rows, chosen), and at how many points
    gradients were taken for that, (rows,)."""

    scores: Tensor
    difference: Tensor
    steps: Tensor


def centred(model: PreTrainedModel, logits: np.ndarray | Tensor) -> np.ndarray | Tensor:
    """What is explained, (..., classes): logits less their mean, as nothing else counts among exclusive classes; of
    several labels the logits themselves."""
    return logits if gives_several(model) else logits - logits.mean(axis=-1, keepdims=True)


def accounting(model: PreTrainedModel, line: Line, steps: int, tokens_per_batch: int, tolerance: float) -> Integral:
    """Integrated gradients along each line, by `steps` points and more where these do not account for the difference.

    Where scores are off by more than `tolerance` of the largest difference of a row's classes, stretches of its line
    that are off by more than their share are halved, and each half is integrated anew, HALVINGS times at most. What a
    stretch is off by is known exactly: its scores should sum to the difference between its ends.
    """
    rows = torch.arange(len(line.end), device=line.end.device)
    part, at_once = max(1, steps // PART), max(1, tokens_per_batch // (2 * line.end.shape[1]))
    ends = [values(model, line, one) for one in (line.start, line.end)]
    found = _Stretches(rows, 0.0 * rows, 0.0 * rows + 1, *ends, integrated(model, line, steps, tokens_per_batch))
    difference, taken = found.falls, torch.full_like(rows, steps)
    largest = difference.abs().amax(dim=1).clamp_min(LEAST)
    for _ in range(HALVINGS):
        off = _off(found, largest, tolerance)
        if not off.any():
            break
        pieces = off.nonzero()[:, 0].split(at_once)
        halves = [_halves(model, line, found.of(some), part, tokens_per_batch) for some in pieces]
        taken.index_add_(0, found.rows[off], torch.full_like(found.rows[off], 2 * part))
        found = _Stretches(*map(torch.cat, zip(found.of(~off), *halves, strict=True)))
    scores = torch.zeros_like(found.scores[: len(rows)]).index_add_(0, found.rows, found.scores)
    return Integral(scores, difference, taken)


class _Stretches(NamedTuple):
    """Parts of lines: of which `rows`, from `low` to `high`, (stretches,); what is explained at either end (stretches,
    chosen), and scores (stretches, tokens, chosen)."""

    rows: Tensor
    low: Tensor
    high: Tensor
    low_value: Tensor
    high_value: Tensor
    scores: Tensor

    @property
    def falls(self) -> Tensor:
        return self.high_value - self.low_value

    def of(self, which: Tensor) -> "_Stretches":
        return _Stretches(*(column[which] for column in self))


def _off(found: _Stretches, largest: Tensor, tolerance: float) -> Tensor:
    """Which stretches are halved, bool (stretches,): of rows whose stretches together are off by more than `tolerance`,
    those that are off by more than their share of it. Errors of either sign add up, lest they cancel by chance."""
    errors = (found.scores.sum(dim=1) - found.falls).abs() / largest[found.rows, None]
    together = errors.new_zeros(len(largest), errors.shape[1]).index_add(0, found.rows, errors)
    pieces = torch.bincount(found.rows, minlength=len(largest))
    return ((together[found.rows] > tolerance) & (errors * pieces[found.rows, None] > tolerance)).any(dim=1)


def _halves(model: PreTrainedModel, line: Line, found: _Stretches, steps: int, tokens_per_batch: int) -> _Stretches:
    """The first halves of stretches and then the second ones, integrated by so many steps."""
    middle = (found.low + found.high) / 2
    first = line.stretches(found.rows, found.low, middle)
    value = values(model, first, first.end)
    rows, low, high = (torch.cat(both) for both in ((found.rows,) * 2, (found.low, middle), (middle, found.high)))
    ends = torch.cat([found.low_value, value]), torch.cat([value, found.high_value])
    scores = integrated(model, line.stretches(rows, low, high), steps, tokens_per_batch)
    return _Stretches(rows, low, high, *ends, scores)


def integrated(model: PreTrainedModel, line: Line, steps: int, tokens_per_batch: int) -> Tensor:
    """Integrated gradients (rows, tokens, chosen) along each line.

    Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", by Gauss-Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    start, end = line.start, line.end
    rows, tokens = end.shape[:2]
    scores = torch.zeros((rows, tokens, line.chosen.shape[1]), dtype=end.dtype, device=end.device)
    at_once = max(1, tokens_per_batch // (rows * tokens))
    for first in range(0, steps, at_once):
        part = slice(first, first + at_once)
        way = torch.tensor((1 + nodes[part]) / 2, dtype=end.dtype, device=end.device)
        weight = torch.tensor(weights[part] / 2, dtype=end.dtype, device=end.device)
        points = (start[:, None] + way[:, None, None] * (end - start)[:, None]).flatten(0, 1)
        repeated = {key: value.repeat_interleave(len(way), dim=0) for key, value in line.inputs.items()}
        chosen = line.chosen.repeat_interleave(len(way), dim=0)
        for number, slope in enumerate(slopes(model, repeated, line.place, points, chosen)):
            scores[..., number] += (
                (slope.unflatten(0, (rows, -1)) * weight[:, None, None]).sum(1) * (end - start)
            ).sum(-1)
    return scores


def slopes(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], place: Place, points: Tensor, chosen: Tensor
) -> Iterator[Tensor]:
    """The gradients (rows, tokens, width) of what is explained, of one chosen class after the other."""
    points = points.detach().requires_grad_()
    with torch.enable_grad(), place(points):
        found = centred(model, model(**inputs).logits).gather(1, chosen)
    last = chosen.shape[1] - 1
    for number in range(last + 1):
        [slope] = torch.autograd.grad(found[:, number].sum(), points, retain_graph=number < last)
        yield slope


@torch.no_grad()
def values(model: PreTrainedModel, line: Line, points: Tensor) -> Tensor:
    """What is explained, (rows, chosen), where a model reads these points (rows, tokens, width) of its lines."""
    with line.place(points):
        return centred(model, model(**line.inputs).logits).gather(1, line.chosen)
