"""Which heads to mask one by one, in models that have hundreds: what each would do is estimated for all at once.

An estimate is the change of a head's output, times the gradient of the logit margin there: attribution patching (Nanda,
"Attribution patching", 2023) from what the head puts out to what a mask puts in its place. One pass forth and back
serves all heads. Where the model saturates a gradient says little of a large change, so the heads with the largest
estimates are masked, and as many of the others, drawn by chance, which show what the screen may have missed.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.masking.conditions import HEADS
from emoscope.experiments.masking.reference import Reference, read_reference
from emoscope.models.batches import FOR_GRADIENTS, padded_batches
from emoscope.models.families import blocks_of, heads_of, projection_of
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.interventions import changing_input
from emoscope.models.loading import load_classifier
from emoscope.models.logits import gives_several
from emoscope.models.positions import kinds_of
from emoscope.storage.files import write_table

SCREEN_COLUMNS = ["block", "head", "condition", "estimate", "largest", "random"]


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
    """Write SCREEN_COLUMNS for every head and condition: the estimated mean change of the logit margin, in logits, and
    whether the head is to be masked, as one of those with the `largest` estimates or as one drawn at `random`.

    No rows where heads are not what the projection reads, by `exactness`.
    """
    classifier, tokenizer = load_classifier(model)
    classifier.requires_grad_(False)  # or gradients of weights would be computed, too
    conditions = masking["head_conditions"] if allowed("head masks", exact_checks(exactness)) else []
    table = pd.read_parquet(samples)
    reference = read_reference(means, texts, seed, classifier.device)
    judged, groups, budget = table["text"].tolist(), table["group"].to_numpy(), prediction["tokens_per_batch"]
    found = {}
    if conditions:
        found = estimated_changes(classifier, tokenizer, judged, groups, conditions, reference, budget)
    on_average = {condition: changes.mean(axis=0) for condition, changes in found.items()}
    write_table(chosen_heads(on_average, masking["screened_heads"], np.random.default_rng(seed)), output)


def estimated_changes(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    groups: np.ndarray,
    conditions: Sequence[str],
    reference: Reference,
    tokens_per_batch: int,
) -> dict[str, np.ndarray]:
    """By condition, by how many logits the margin of each text would change with one head masked, (texts, blocks,
    heads): the logit of its class in `groups` less the largest other one, or of several labels the logit itself."""
    blocks = range(len(blocks_of(model)))
    found = {condition: np.empty((len(texts), len(blocks), heads_of(model))) for condition in conditions}
    batches = list(padded_batches(tokenizer, texts, max(1, tokens_per_batch // FOR_GRADIENTS), model.device))
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
            instead = {"zero": heads.new_zeros(()), "mean": reference.means["heads"][block][kinds]}
            for condition, changes in found.items():
                by_place = (instead[HEADS[condition].by] - heads.detach()) * gradient
                changes[rows, block] = by_place.unflatten(-1, (heads_of(model), -1)).sum(dim=(1, 3)).cpu().numpy()
    return found


def margins_of(logits: Tensor, own: Tensor, several: bool) -> Tensor:
    """The logits (rows,) of each row's `own` class, less, unless a text may have `several`, those of its rival."""
    mine = logits.gather(1, own[:, None])[:, 0]
    return mine if several else mine - logits.scatter(1, own[:, None], -torch.inf).amax(dim=1)


def chosen_heads(estimates: Mapping[str, np.ndarray], count: int, rng: np.random.Generator) -> pd.DataFrame:
    """SCREEN_COLUMNS of mean changes (blocks, heads) by condition. A head counts by the larger of its estimates; chosen
    are `count` of the largest and, drawn from all others, as many more."""
    if not estimates:
        return pd.DataFrame(columns=SCREEN_COLUMNS).astype({"block": int, "head": int, "condition": str})
    shape = next(iter(estimates.values())).shape
    order = np.argsort(-np.max([np.abs(found).ravel() for found in estimates.values()], axis=0), kind="stable")
    some = rng.permutation(order[count:])[:count]
    largest, drawn = (np.isin(np.arange(len(order)), heads) for heads in (order[:count], some))
    block, head = (places.ravel() for places in np.indices(shape))
    parts = [
        pd.DataFrame({"block": block, "head": head, "condition": condition, "estimate": found.ravel()}).assign(
            largest=largest, random=drawn
        )
        for condition, found in estimates.items()
    ]
    return pd.concat(parts, ignore_index=True)[SCREEN_COLUMNS]


def _kept_by(seen: list[Tensor]) -> Callable[[Tensor], Tensor]:
    """Go on from what a projection gets, kept in `seen`, as from a new beginning that has a gradient of its own."""

    def keep(heads: Tensor) -> Tensor:
        seen.append(heads if heads.requires_grad else heads.detach().requires_grad_())
        return seen[-1]

    return keep
