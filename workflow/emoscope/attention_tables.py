"""The tables of the attention write-up: weights of the configured sentences, effects of blocking in a corpus' texts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.agreement import rank_agreement
from emoscope.architectures import blocks_of, heads_of
from emoscope.attention import attention_of, readable, rollout, where_heads_look
from emoscope.attention_effects import Prefix, blocked_predictions, silenced_predictions
from emoscope.errors import UserError
from emoscope.files import write_table
from emoscope.language_models import load_language_model

LONGEST = 128  # tokens of a sentence; a map of more could not be read, and the viewer's page would grow past 10 MB
TOKENS = (6, 32)  # shortest and longest text that is taken from a corpus
HEAD = ("block", "head")


def attention_weights(model: Path, config: dict, weights: Path, averages: Path, tokens: Path) -> None:
    """Write the attention weights of every configured sentence, block and head, their means and their rollout.

    `weights` has a row for each sentence, block, head, source and target; `averages` one for each sentence, block,
    view, source and target; `tokens` one for each sentence and position. A view is the `mean` of the block's heads, the
    `rollout` up to the block, `overall`, the mean of all heads of all blocks, whose block is -1, or `effect`, the
    divergence (nats) when the weight is blocked in all of them. Targets after the source have no rows: a causal model
    gives them no weight.
    """
    language_model, tokenizer = load_language_model(model)
    sentences = checked_sentences(config["sentences"], language_model, tokenizer)
    check_heads(config["heads"], language_model)
    found = {"weights": [], "averages": [], "tokens": []}
    for number, ids in enumerate(tqdm(sentences, desc="sentences", unit="sentence")):
        labels = readable(tokenizer, ids)
        maps = attention_of(language_model, ids)
        found["weights"].append(_long(maps, ("block", "head"), labels).assign(sentence=number))
        _, divergence = blocked_predictions(language_model, Prefix.of(language_model, ids))
        found["averages"].append(_averages(maps, divergence, labels).assign(sentence=number))
        found["tokens"].append(
            pd.DataFrame({
                "position": range(len(ids)), "id": ids, "token": tokenizer.convert_ids_to_tokens(ids), "label": labels,
                "sentence": number, "text": config["sentences"][number],
            })
        )  # fmt: skip
    for name, path in {"weights": weights, "averages": averages, "tokens": tokens}.items():
        table = pd.concat(found[name], ignore_index=True)
        write_table(table[["sentence", *table.columns.drop("sentence")]], path)


def block_attention(
    model: Path, texts: Path, config: dict, statistics: dict, blocked: Path, looks: Path, silenced: Path
) -> None:
    """Block attention, one weight at a time and one head at a time, and write what that does to the prediction.

    Effects are `divergence` (nats, Kullback-Leibler, from the prediction as it was to the blocked one) and `change`
    (nats) of the true next token's log-probability, NaN at a text's end.
    `blocked`: for each text, source and target the attention (`mean` of all heads of all blocks, `rollout` through all
    blocks) and the effects of blocking it in all of them.
    `looks`: for each text, block and head what `where_heads_look` gives, and `agreement`, the mean rank correlation of
    the head's weights with `divergence` in `blocked`.
    `silenced`: for each text, block and head the effects of silencing the head at the last token but one, and the
    weights there: on the first token (`first`), and the largest (`sharpest`).
    """
    language_model, tokenizer = load_language_model(model)
    tables: dict[str, list[pd.DataFrame]] = {"blocked": [], "looks": [], "silenced": []}
    chosen = chosen_texts(texts, tokenizer, config["texts"], statistics["seed"])
    for text, ids in enumerate(tqdm(chosen, desc="blocking", unit="text")):
        maps, prefix = attention_of(language_model, ids), Prefix.of(language_model, ids)
        change, divergence = blocked_predictions(language_model, prefix)
        values = {"mean": maps.mean(axis=(0, 1)), "rollout": rollout(maps)[-1], "change": change}
        tables["blocked"].append(
            _rows(text, ("source", "target"), **values, divergence=divergence).query("0 < source and target <= source")
        )
        agreement = np.nanmean(rank_agreement(maps, divergence), axis=-1)
        tables["looks"].append(_rows(text, HEAD, **where_heads_look(maps), agreement=agreement))
        source = len(ids) - 2
        change, divergence = silenced_predictions(language_model, prefix, source)
        values = {"first": maps[:, :, source, 0], "sharpest": maps[:, :, source].max(axis=-1), "change": change}
        tables["silenced"].append(_rows(text, HEAD, **values, divergence=divergence))
    for name, path in {"blocked": blocked, "looks": looks, "silenced": silenced}.items():
        write_table(pd.concat(tables[name], ignore_index=True), path)


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


def chosen_texts(path: Path, tokenizer: PreTrainedTokenizerBase, count: int, seed: int) -> list[list[int]]:
    """Token ids of `count` distinct texts of TOKENS tokens, drawn at random; UserError if there are too few."""
    texts = pd.read_parquet(path, columns=["text"])["text"].drop_duplicates()
    drawn = texts.sample(frac=1, random_state=seed)
    found: list[list[int]] = []
    for start in range(0, len(drawn), count):
        encoded = tokenizer(drawn.iloc[start : start + count].tolist(), verbose=False)["input_ids"]
        found += [ids for ids in encoded if TOKENS[0] <= len(ids) <= TOKENS[1]]
        if len(found) >= count:
            return found[:count]
    raise UserError(
        f"{path}: only {len(found)} distinct texts of {TOKENS[0]} to {TOKENS[1]} tokens; lower attention.texts "
        f"from {count} or name another corpus in attention.corpus"
    )


def _averages(maps: np.ndarray, effects: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    mean = maps.mean(axis=1, dtype=np.float64)
    return pd.concat([
        _long(mean, ("block",), labels).assign(view="mean"),
        _long(mean.mean(axis=0, keepdims=True), ("block",), labels).assign(view="overall", block=-1),
        _long(effects[None], ("block",), labels).assign(view="effect", block=-1),
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


def _rows(text: int, names: Sequence[str], **values: np.ndarray) -> pd.DataFrame:
    """Arrays of two dimensions as columns of a table; `names` name the dimensions."""
    shape = next(iter(values.values())).shape
    index = dict(zip(names, np.indices(shape).reshape(2, -1), strict=True))
    return pd.DataFrame({"text": text, **index, **{name: array.ravel() for name, array in values.items()}})
