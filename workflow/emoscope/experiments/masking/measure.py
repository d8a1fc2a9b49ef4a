"""The masking experiment: predictions for the confident samples under zero and mean ablation of attention.

What the paper calls "head i" is the attention output of block i; a head here is a true attention head.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.models.batches import padded_batches
from emoscope.models.families import blocks_of, head_slice, heads_of, projection_of
from emoscope.models.interventions import (
    fixed_block,
    fixed_head,
    recording,
    resumed_at,
    silenced_bias,
    silenced_block,
)
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import columns, predict_logits
from emoscope.storage import names
from emoscope.storage.files import write_table
from emoscope.storage.names import WHOLE_BLOCK


@dataclass(frozen=True)
class Mask:
    """One ablation: a condition on a whole block (`head` is WHOLE_BLOCK) or on one of its heads."""

    head: int
    condition: str


@dataclass(frozen=True)
class StartedBatch:
    """One batch run up to a block: its rows, its inputs, and the block's input (rows, tokens, width)."""

    rows: np.ndarray
    inputs: dict[str, Tensor]
    residual: Tensor


def mask_block(model: Path, samples: Path, block: int, masking: dict, prediction: dict, output: Path) -> None:
    """Write `id, block, head, condition, p_*, logit_*` for every mask of one block."""
    classifier, tokenizer = load_classifier(model)
    table = pd.read_parquet(samples)
    scores = block_scores(
        classifier,
        tokenizer,
        table["text"].tolist(),
        block,
        masking["block_conditions"],
        masking["head_conditions"],
        prediction["tokens_per_batch"],
    )
    parts = [
        _score_table(table["id"], logits, classes_of(classifier), block=block, head=mask.head, condition=mask.condition)
        for mask, logits in scores.items()
    ]
    write_table(pd.concat(parts, ignore_index=True), output)


def mask_all_but(model: Path, samples: Path, masking: dict, prediction: dict, output: Path) -> None:
    """Write `id, block, condition, p_*, logit_*` with the attention of all blocks but `block` ablated."""
    classifier, tokenizer = load_classifier(model)
    table = pd.read_parquet(samples)
    conditions = [name for name in masking["block_conditions"] if BLOCKS[name].all_but and _applies(classifier, name)]
    parts = []
    for kept in tqdm(range(len(blocks_of(classifier))), desc="all but one block", mininterval=2):
        others = [block for block in range(len(blocks_of(classifier))) if block != kept]
        for condition in conditions:
            with ExitStack() as stack:
                for block in others:
                    stack.enter_context(_silence(classifier, block, Mask(WHOLE_BLOCK, condition)))
                logits = predict_logits(classifier, tokenizer, table["text"].tolist(), prediction["tokens_per_batch"])
            parts.append(_score_table(table["id"], logits, classes_of(classifier), block=kept, condition=condition))
    write_table(pd.concat(parts, ignore_index=True), output)


@torch.inference_mode()
def block_scores(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    block: int,
    block_conditions: Sequence[str],
    head_conditions: Sequence[str],
    tokens_per_batch: int,
) -> dict[Mask, np.ndarray]:
    """Logits (texts, classes) under every mask, which is an ablation, of one block or one of its heads.

    Every batch runs once up to the block; each mask then runs only the blocks from there on. Means are taken over all
    tokens of all texts, padding left out. A model whose projection has no bias has no `published` condition.
    """
    batches, mean_heads, mean_output = _started(model, tokenizer, texts, block, tokens_per_batch)
    masks = [Mask(WHOLE_BLOCK, name) for name in block_conditions if _applies(model, name)]
    masks += [Mask(head, name) for name in head_conditions for head in range(heads_of(model))]
    scores = {mask: np.empty((len(texts), model.config.num_labels), dtype=np.float32) for mask in masks}
    for batch in tqdm(batches, desc=f"mask block {block}", unit="batch", mininterval=2):
        for mask in masks:
            silence = _silence(model, block, mask, mean_heads, mean_output)
            with resumed_at(model, block, batch.residual), silence:
                scores[mask][batch.rows] = model(**batch.inputs).logits.cpu().numpy()
    return scores


def _started(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], block: int, tokens_per_batch: int
) -> tuple[list[StartedBatch], Tensor, Tensor]:
    """Run every batch once; also the mean input (heads x head width,) and output (width,) of the block's projection."""
    batches, tokens, sums = [], 0, [0.0, 0.0]
    for rows, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
        with recording(blocks_of(model)[block]) as whole, recording(projection_of(model, block)) as projection:
            model(**inputs)
        real = inputs["attention_mask"].bool()
        tokens += int(real.sum())
        for number, site in enumerate(("input", "output")):
            sums[number] = sums[number] + projection[site][real].double().sum(dim=0)
        batches.append(StartedBatch(rows, inputs, whole["input"]))
    mean_heads, mean_output = ((total / tokens).float() for total in sums)
    return batches, mean_heads, mean_output


def _silence(
    model: PreTrainedModel, block: int, mask: Mask, mean_heads: Tensor | None = None, mean_output: Tensor | None = None
) -> AbstractContextManager:
    if mask.condition not in (BLOCKS if mask.head == WHOLE_BLOCK else HEADS):
        raise ValueError(f"no such mask: {mask}")
    match mask:
        case Mask(head=names.WHOLE_BLOCK, condition="described"):
            return silenced_block(model, block)
        case Mask(head=names.WHOLE_BLOCK, condition="published"):
            return silenced_bias(model, block)
        case Mask(head=names.WHOLE_BLOCK, condition="mean"):
            return fixed_block(model, block, mean_output)
        case Mask(head=head, condition="zero"):
            return fixed_head(model, block, head, 0.0)
        case Mask(head=head, condition="mean"):
            return fixed_head(model, block, head, mean_heads[head_slice(model, head)])
    raise ValueError(f"no such mask: {mask}")


def _applies(model: PreTrainedModel, condition: str) -> bool:
    return condition != "published" or projection_of(model, 0).bias is not None


def _score_table(ids: pd.Series, logits: np.ndarray, classes: list[str], **key: int | str) -> pd.DataFrame:
    return pd.DataFrame({
        "id": ids.to_numpy(),
        **key,
        **columns("p", classes, softmax(logits, axis=1)),
        **columns("logit", classes, logits),
    })  # fmt: skip
