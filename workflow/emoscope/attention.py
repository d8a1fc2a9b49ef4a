"""Attention weights of sentences as tidy tables, their averages, and attention rollout.

The *source* is the token that looks and the *target* the token that it looks at: itself or an earlier one. A weight is
the share of a head's attention that goes from source to target; the weights of a source sum to 1.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.architectures import blocks_of, heads_of
from emoscope.errors import UserError
from emoscope.files import write_table
from emoscope.language_models import load_language_model

LONGEST = 128  # tokens of a sentence; a map of more could not be read, and the viewer's page would grow past 10 MB


def attention_weights(model: Path, config: dict, weights: Path, averages: Path, tokens: Path) -> None:
    """Write the attention weights of every configured sentence, block and head, their means and their rollout.

    `weights` has a row for each sentence, block, head, source and target; `averages` one for each sentence, block,
    view, source and target, where a view is the `mean` of the block's heads, the `rollout` up to the block, or
    `overall`, the mean of all heads of all blocks, whose block is -1; `tokens` has one for each sentence and position.
    Targets after the source have no rows: a causal model gives them no weight.
    """
    language_model, tokenizer = load_language_model(model)
    sentences = checked_sentences(config["sentences"], language_model, tokenizer)
    check_heads(config["heads"], language_model)
    found = {"weights": [], "averages": [], "tokens": []}
    for number, ids in enumerate(tqdm(sentences, desc="sentences", unit="sentence")):
        labels = readable(tokenizer, ids)
        maps = attention_of(language_model, ids)
        found["weights"].append(_long(maps, ("block", "head"), labels).assign(sentence=number))
        found["averages"].append(_averages(maps, labels).assign(sentence=number))
        found["tokens"].append(
            pd.DataFrame({
                "position": range(len(ids)), "id": ids, "token": tokenizer.convert_ids_to_tokens(ids), "label": labels,
                "sentence": number, "text": config["sentences"][number],
            })
        )  # fmt: skip
    for name, path in {"weights": weights, "averages": averages, "tokens": tokens}.items():
        table = pd.concat(found[name], ignore_index=True)
        write_table(table[["sentence", *table.columns.drop("sentence")]], path)


def checked_sentences(
    sentences: Sequence[str], model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> list[list[int]]:
    """Token ids of each sentence; UserError for the first that the model or the viewer cannot take whole."""
    context = model.config.max_position_embeddings
    limit = min(context, LONGEST)
    whose = "the model's context" if limit == context else f"what the viewer can show; the model's context is {context}"
    encoded = [tokenizer(sentence, verbose=False)["input_ids"] for sentence in sentences]
    for number, ids in enumerate(encoded):
        if not 2 <= len(ids) <= limit:
            raise UserError(
                f"config attention.sentences[{number}]: {sentences[number][:40]!r} has {len(ids)} tokens; give it at "
                f"least 2 and at most {limit} ({whose})"
            )
    return encoded


def check_heads(chosen: Sequence[Sequence[int]], model: PreTrainedModel) -> None:
    """UserError for a block or head that the model does not have."""
    for place, (block, head) in enumerate(chosen):
        if block >= len(blocks_of(model)) or head >= heads_of(model):
            raise UserError(
                f"config attention.heads[{place}]: no head {head} in a block {block}; this model has blocks 0 to "
                f"{len(blocks_of(model)) - 1} and heads 0 to {heads_of(model) - 1}"
            )


def readable(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[str]:
    """Tokens as text: a space is a middle dot, what cannot be printed is escaped, a part of a character stays as the
    vocabulary writes it."""
    labels = []
    for token, text in zip(tokenizer.convert_ids_to_tokens(ids), map(tokenizer.decode, ids), strict=True):
        shown = token if not text or "\N{REPLACEMENT CHARACTER}" in text else text.replace(" ", "\N{MIDDLE DOT}")
        labels.append("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown))
    return labels


def attention_of(model: PreTrainedModel, ids: Sequence[int]) -> np.ndarray:
    """Attention weights of one text, (blocks, heads, source, target)."""
    with torch.inference_mode():
        output = model(torch.tensor([list(ids)], device=model.device), output_attentions=True, use_cache=False)
    if not output.attentions:
        raise RuntimeError("the model returned no attention weights; it must be loaded with eager attention")
    return torch.cat(output.attentions).cpu().numpy()


def rollout(maps: np.ndarray) -> np.ndarray:
    """How much of each input token is left at each position after each block, (blocks, source, target), if attention
    were all that moved it.

    Attention rollout, Abnar & Zuidema (2020), "Quantifying Attention Flow in Transformers", section 3: heads are
    averaged, the residual connection counts as half (A = W/2 + I/2), and the blocks' matrices are multiplied.
    """
    identity = np.eye(maps.shape[-1])
    steps, reached = [], identity
    for step in maps.mean(axis=1, dtype=np.float64):
        reached = (step + identity) / 2 @ reached
        steps.append(reached)
    return np.stack(steps)


def _averages(maps: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    mean = maps.mean(axis=1, dtype=np.float64)
    return pd.concat([
        _long(mean, ("block",), labels).assign(view="mean"),
        _long(mean.mean(axis=0, keepdims=True), ("block",), labels).assign(view="overall", block=-1),
        _long(rollout(maps), ("block",), labels).assign(view="rollout"),
    ])  # fmt: skip


def _long(maps: np.ndarray, names: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Maps (..., source, target) as rows, one for each target up to its source; `names` name the leading axes."""
    source, target = np.tril_indices(maps.shape[-1])
    leading = np.indices(maps.shape[:-2]).reshape(len(names), -1)
    table = pd.DataFrame({name: np.repeat(axis, len(source)) for name, axis in zip(names, leading, strict=True)})
    copies = leading.shape[1]
    table["source"], table["target"] = np.tile(source, copies), np.tile(target, copies)
    words = np.asarray(labels, dtype=object)
    table["source_token"], table["target_token"] = words[table["source"]], words[table["target"]]
    table["weight"] = maps[..., source, target].astype(np.float32).ravel()
    return table
