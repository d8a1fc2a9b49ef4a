"""The masking experiment: predictions for the confident samples with parts of the model ablated.

What the paper calls "head i" is the attention output of block i; a head here is a true attention head.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.masking.conditions import BLOCKS
from emoscope.experiments.masking.masks import Mask, Substitutes, masks_of, silence
from emoscope.experiments.masking.reference import Reference, instead_in, read_reference, stand_ins
from emoscope.experiments.masking.shortcuts import masked_starts, spared, starts, unread_attention
from emoscope.models.batches import padded_batches
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.loading import load_classifier
from emoscope.models.logits import prediction_columns, thresholds_of
from emoscope.models.parts import blocks_of
from emoscope.models.positions import kinds_of
from emoscope.storage.files import write_table
from emoscope.storage.names import WHOLE_BLOCK


def mask_block(
    model: Path,
    samples: Path,
    means: Path,
    texts: Path,
    block: int,
    exactness: Path,
    masking: dict,
    seed: int,
    prediction: dict,
    output: Path,
    thresholds: list[Path] = (),
    screen: list[Path] = (),
) -> None:
    """Write `id, block, head, condition, draw, p_*, logit_*` for every mask of one block; and `pred`, if a text may be
    given several labels, those that reach their `thresholds`.

    Heads are not masked where they are not what the projection reads, by `exactness`; of those that a `screen` has gone
    over, only those that it chose are.
    """
    classifier, tokenizer = load_classifier(model)
    exact, least = exact_checks(exactness), thresholds_of(classifier, thresholds)
    table = pd.read_parquet(samples)
    reference = read_reference(means, texts, seed, classifier.device)
    masks = masks_of(classifier, **masking)
    if not allowed("head masks", exact):
        masks = [mask for mask in masks if mask.head == WHOLE_BLOCK]
    for path in screen:
        masks = [mask for mask in masks if mask.head in (WHOLE_BLOCK, *heads_to_mask(pd.read_parquet(path), block))]
    judged = table["text"].tolist()
    scores = block_scores(classifier, tokenizer, judged, block, masks, reference, prediction["tokens_per_batch"], exact)
    parts = [score_table(classifier, table["id"], logits, block, mask, least) for mask, logits in scores.items()]
    write_table(pd.concat(parts, ignore_index=True), output)


def mask_all_but(
    model: Path,
    samples: Path,
    means: Path,
    texts: Path,
    exactness: Path,
    masking: dict,
    seed: int,
    prediction: dict,
    output: Path,
    thresholds: list[Path] = (),
) -> None:
    """Write the columns of `mask_block` with the attention of all blocks but `block` ablated."""
    classifier, tokenizer = load_classifier(model)
    least, table = thresholds_of(classifier, thresholds), pd.read_parquet(samples)
    reference = read_reference(means, texts, seed, classifier.device)
    masks = [mask for mask in masks_of(classifier, **masking, head_conditions=[]) if _of_attention(mask)]
    judged = table["text"].tolist()
    exact = exact_checks(exactness)
    scores = all_but_scores(classifier, tokenizer, judged, masks, reference, prediction["tokens_per_batch"], exact)
    parts = [score_table(classifier, table["id"], logits, kept, mask, least) for (kept, mask), logits in scores.items()]
    write_table(pd.concat(parts, ignore_index=True), output)


def heads_to_mask(screen: pd.DataFrame, block: int) -> list[int]:
    """The heads of a block that the screen has chosen."""
    chosen = screen["largest"].astype(bool) | screen["random"].astype(bool)
    return sorted(set(screen.loc[chosen & (screen["block"] == block), "head"]))


@torch.inference_mode()
def block_scores(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    block: int,
    masks: Sequence[Mask],
    reference: Reference,
    tokens_per_batch: int,
    exact: Collection[str],
) -> dict[Mask, np.ndarray]:
    """Logits (texts, classes) under every mask of one block or one of its heads.

    Every batch runs once, through the block; each mask then runs only what it can change, where that is `exact`.
    """
    draws = _draws(masks)
    instead = stand_ins(model, tokenizer, reference.texts, [block], tokens_per_batch) if draws else None
    scores = {mask: np.empty((len(texts), model.config.num_labels), dtype=np.float32) for mask in masks}
    chosen = {draw: reference.drawn(len(texts), draw) for draw in draws}
    batches = list(padded_batches(tokenizer, texts, tokens_per_batch, model.device))
    for rows, inputs in tqdm(batches, desc=f"mask block {block}", unit="batch", mininterval=2):
        start = starts(model, inputs, [block], exact)[block]
        kinds = kinds_of(model, inputs)
        drawn = {draw: instead(kinds, chosen[draw][rows]) for draw in draws}
        substitutes = Substitutes(reference.means, kinds, drawn)
        with spared(model, inputs, start, exact):
            for mask in masks:
                with silence(model, block, mask, substitutes):
                    scores[mask][rows] = model(**inputs).logits.cpu().numpy()
    return scores


@torch.inference_mode()
def all_but_scores(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    masks: Sequence[Mask],
    reference: Reference,
    tokens_per_batch: int,
    exact: Collection[str],
) -> dict[tuple[int, Mask], np.ndarray]:
    """Logits (texts, classes) by the block that is kept and the mask that all others get.

    Before the block that is kept all others are masked, whichever it is: they run once, if resuming is `exact`.
    """
    blocks = range(len(blocks_of(model)))
    empty = (len(texts), model.config.num_labels)
    scores = {(kept, mask): np.empty(empty, dtype=np.float32) for mask in masks for kept in blocks}
    chosen = {draw: reference.drawn(len(texts), draw) for draw in _draws(masks)}
    batches = list(padded_batches(tokenizer, texts, tokens_per_batch, model.device))
    for rows, inputs in tqdm(batches, desc="all but one block", unit="batch", mininterval=2):
        kinds = kinds_of(model, inputs)
        for mask in masks:
            drawn = {}
            if _resamples(mask):
                others = [reference.texts[number] for number in chosen[mask.draw][rows]]
                drawn = {mask.draw: instead_in(model, tokenizer, others, kinds, blocks, tokens_per_batch)}
            substitutes = Substitutes(reference.means, kinds, drawn)
            with _silenced(model, blocks[:-1], mask, substitutes, exact):
                kept_starts = masked_starts(model, inputs)
            for kept in blocks:
                others = [block for block in blocks if block > kept or (block < kept and "resumed" not in exact)]
                rest = _silenced(model, others, mask, substitutes, exact)
                with spared(model, inputs, kept_starts[kept], exact), rest:
                    scores[kept, mask][rows] = model(**inputs).logits.cpu().numpy()
    return scores


@contextmanager
def _silenced(
    model: PreTrainedModel, blocks: Sequence[int], mask: Mask, substitutes: Substitutes, exact: Collection[str]
) -> Iterator[None]:
    """Mask the attention of some blocks; what would have computed it does not run, unless the mask makes use of it."""
    with ExitStack() as stack:
        for block in blocks:
            stack.enter_context(silence(model, block, mask, substitutes))
            if BLOCKS[mask.condition].by != "bias":
                stack.enter_context(unread_attention(model, block, exact))
        yield


def _resamples(mask: Mask) -> bool:
    return mask.head == WHOLE_BLOCK and BLOCKS[mask.condition].by == "resample"


def _of_attention(mask: Mask) -> bool:
    return BLOCKS[mask.condition].part == "attention"


def _draws(masks: Sequence[Mask]) -> list[int]:
    return sorted({mask.draw for mask in masks if _resamples(mask)})


def score_table(
    model: PreTrainedModel, ids: pd.Series, logits: np.ndarray, block: int, mask: Mask, least: np.ndarray | None = None
) -> pd.DataFrame:
    """The predictions (texts, classes) of one mask with its key."""
    return pd.DataFrame({
        "id": ids.to_numpy(),
        "block": block,
        "head": mask.head,
        "condition": mask.condition,
        "draw": mask.draw,
        **prediction_columns(model, logits, least),
    })  # fmt: skip
