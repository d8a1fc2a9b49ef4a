"""Residual-stream activations of a corpus' texts.

The first position is left out, unless the classification head reads there, as BERT's does: whatever its token, models
such as GPT-2 and SmolLM2 put a vector there that is tens of times longer than all others and serves attention as a
resting place, Xiao et al., "Efficient Streaming Language Models with Attention Sinks" (2023).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.batches import padded_batches
from emoscope.models.interventions import recording, resumed_at, skipping
from emoscope.models.parts import blocks_of, family_of


@dataclass(frozen=True)
class TokenActivations:
    """What stands in the residual stream behind one block: a row for each token, by text and position."""

    values: Tensor  # (tokens, width)
    text: np.ndarray  # (tokens,) number of the text
    position: np.ndarray  # (tokens,) from 0
    ids: Tensor  # (tokens, 2) the token before, and the token itself


@torch.inference_mode()
def gather(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str], block: int, tokens_per_batch: int
) -> TokenActivations:
    """Activations behind a block, of every position that is `counted`; later blocks are not computed."""
    values, text, position, ids = [], [], [], []
    with tqdm(total=len(texts), desc=f"activations after block {block}", unit="text", mininterval=2) as progress:
        for rows, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
            kept = counted(model, inputs)
            values.append(residual_behind(model, inputs, block)[kept])
            row, column = (index.cpu().numpy() for index in torch.nonzero(kept, as_tuple=True))
            text.append(rows[row])
            position.append(column)
            ids.append(with_previous(inputs["input_ids"])[kept])
            progress.update(len(rows))
    text, position = np.concatenate(text), np.concatenate(position)
    order = np.lexsort((position, text))
    values, ids = (torch.cat(parts)[torch.from_numpy(order)] for parts in (values, ids))
    return TokenActivations(values, text[order], position[order], ids)


def residual_behind(model: PreTrainedModel, inputs: dict[str, Tensor], block: int) -> Tensor:
    """The output of a block, (rows, tokens, width)."""
    blocks = blocks_of(model)
    with skipping(model, blocks[block + 1 :]), recording(blocks[block]) as seen:
        model.base_model(**inputs, use_cache=False)
    return seen["output"]


def run_on(model: PreTrainedModel, inputs: dict[str, Tensor], block: int, stream: Tensor) -> Tensor:
    """Logits (rows, classes) of a classifier whose stream behind a block is (rows, tokens, width)."""
    with resumed_at(model, block + 1, stream):
        return model(**inputs).logits


def with_previous(ids: Tensor) -> Tensor:
    """Each token of (rows, tokens), behind the one before it: (rows, tokens, 2); before the first stands the last."""
    return torch.stack([ids.roll(1, dims=1), ids], dim=-1)


def counted(model: PreTrainedModel, inputs: dict[str, Tensor]) -> Tensor:
    """Which cells of a batch, (rows, tokens), are neither padding nor, unless the classification head reads there, the
    first one."""
    kept = inputs["attention_mask"].bool()
    kept[:, 0] &= family_of(model).pools_first
    return kept
