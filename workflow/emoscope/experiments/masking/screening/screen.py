"""Which heads to mask one by one, in models that have hundreds: what each would do is estimated for all at once.

A head's slope is the change of its output, times the gradient of the logit margin there: attribution patching (Nanda,
"Attribution patching", 2023) from what the head puts out to what a mask puts in its place. One pass forth and back
serves all heads. Where the model saturates, a gradient says little of a large change; by how much it is wrong, much the
same in all texts, is measured in a few: each head is masked in MEASURED of the texts. So an estimate is the mean slope
of all texts, and the mean difference of change and slope in those few (the difference estimator of survey sampling;
Cochran, "Sampling Techniques", 1977, chapter 7), without bias if they are drawn by chance.

The heads whose estimates may be largest are masked in all texts, and as many of the others, drawn by chance, which show
what the screen may have missed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.masking.conditions import HEADS
from emoscope.experiments.masking.reference import Reference, read_reference
from emoscope.experiments.masking.shortcuts import Start, spared, starts
from emoscope.models.batches import FOR_GRADIENTS, padded_batches
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.interventions import changing_input
from emoscope.models.loading import load_classifier
from emoscope.models.logits import gives_several
from emoscope.models.parts import blocks_of, heads_of, projection_of
from emoscope.models.positions import kinds_of
from emoscope.storage.files import write_table

SCREEN_COLUMNS = ["block", "head", "condition", "slope", "estimate", "error", "largest", "random"]
MEASURED = 12  # texts: with fewer the screen misses more, and each costs as many masks as there are heads


@dataclass(frozen=True)
class HeadMasks:
    """The masks of single heads: of which model, in which `conditions`, what they put in place, what may be spared."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    conditions: Sequence[str]
    reference: Reference
    tokens_per_batch: int
    exact: Collection[str]

    def empty(self, texts: int) -> dict[str, np.ndarray]:
        """By condition, room for a number of each text and head, (texts, blocks, heads)."""
        shape = (texts, len(blocks_of(self.model)), heads_of(self.model))
        return {condition: np.empty(shape) for condition in self.conditions}


class Estimate(NamedTuple):
    """The mean change of the logit margin by each mask (blocks, heads), in logits: what the slopes alone say, what they
    say once set right, and its standard error."""

    slope: np.ndarray
    change: np.ndarray
    error: np.ndarray


def screen_heads(
    model: Path,
    samples: Path,
    means: Path,
    texts: Path,
    exactness: Path,
    masking: dict,
    seed: int,
    prediction: dict,
    output: Path,
) -> None:
    """Write SCREEN_COLUMNS for every head and condition: the mean change of the logit margin by the slopes alone and as
    estimated, with its standard error, in logits; and whether the head is to be masked, as one of those with the
    `largest` estimates or as one drawn at `random`.

    No rows where heads are not what the projection reads, by `exactness`.
    """
    classifier, tokenizer = load_classifier(model)
    classifier.requires_grad_(False)  # or gradients of weights would be computed, too
    exact = exact_checks(exactness)
    conditions = masking["head_conditions"] if allowed("head masks", exact) else []
    table = pd.read_parquet(samples)
    reference = read_reference(means, texts, seed, classifier.device)
    masks = HeadMasks(classifier, tokenizer, conditions, reference, prediction["tokens_per_batch"], exact)
    rng = np.random.default_rng(seed)
    estimates = estimates_of(masks, table["text"].tolist(), table["group"].to_numpy(), rng)
    write_table(chosen_heads(estimates, masking["screened_heads"], rng), output)


def estimates_of(
    masks: HeadMasks, texts: Sequence[str], groups: np.ndarray, rng: np.random.Generator
) -> dict[str, Estimate]:
    """By condition, what masking each head does on average; MEASURED texts set the slopes of all right."""
    if not masks.conditions:
        return {}
    slopes = slopes_of(masks, texts, groups)
    rows = spread(groups, MEASURED, rng)
    changes = changes_of(masks, [texts[row] for row in rows], groups[rows])
    return {name: set_right(slopes[name], changes[name], rows) for name in masks.conditions}


def slopes_of(masks: HeadMasks, texts: Sequence[str], groups: np.ndarray) -> dict[str, np.ndarray]:
    """By condition, by how many logits the margin of each text would change with one head masked, were the model
    linear, (texts, blocks, heads). The margin is the logit of a text's class in `groups` less the largest other one, or
    of several labels the logit itself."""
    model, blocks = masks.model, range(len(blocks_of(masks.model)))
    found = masks.empty(len(texts))
    budget = max(1, masks.tokens_per_batch // FOR_GRADIENTS)
    batches = list(padded_batches(masks.tokenizer, texts, budget, model.device))
    for rows, inputs in tqdm(batches, desc="screen heads", unit="batch", mininterval=2):
        kinds, seen = kinds_of(model, inputs), []
        with torch.enable_grad(), ExitStack() as stack:
            for block in blocks:
                stack.enter_context(changing_input(projection_of(model, block), _kept_by(seen)))
            logits = model(**inputs).logits
            own = torch.as_tensor(groups[rows], device=model.device).long()
            margins = margins_of(logits, own, gives_several(model))
            gradients = torch.autograd.grad(margins.sum(), seen)
        for block, heads, gradient in zip(blocks, seen, gradients, strict=True):
            instead = {"zero": heads.new_zeros(()), "mean": masks.reference.means["heads"][block][kinds]}
            for condition, changes in found.items():
                by_place = (instead[HEADS[condition].by] - heads.detach()) * gradient
                changes[rows, block] = by_place.unflatten(-1, (heads_of(model), -1)).sum(dim=(1, 3)).cpu().numpy()
    return found


@torch.inference_mode()
def changes_of(masks: HeadMasks, texts: Sequence[str], groups: np.ndarray) -> dict[str, np.ndarray]:
    """By condition, by how many logits the margin of each text does change with one head masked, as `slopes_of`,
    (texts, blocks, heads). A batch holds each text once for every head: of so few texts it would be too small."""
    model, blocks, heads = masks.model, range(len(blocks_of(masks.model))), heads_of(masks.model)
    found, several = masks.empty(len(texts)), gives_several(model)
    for rows, inputs in padded_batches(masks.tokenizer, texts, max(1, masks.tokens_per_batch // heads), model.device):
        kinds, own = kinds_of(model, inputs), torch.as_tensor(groups[rows], device=model.device).long()
        before = margins_of(model(**inputs).logits, own, several)
        begun = starts(model, inputs, blocks, masks.exact, known=lambda *_: [])
        each = {name: value.repeat_interleave(heads, dim=0) for name, value in inputs.items()}
        for block in tqdm(blocks, desc="mask heads", unit="block", mininterval=2):
            start = Start(block, begun[block].residual.repeat_interleave(heads, dim=0))
            means = masks.reference.means["heads"][block][kinds]
            for condition, changes in found.items():
                instead = means if HEADS[condition].by == "mean" else torch.zeros_like(means)
                with spared(model, each, start, masks.exact), _one_head_a_row(model, block, instead):
                    after = margins_of(model(**each).logits, own.repeat_interleave(heads), several)
                changes[rows, block] = (after.unflatten(0, (-1, heads)) - before[:, None]).cpu().numpy()
    return found


def spread(groups: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Which `count` of the texts to measure, or all if they are fewer: each equally often, of each group its share."""
    shuffled = rng.permutation(len(groups))
    in_line = shuffled[np.argsort(groups[shuffled], kind="stable")]
    count = min(count, len(groups))
    places = (rng.random() + np.arange(count)) * len(groups) / count
    return in_line[places.astype(int)]


def set_right(slopes: np.ndarray, changes: np.ndarray, rows: np.ndarray) -> Estimate:
    """The mean change over all texts, of whose `slopes` (texts, blocks, heads) some `rows` were measured, `changes`."""
    wrong = changes - slopes[rows]
    slope, share_unseen = slopes.mean(axis=0), 1 - len(rows) / len(slopes)
    error = wrong.std(axis=0, ddof=min(1, len(rows) - 1)) * np.sqrt(share_unseen / len(rows))
    return Estimate(slope, slope + wrong.mean(axis=0), error)


def margins_of(logits: Tensor, own: Tensor, several: bool) -> Tensor:
    """The logits (rows,) of each row's `own` class, less, unless a text may have `several`, those of its rival."""
    mine = logits.gather(1, own[:, None])[:, 0]
    return mine if several else mine - logits.scatter(1, own[:, None], -torch.inf).amax(dim=1)


def chosen_heads(estimates: Mapping[str, Estimate], count: int, rng: np.random.Generator) -> pd.DataFrame:
    """SCREEN_COLUMNS by condition. A head counts by the largest that a change of it may be, a standard error more than
    its estimate; chosen are `count` of the largest and, drawn from all others, as many more."""
    if not estimates:
        return pd.DataFrame(columns=SCREEN_COLUMNS).astype({"block": int, "head": int, "condition": str})
    may_be = [(np.abs(found.change) + found.error).ravel() for found in estimates.values()]
    order = np.argsort(-np.max(may_be, axis=0), kind="stable")
    some = rng.permutation(order[count:])[:count]
    largest, drawn = (np.isin(np.arange(len(order)), heads) for heads in (order[:count], some))
    block, head = (places.ravel() for places in np.indices(next(iter(estimates.values())).change.shape))
    parts = [
        pd.DataFrame({
            "block": block,
            "head": head,
            "condition": condition,
            "slope": found.slope.ravel(),
            "estimate": found.change.ravel(),
            "error": found.error.ravel(),
            "largest": largest,
            "random": drawn,
        })
        for condition, found in estimates.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[SCREEN_COLUMNS]


def _one_head_a_row(model: PreTrainedModel, block: int, instead: Tensor) -> AbstractContextManager:
    """Of a batch that holds each text once for every head, replace in each row another head's output by its part of
    `instead`, (texts, tokens, heads x head width)."""
    heads = heads_of(model)

    def change(given: Tensor) -> Tensor:
        parts = given.unflatten(-1, (heads, -1)).unflatten(0, (-1, heads)).clone()
        for head, own in enumerate(instead.unflatten(-1, (heads, -1)).unbind(dim=-2)):
            parts[:, head, :, head] = own
        return parts.flatten(0, 1).flatten(-2)

    return changing_input(projection_of(model, block), change)


def _kept_by(seen: list[Tensor]) -> Callable[[Tensor], Tensor]:
    """Go on from what a projection gets, kept in `seen`, as from a new beginning that has a gradient of its own."""

    def keep(heads: Tensor) -> Tensor:
        seen.append(heads if heads.requires_grad else heads.detach().requires_grad_())
        return seen[-1]

    return keep
