"""What a model does not read, as its context is too short."""

from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase

from emoscope.models.batches import encode


def beyond_context(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """Whether a text and its counterpart are the same input only because the model's context ends before they differ,
    bool (pairs,). Texts that differ in words that the vocabulary does not know are the same as wholes, and not cut."""
    pairs = list(zip(texts, others, strict=True))
    if not pairs:  # tokenizers refuse an empty list
        return np.zeros(0, dtype=bool)
    ids, other = (encode(tokenizer, side)["input_ids"] for side in zip(*pairs, strict=True))
    found = np.array([one == two for one, two in zip(ids, other, strict=True)])
    for row in np.flatnonzero(found):
        one, two = tokenizer(list(pairs[row]), verbose=False)["input_ids"]
        found[row] = one != two
    return found


def cut_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> int:
    """How many texts are longer than the model's context."""
    lengths = map(len, tokenizer(list(texts), truncation=False, verbose=False)["input_ids"])
    return sum(length > tokenizer.model_max_length for length in lengths)
