"""What is computed together: texts of similar length, so that little is padding; rows of scores that fit a cache."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import BatchEncoding, PreTrainedTokenizerBase

FOR_GRADIENTS = 8  # times the memory that a token takes when it is only read, if gradients are wanted
AT_ONCE = 2**20  # scores: what is made of them on the way to a result stays in the processor's cache


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


def higher(scores: Tensor, own: Tensor) -> Tensor:
    """How many scores of each row are higher than that in its `own` column: (rows, columns) and (rows,) to (rows,)."""
    return _by_rows(
        lambda part, mine: (part > part.gather(1, mine[:, None])).sum(dim=1, dtype=torch.int32), scores, own
    )


def logsumexp(scores: Tensor) -> Tensor:
    """The logarithm of the summed exponentials of each row, (..., columns) to (...)."""
    return _by_rows(lambda part: part.logsumexp(dim=1), scores.flatten(0, -2)).view(scores.shape[:-1])


def _by_rows(work: Callable[..., Tensor], scores: Tensor, *others: Tensor) -> Tensor:
    """`work` on the rows of `scores` (rows, columns) and what belongs to each, done on some at a time."""
    rows = max(1, AT_ONCE // scores.shape[1])
    return torch.cat([work(*parts) for parts in zip(*(one.split(rows) for one in (scores, *others)), strict=True)])
