"""How much of the texts a model does not read, as its context is too short."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase


def cut_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> int:
    """How many texts are longer than the model's context."""
    lengths = map(len, tokenizer(list(texts), truncation=False, verbose=False)["input_ids"])
    return sum(length > tokenizer.model_max_length for length in lengths)
