"""A classifier's states where a concept may be read: by depth and kind of place.

Depth d is the residual stream that block d reads: 0 is the embedding, the number of blocks what the last one puts out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.probing.names import MEAN, PLACES, POOLED, WORD
from emoscope.models.activations import each_activations
from emoscope.models.parts import blocks_of, pooled_token


@dataclass(frozen=True)
class Located:
    """A text's inputs, (1, tokens), the tokens of the words that say the concept with the names of what these say, if
    given, and the token that the classification head reads."""

    inputs: BatchEncoding
    word: list[int]
    said: list[str]
    pooled: int


def located(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, examples: pd.DataFrame
) -> tuple[list[Located], pd.DataFrame]:
    """The texts of examples, and these; pairs without a word that says the concept, as it was cut off, are left out."""
    found = [locate(model, tokenizer, row.text, row.spans, row.said) for row in examples.itertuples()]
    cut = [bool(len(spans)) and not text.word for spans, text in zip(examples["spans"], found, strict=True)]
    kept = ~examples["pair"].isin(examples.loc[cut, "pair"]).to_numpy()
    return [text for text, whole in zip(found, kept, strict=True) if whole], examples[kept].reset_index(drop=True)


def locate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    spans: Sequence[tuple[int, int]],
    said: Sequence[str],
) -> Located:
    """Where a text says a concept: `spans`, from and up to which character each of its words goes, and what these have
    `said`. A token is of a word if they share a character; what the model's context cuts off is not there."""
    encoded = tokenizer(text, truncation=True, return_offsets_mapping=True, return_tensors="pt")
    offsets = encoded.pop("offset_mapping")[0].tolist()
    words = {
        token: name
        for (start, end), name in zip(spans, said, strict=True)
        for token, (a, b) in enumerate(offsets)
        if min(b, end) > max(a, start)
    }
    return Located(encoded, [*words], [*words.values()], pooled_token(model, encoded["input_ids"]))


def place_states(
    model: PreTrainedModel, texts: Sequence[Located], tokens_per_batch: int, depths: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """States (depths, places, texts, width), float32, at each of PLACES, by default at every depth, and the logits
    (texts, classes). The word's are the mean over its tokens; NaN in a text without one."""
    depths = range(len(blocks_of(model)) + 1) if depths is None else depths
    states = np.full((len(depths), len(PLACES), len(texts), model.config.hidden_size), np.nan, dtype=np.float32)
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    runs = each_activations(model, [text.inputs for text in texts], tokens_per_batch)
    for row, run in tqdm(runs, desc="states", total=len(texts), unit="text", mininterval=2):
        stream, text = run.residual[list(depths)], texts[row]
        means = {POOLED: stream[:, text.pooled], MEAN: stream.mean(dim=1)}
        if text.word:
            means[WORD] = stream[:, text.word].mean(dim=1)
        for place, values in means.items():
            states[:, PLACES.index(place), row] = values.cpu().numpy()
        logits[row] = run.logits.cpu().numpy()
    return states, logits


@dataclass(frozen=True)
class TokenStates:
    """The states of all tokens of some texts at one depth, (tokens, width), the text that each is of, and whether it is
    of the words that say the concept (WORD), the one that the classification head reads (POOLED) or another one (MEAN);
    `said` names what a word says, and is empty at other tokens."""

    values: Tensor
    text: np.ndarray
    place: np.ndarray
    said: np.ndarray


def token_states(model: PreTrainedModel, texts: Sequence[Located], depth: int, tokens_per_batch: int) -> TokenStates:
    """The states of texts at one depth, text after text; where the head reads a word, that token is the word's."""
    values, rows, places, said = [], [], [], []
    for row, run in each_activations(model, [text.inputs for text in texts], tokens_per_batch):
        values.append(run.residual[depth])
        rows.append(np.full(len(values[-1]), row))
        place = np.full(len(values[-1]), MEAN, dtype=object)
        place[texts[row].pooled] = POOLED
        place[texts[row].word] = WORD
        places.append(place)
        said.append(np.full(len(place), "", dtype=object))
        said[-1][texts[row].word] = texts[row].said
    return TokenStates(torch.cat(values), *map(np.concatenate, (rows, places, said)))


def chosen_depths(model: PreTrainedModel, count: int) -> list[int]:
    """At most so many depths, from the embedding to the last block's output, about evenly apart."""
    last = len(blocks_of(model))
    return sorted({round(place) for place in np.linspace(0, last, count)})
