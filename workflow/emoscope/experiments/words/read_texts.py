"""Texts as a model reads them: their words, their tokens, and to which word each token belongs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from emoscope.data.text_words import Span, words_of
from emoscope.experiments.words.methods import LONGEST, SPECIAL


@dataclass(frozen=True)
class Reading:
    """One text. `words` are places in it, `inputs` what the tokenizer makes of it, `owners` (tokens,) the word that
    each token belongs to, or SPECIAL. Words behind the last token are left out; `cut` says whether that is since the
    text is longer than the model's context or LONGEST, which may end within a word. Where LONGEST is less, `text` ends
    there, too."""

    text: str
    words: list[Span]
    inputs: dict[str, list[int]]
    owners: np.ndarray
    cut: bool = False

    def word(self, number: int) -> str:
        return self.text[slice(*self.words[number])]

    def by_word(self, tokens: np.ndarray) -> np.ndarray:
        """Scores of tokens (tokens, ...) summed by word, (words + 1, ...): those of special tokens come last."""
        summed = np.zeros((len(self.words) + 1, *tokens.shape[1:]), dtype=np.float64)
        np.add.at(summed, self.owners, tokens)  # SPECIAL, -1, is the last row
        return summed


def read_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[Reading]:
    """Texts as their words and tokens, of a longer one the first LONGEST."""
    if not len(texts):  # tokenizers refuse an empty list
        return []
    wanted = {"return_offsets_mapping": True, "return_special_tokens_mask": True}
    longest = min(LONGEST, tokenizer.model_max_length)
    encoded = tokenizer(list(texts), truncation=True, max_length=longest, **wanted)
    offsets, special = encoded.pop("offset_mapping"), encoded.pop("special_tokens_mask")
    readings = []
    for row, text in enumerate(texts):
        cut = bool(encoded.encodings[row].overflowing)
        if cut and longest < tokenizer.model_max_length:
            text = text[: max(end for _, end in offsets[row])]
        words = words_of(text)
        owners = owners_of(offsets[row], special[row], words)
        inputs = {key: values[row] for key, values in encoded.items()}
        readings.append(Reading(text, words[: owners.max(initial=-1) + 1], inputs, owners, cut))
    return readings


def owners_of(offsets: Sequence[Span], special: Sequence[int], words: Sequence[Span]) -> np.ndarray:
    """The word of each token (tokens,): the first one that ends behind the token's start, so that a space goes with the
    word that follows; what stands behind the last word goes with that."""
    starts, ends = np.array([start for start, _ in offsets], dtype=int), np.array([end for _, end in words], dtype=int)
    owners = np.minimum(np.searchsorted(ends, starts, side="right"), len(words) - 1)
    return np.where(np.asarray(special, dtype=bool), SPECIAL, owners)


def rewritten(reading: Reading, kept: np.ndarray, instead: Sequence[str] | None = None) -> str:
    """A text with only the words that are `kept`, bool (words,): the others are cut out, or have others `instead`."""
    pieces, at = [], 0
    for number, ((start, end), keep) in enumerate(zip(reading.words, kept, strict=True)):
        pieces += [reading.text[at:start], reading.text[start:end] if keep else instead[number] if instead else ""]
        at = end
    return " ".join("".join(pieces).split())
