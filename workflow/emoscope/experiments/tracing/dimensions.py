"""How the residual stream changes at exchanged words, dimension by dimension: in flips, and in neutral swaps.

Dimension k of one model corresponds to no particular dimension of a model trained separately.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.activations import each_activations
from emoscope.perturbation.inside.alignment import align
from emoscope.perturbation.inside.names import SPREAD
from emoscope.perturbation.inside.sample import pairs_by_kind

MOST_TEXTS = 300  # flips, neutral swaps and unrelated texts; more change nothing but the time it takes


def change_table(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: pd.DataFrame,
    texts: pd.Series,
    block: int,
    tokens_per_batch: int,
    seed: int,
) -> pd.DataFrame:
    """Mean squared changes after `block`: `kind, words, changes`, then a column for each dimension, `0`, `1`, ...

    A row holds the mean over all changes of one word pair (`he/she`, in either direction), since these repeat the same
    two embeddings; flips and neutral swaps are of equally many texts. The last row holds, under the kind `spread`, the
    variance over all tokens of unrelated `texts`.
    """
    kinds = {kind: rows[rows["origin"].str.startswith("natural")] for kind, rows in pairs_by_kind(pairs, seed).items()}
    size = min(MOST_TEXTS, *map(len, kinds.values()))
    parts = []
    for kind, rows in kinds.items():
        changes = word_changes(model, tokenizer, rows.head(size), block, tokens_per_batch)
        grouped = changes.groupby(level=0)
        means = grouped.mean().reset_index()
        means.insert(0, "kind", kind)
        means.insert(2, "changes", grouped.size().to_numpy())
        parts.append(means)
    unrelated = unrelated_texts(texts, pairs)
    unrelated = unrelated.sample(min(len(unrelated), MOST_TEXTS), random_state=seed)
    variance = activation_variance(model, tokenizer, unrelated, block, tokens_per_batch)
    spread = pd.DataFrame([variance]).assign(kind=SPREAD, words="", changes=0)
    table = pd.concat([*(part for part in parts if len(part)), spread], ignore_index=True)
    return table.rename(columns=str)[["kind", "words", "changes", *map(str, range(len(variance)))]]


def unrelated_texts(texts: pd.Series, pairs: pd.DataFrame) -> pd.Series:
    """The distinct texts that no pair holds; all of them where there is none."""
    distinct = texts.drop_duplicates()
    unrelated = distinct[~distinct.isin(pairs["text"])]
    return unrelated if len(unrelated) else distinct


def word_changes(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pairs: pd.DataFrame, block: int, tokens_per_batch: int
) -> pd.DataFrame:
    """Squared change at every exchanged word: a row each, `words` (`he/she`, in either direction), then dimensions."""
    aligned = [align(tokenizer, pair.text, pair.perturbed, pair.spans) for pair in pairs.itertuples()]
    changed = [[unit for unit in one.units if unit.word != unit.flipped_word] for one in aligned]
    sides = []
    for text, tokens in (("original", "tokens"), ("flipped", "flipped_tokens")):
        places = [[getattr(unit, tokens) for unit in units] for units in changed]
        texts = [getattr(one, text) for one in aligned]
        sides.append(_means(model, texts, places, block, tokens_per_batch))
    words = ["/".join(sorted((unit.word.lower(), unit.flipped_word.lower()))) for units in changed for unit in units]
    return pd.DataFrame((sides[1] - sides[0]) ** 2, index=pd.Index(words, name="words"))


def _means(
    model: PreTrainedModel,
    texts: Sequence,
    places: Sequence[Sequence[Sequence[int]]],
    block: int,
    tokens_per_batch: int,
) -> np.ndarray:
    """The residual stream after a block, averaged over each unit's tokens: (units of all texts, width)."""
    found = [torch.empty(0, model.config.hidden_size)] * len(texts)
    for row, run in each_activations(model, texts, tokens_per_batch):
        if places[row]:
            found[row] = torch.stack([run.residual[block + 1][tokens].mean(dim=0) for tokens in places[row]]).cpu()
    return torch.cat([torch.empty(0, model.config.hidden_size), *found]).numpy()


def activation_variance(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: pd.Series, block: int, tokens_per_batch: int
) -> np.ndarray:
    """Variance (width,) of each dimension over the tokens of some texts."""
    inputs = [tokenizer(text, truncation=True, return_tensors="pt") for text in texts]
    runs = each_activations(model, inputs, tokens_per_batch)
    tokens = np.concatenate([run.residual[block + 1].cpu().numpy() for _, run in runs])
    return tokens.var(axis=0, dtype=np.float64)
