"""A classifier's states where a concept may be read: by depth and kind of place.

Depth d is the residual stream that block d reads: 0 is the embedding, the number of blocks what the last one puts out.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.probing.names import MEAN, PLACES, POOLED, WORD
from emoscope.models.activations import one_batch
from emoscope.models.batches import token_batches
from emoscope.models.interventions import recording, resumed_at, skipping
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


@dataclass(frozen=True)
class Batch:
    """Some texts, by their row numbers, as inputs (rows, tokens), and where their runs start: at `depth`, with what the
    block there reads in the model as it is, (rows, tokens, width); at 0 nothing is kept."""

    rows: np.ndarray
    inputs: dict[str, Tensor]
    depth: int = 0
    residual: Tensor | None = None


def batched(model: PreTrainedModel, texts: Sequence[Located], tokens_per_batch: int, depth: int = 0) -> list[Batch]:
    """Texts as batches for runs in which nothing before a depth is changed: what comes before it is computed once."""
    batches = []
    for rows in token_batches([text.inputs["input_ids"].shape[1] for text in texts], tokens_per_batch):
        whole = Batch(rows, one_batch(model, [texts[row].inputs for row in rows]))
        batches.append(replace(whole, depth=depth, residual=_until(model, whole, depth)) if depth else whole)
    return batches


@torch.inference_mode()
def run(model: PreTrainedModel, batch: Batch, depths: Sequence[int] = ()) -> tuple[list[Tensor], Tensor]:
    """A batch's residual stream at these depths, (rows, tokens, width) each, and its logits (rows, classes)."""
    resumed = nullcontext() if batch.residual is None else resumed_at(model, batch.depth, batch.residual)
    with resumed, _seen(model, depths) as streams:
        logits = model(**batch.inputs).logits
    return [stream() for stream in streams], logits


@torch.inference_mode()
def _until(model: PreTrainedModel, batch: Batch, depth: int) -> Tensor:
    """What the block at a depth reads of a batch, (rows, tokens, width); it and those behind it are not computed."""
    with skipping(model, blocks_of(model)[depth:]), _seen(model, [depth]) as [stream]:
        model(**batch.inputs)
    return stream()


@contextmanager
def _seen(model: PreTrainedModel, depths: Sequence[int]) -> Iterator[list[Callable[[], Tensor]]]:
    """What gives the residual stream at these depths, once the model has run."""
    blocks = blocks_of(model)
    with ExitStack() as stack:
        records = [stack.enter_context(recording(blocks[min(depth, len(blocks) - 1)])) for depth in depths]
        sides = ["output" if depth == len(blocks) else "input" for depth in depths]
        yield [partial(record.get, side) for record, side in zip(records, sides, strict=True)]


def place_states(
    model: PreTrainedModel, texts: Sequence[Located], batches: Sequence[Batch], depths: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """States (depths, places, texts, width), float32, at each of PLACES, by default at every depth, and the logits
    (texts, classes). The word's are the mean over its tokens; NaN in a text without one."""
    depths = range(len(blocks_of(model)) + 1) if depths is None else depths
    states = np.full((len(depths), len(PLACES), len(texts), model.config.hidden_size), np.nan, dtype=np.float32)
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    for batch in tqdm(batches, desc="states", unit="batch", mininterval=2):
        streams, given = run(model, batch, depths)
        logits[batch.rows] = given.cpu().numpy()
        for (number, whole), (place, row) in product(enumerate(streams), enumerate(batch.rows)):
            text = texts[row]
            stream = whole[place, : text.inputs["input_ids"].shape[1]]
            means = {POOLED: stream[text.pooled], MEAN: stream.mean(dim=0)}
            if text.word:
                means[WORD] = stream[text.word].mean(dim=0)
            for kind, values in means.items():
                states[number, PLACES.index(kind), row] = values.cpu().numpy()
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


def token_states(model: PreTrainedModel, texts: Sequence[Located], batches: Sequence[Batch], depth: int) -> TokenStates:
    """The states of texts at one depth, text after text; where the head reads a word, that token is the word's."""
    values, rows, places, said = [], [], [], []
    for batch in tqdm(batches, desc="states", unit="batch", mininterval=2):
        for whole, row in zip(_until(model, batch, depth), batch.rows, strict=True):
            text = texts[row]
            values.append(whole[: text.inputs["input_ids"].shape[1]].clone())
            rows.append(np.full(len(values[-1]), row))
            place = np.full(len(values[-1]), MEAN, dtype=object)
            place[text.pooled] = POOLED
            place[text.word] = WORD
            places.append(place)
            said.append(np.full(len(place), "", dtype=object))
            said[-1][text.word] = text.said
    return TokenStates(torch.cat(values), *map(np.concatenate, (rows, places, said)))


def chosen_depths(model: PreTrainedModel, count: int) -> list[int]:
    """At most so many depths, from the embedding to the last block's output, about evenly apart."""
    last = len(blocks_of(model))
    return sorted({round(place) for place in np.linspace(0, last, count)})
