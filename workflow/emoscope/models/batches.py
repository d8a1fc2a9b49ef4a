"""Grouping texts of similar length, so that little is computed on padding."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import BatchEncoding, PreTrainedTokenizerBase

FOR_GRADIENTS = 8  # times the memory that a token takes when it is only read, if gradients are wanted


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> BatchEncoding:
    """Tokenise texts, unpadded; texts longer than the model's context are cut."""
    return tokenizer(list(texts), truncation=True)


def token_batches(lengths: Sequence[int], tokens_per_batch: int) -> list[np.ndarray]:
    """Cut row numbers, longest text first, into batches of at most `tokens_per_batch` padded tokens.

    A text longer than the budget gets a batch of its own. Once it holds an eighth of the budget, a batch ends before a
    text an eighth shorter than its longest: little is padding, and no batch is too small to be fast. Longest first, so
    that a lack of memory shows at once.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    descending = np.asarray(lengths)[order]
    batches, start = [], 0
    while start < len(order):
        longest = max(1, descending[start])
        most = max(1, tokens_per_batch // longest)
        enough = -(-tokens_per_batch // (8 * longest))
        similar = int(np.searchsorted(-descending, -longest * 7 / 8, side="right")) - start
        size = min(most, max(enough, similar))
        batches.append(order[start : start + size])
        start += size
    return batches


def padded_batches(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], tokens_per_batch: int, device: torch.device
) -> Iterator[tuple[np.ndarray, dict[str, Tensor]]]:
    """Yield (row numbers, inputs of shape (rows, tokens)), padded on the right, until every text was in one batch."""
    if not len(texts):  # tokenizers refuse an empty list
        return
    encoded = encode(tokenizer, texts)
    for rows in token_batches([len(ids) for ids in encoded["input_ids"]], tokens_per_batch):
        chosen = {key: [values[row] for row in rows] for key, values in encoded.items()}
        yield rows, dict(tokenizer.pad(chosen, padding_side="right", return_tensors="pt").to(device))
