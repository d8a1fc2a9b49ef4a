"""What blocks put out in other texts, for masks that put something in place: means, and outputs of single texts.

The reference texts are training texts, none of which is a test text: a mean over the judged texts would hold some of
what the mask is to take away. Means are taken by kind of position, over real tokens.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.data.known_texts import stand_in
from emoscope.errors import UserError
from emoscope.models.batches import encode, padded_batches
from emoscope.models.interventions import recording, skipping
from emoscope.models.loading import load_classifier
from emoscope.models.parts import attention_of, blocks_of, feed_forward_of, projection_of
from emoscope.models.positions import KINDS, PADDING, counterparts, kinds_of
from emoscope.storage.files import replacing, write_table

SITES = {  # of a block: the module, and whether its input or its output is meant
    "heads": (projection_of, "input"),  # the heads' outputs side by side
    "attention": (attention_of, "output"),
    "mlp": (feed_forward_of, "output"),
}
RESAMPLED = ("attention", "mlp")
KEPT = 2**28  # numbers of a pool of outputs: 1 GiB, twice that while it is filled


@dataclass(frozen=True)
class Reference:
    """The reference texts, and the means at each site, {site: (blocks, KINDS, width)}; `seed` draws among the texts."""

    texts: Sequence[str]
    means: Mapping[str, Tensor] = field(repr=False)
    seed: int = 0

    def drawn(self, rows: int, draw: int) -> np.ndarray:
        """Which reference text stands in for each of so many judged ones in one draw, (rows,): all equally often."""
        return np.resize(np.random.default_rng([self.seed, draw]).permutation(len(self.texts)), rows)


@dataclass(frozen=True)
class Outputs:
    """What some blocks put out in some texts: the `kinds` of positions (texts, tokens), and {(block, site): (texts,
    tokens, width)}; nothing at padding."""

    kinds: Tensor
    values: Mapping[tuple[int, str], Tensor]

    def instead_of(self, kinds: Tensor, texts: Sequence[int]) -> dict[tuple[int, str], Tensor]:
        """The outputs of one of the texts for each row of a batch, at the counterparts of its positions, `kinds`."""
        chosen = torch.as_tensor(texts, device=kinds.device)
        places = counterparts(kinds, self.kinds[chosen])
        return {key: found[chosen[:, None], places] for key, found in self.values.items()}


def masking_reference(
    model: Path, train: Path, test: Path, masking: dict, seed: int, prediction: dict, means: Path, texts: Path
) -> None:
    """Write the reference texts, `id, text`, and what blocks put out in them on average: safetensors by site."""
    chosen = reference_texts(pd.read_parquet(train), pd.read_parquet(test), masking["reference_texts"], seed, train)
    classifier, tokenizer = load_classifier(model)
    found = mean_outputs(classifier, tokenizer, chosen["text"].tolist(), prediction["tokens_per_batch"])
    write_table(chosen, texts)
    with replacing(means) as temporary:
        save_file({site: values.cpu().contiguous() for site, values in found.items()}, temporary)


def read_reference(means: Path, texts: Path, seed: int, device: torch.device) -> Reference:
    """What `masking_reference` wrote."""
    table = pd.read_parquet(texts)
    return Reference(table["text"].tolist(), load_file(means, device=str(device)), seed)


def reference_texts(train: pd.DataFrame, test: pd.DataFrame, count: int, seed: int, source: Path) -> pd.DataFrame:
    """`id, text` of at most `count` training texts drawn at random; none that stands in the test set as well."""
    fit = train[~stand_in(train["text"], test["text"])]
    if fit.empty:
        raise UserError(
            f"{source}: each of its texts stands in the test set as well, so none can be a reference for masking; "
            "set `duplicates: group` of the corpus"
        )
    return fit.sample(min(count, len(fit)), random_state=seed)[["id", "text"]].reset_index(drop=True)


@torch.inference_mode()
def mean_outputs(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], tokens_per_batch: int
) -> dict[str, Tensor]:
    """Means over the real tokens of each kind of position, {site: (blocks, KINDS, width)}.

    A kind that no text has, as in BERT a first token that is not pooled, gets the mean of all.
    """
    blocks = range(len(blocks_of(model)))
    sums, counts = {}, torch.zeros(KINDS, dtype=torch.float64, device=model.device)
    for _, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
        kinds = kinds_of(model, inputs)
        with recorded(model, blocks, SITES) as seen:
            model(**inputs)
        for kind in range(KINDS):
            counts[kind] += (kinds == kind).sum()
            for (block, site), values in seen().items():
                empty = values.new_zeros(len(blocks), KINDS, values.shape[-1], dtype=torch.float64)
                sums.setdefault(site, empty)[block, kind] += values[kinds == kind].sum(dim=0, dtype=torch.float64)
    means = {}
    for site, total in sums.items():
        every = total.sum(dim=1, keepdim=True) / counts.sum()
        means[site] = torch.where(counts[:, None] > 0, total / counts[:, None], every).float()
    return means


def stand_ins(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    blocks: Sequence[int],
    tokens_per_batch: int,
) -> Callable[[Tensor, Sequence[int]], dict[tuple[int, str], Tensor]]:
    """A function of the kinds of positions of a batch (rows, tokens) and, for each row, the number of one of these
    texts: what some blocks put out in that, as `instead_of` gives it.

    What they put out in all texts is kept if that is no more than KEPT numbers; else a text is read when it is asked
    for.
    """
    longest = max(map(len, encode(tokenizer, texts)["input_ids"]))
    if len(texts) * longest * model.config.hidden_size * len(blocks) * len(RESAMPLED) <= KEPT:
        return outputs_of(model, tokenizer, texts, blocks, tokens_per_batch).instead_of

    def read(kinds: Tensor, numbers: Sequence[int]) -> dict[tuple[int, str], Tensor]:
        return instead_in(model, tokenizer, [texts[number] for number in numbers], kinds, blocks, tokens_per_batch)

    return read


@torch.inference_mode()
def instead_in(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    kinds: Tensor,
    blocks: Sequence[int],
    tokens_per_batch: int,
) -> dict[tuple[int, str], Tensor]:
    """The outputs of some blocks in one text for each row of a batch, at the counterparts of its positions, `kinds`;
    however long these texts are, nothing else is kept of them."""
    values: dict[tuple[int, str], Tensor] = {}
    for rows, own, seen in _put_out(model, tokenizer, texts, blocks, tokens_per_batch):
        places = counterparts(kinds[rows], own)
        each = torch.arange(len(rows), device=kinds.device)[:, None]
        for key, found in seen.items():
            values.setdefault(key, found.new_empty(*kinds.shape, found.shape[-1]))[rows] = found[each, places]
    return values


@torch.inference_mode()
def outputs_of(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    blocks: Sequence[int],
    tokens_per_batch: int,
) -> Outputs:
    """What some blocks put out in these texts."""
    parts = list(_put_out(model, tokenizer, texts, blocks, tokens_per_batch))
    size = len(texts), max(kinds.shape[1] for _, kinds, _ in parts)
    kinds = torch.full(size, PADDING, device=model.device)
    values = {key: found.new_zeros(*size, found.shape[-1]) for key, found in parts[0][2].items()}
    for rows, own, seen in parts:
        kinds[rows, : own.shape[1]] = own
        for key, found in seen.items():
            values[key][rows, : own.shape[1]] = found
    return Outputs(kinds, values)


def _put_out(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    blocks: Sequence[int],
    tokens_per_batch: int,
) -> Iterator[tuple[np.ndarray, Tensor, dict[tuple[int, str], Tensor]]]:
    """Batch by batch the rows, the kinds of their positions, and what some blocks put out there; those after the last
    of them are not run."""
    for rows, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
        with skipping(model, blocks_of(model)[max(blocks) + 1 :]), recorded(model, blocks, RESAMPLED) as seen:
            model(**inputs)
        yield rows, kinds_of(model, inputs), seen()


@contextmanager
def recorded(model: PreTrainedModel, blocks: Sequence[int], sites: Sequence[str]) -> Iterator:
    """Collect what passes some sites of some blocks; yields a function that returns {(block, site): values}."""
    with ExitStack() as stack:
        modules = {(block, SITES[site][0]): SITES[site][0](model, block) for block in blocks for site in sites}
        seen = {key: stack.enter_context(recording(module)) for key, module in modules.items()}
        yield lambda: {(block, site): seen[block, SITES[site][0]][SITES[site][1]] for block in blocks for site in sites}
