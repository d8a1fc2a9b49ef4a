"""The tables of an attention page: weights of the configured sentences, effects of blocking in a corpus' texts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.inside.attention_maps import maps_of, rollout
from emoscope.models.inside.visibility import MOST_TOKENS, visible_tokens
from emoscope.models.language_models import load_language_model
from emoscope.models.loading import architecture_of, load_classifier, random_twin
from emoscope.models.parts import blocks_of, context_of, family_of, heads_of
from emoscope.statistics.ranks import rank_agreement
from emoscope.storage.files import write_table
from emoscope.writeups.attention.blocking import when_blocked, when_silenced
from emoscope.writeups.attention.weights import readable, resting_places, where_heads_look

LONGEST = 128  # tokens of a sentence; a map of more could not be read, and the viewer's page would grow past 10 MB
TOKENS = (6, MOST_TOKENS)  # shortest and longest text that is taken from a corpus
HEAD = ("block", "head")
PER_TWIN = 3  # every third text is read by a random twin of the model, too: it costs as much, and varies little
TWINS = 8  # these take turns, as another draw of weights agrees otherwise; with fewer there would be no interval


def attention_weights(
    model: Path, exactness: list[Path], config: dict, weights: Path, averages: Path, tokens: Path
) -> None:
    """Write the attention weights of every configured sentence, block and head, their means and their rollout.

    `weights` has a row for each sentence, block, head, source and target; `averages` one for each sentence, block,
    view, source and target; `tokens` one for each sentence and position. A view is the `mean` of the block's heads, the
    `rollout` up to the block, `overall`, the mean of all heads of all blocks, whose block is -1, or `effect`, the
    divergence (nats) when the weight is blocked in all of them. Targets after the source have rows only in models that
    look ahead, such as BERT. `resting` in `tokens` is what `resting_places` gives. The tables of a classifier for which
    that is not exact, by `exactness`, are empty.
    """
    if refused(exactness):
        return write_empty(weights, averages, tokens)
    network, tokenizer = load(model)
    sentences = readable_sentences(config["sentences"], network, tokenizer)
    check_heads(config["heads"], network)
    found = {"weights": [], "averages": [], "tokens": []}
    for number, (sentence, ids) in enumerate(tqdm(sentences, desc="sentences", unit="sentence")):
        labels = readable(tokenizer, ids)
        maps, seen = maps_of(network, ids), visible_tokens(network, len(ids))
        found["weights"].append(_long(maps, seen, ("block", "head"), labels).assign(sentence=number))
        _, divergence = when_blocked(network, ids)
        found["averages"].append(_averages(maps, divergence, seen, labels).assign(sentence=number))
        found["tokens"].append(
            pd.DataFrame({
                "position": range(len(ids)), "id": ids, "token": tokenizer.convert_ids_to_tokens(ids), "label": labels,
                "resting": resting_places(tokenizer, ids), "sentence": number, "text": sentence,
            })
        )  # fmt: skip
    for name, path in {"weights": weights, "averages": averages, "tokens": tokens}.items():
        table = pd.concat(found[name], ignore_index=True)
        write_table(table[["sentence", *table.columns.drop("sentence")]], path)


def block_attention(
    model: Path,
    texts: Path,
    exactness: list[Path],
    config: dict,
    statistics: dict,
    blocked: Path,
    looks: Path,
    silenced: Path,
) -> None:
    """Block attention, one weight at a time and one head at a time, and write what that does to the answer.

    Effects are `divergence` (nats, Kullback-Leibler, from the answer as it was to the blocked one) and `change` (nats)
    of the log-probability of a classifier's class, or of a language model's true next token; that is NaN at a text's
    end.
    `blocked`: for each text, source and target the attention (`mean` of all heads of all blocks, `rollout` through all
    blocks), the effects of blocking it in all of them, and whether the target is one of the `resting_places`; `weights`
    are `trained`, the model's, and for some texts also the number of one of its twins that have learnt nothing.
    `looks`: for each text, block and head what `where_heads_look` gives, and `agreement`, the mean rank correlation of
    the head's weights with `divergence` in `blocked`.
    `silenced`: for each text, block and head the effects of silencing the head at the token that `when_silenced` names,
    and its weights there: on all but the resting places (`elsewhere`), and the largest (`sharpest`).
    The tables of a classifier for which that is not exact, by `exactness`, are empty, and those of texts that are too
    short.
    """
    if refused(exactness):
        return write_empty(blocked, looks, silenced)
    network, tokenizer = load(model)
    ahead = family_of(network).looks_ahead
    tables: dict[str, list[pd.DataFrame]] = {"blocked": [], "looks": [], "silenced": []}
    longest = min(TOKENS[1], context_of(network))
    chosen = chosen_texts(texts, tokenizer, config["texts"], statistics["seed"], longest)
    if not chosen:
        return write_empty(blocked, looks, silenced)
    for text, ids in enumerate(tqdm(chosen, desc="blocking", unit="text")):
        maps, resting = maps_of(network, ids), resting_places(tokenizer, ids)
        _, divergence = effects = when_blocked(network, ids)
        tables["blocked"].append(blocked_rows(text, "trained", maps, resting, *effects))
        agreement = np.nanmean(rank_agreement(maps, divergence), axis=-1)
        tables["looks"].append(_rows(text, HEAD, **where_heads_look(maps, ahead), agreement=agreement))
        source, change, divergence = when_silenced(network, ids)
        own = maps[:, :, source]
        values = {"elsewhere": 1 - own[..., resting].sum(axis=-1), "sharpest": own.max(axis=-1), "change": change}
        tables["silenced"].append(_rows(text, HEAD, **values, divergence=divergence))
    shared = list(enumerate(chosen))[::PER_TWIN]
    for number in tqdm(range(min(TWINS, len(shared))), desc="random twins", unit="twin"):
        twin = random_twin(network, statistics["seed"] + number)
        tables["blocked"] += _read_by(twin, str(number), shared[number::TWINS], tokenizer)
        del twin  # two models at once are enough
    for name, path in {"blocked": blocked, "looks": looks, "silenced": silenced}.items():
        write_table(pd.concat(tables[name], ignore_index=True), path)


def refused(exactness: list[Path]) -> bool:
    """Whether a classifier's attention is not to be read; there is no file about a language model."""
    return not all(allowed("attention", exact_checks(file)) for file in exactness)


def write_empty(*tables: Path) -> None:
    for table in tables:
        write_table(pd.DataFrame(), table)


def _read_by(
    model: PreTrainedModel, weights: str, texts: Sequence[tuple[int, list[int]]], tokenizer: PreTrainedTokenizerBase
) -> list[pd.DataFrame]:
    """The rows of `blocked` for some texts, each its number and its token ids."""
    return [
        blocked_rows(text, weights, maps_of(model, ids), resting_places(tokenizer, ids), *when_blocked(model, ids))
        for text, ids in texts
    ]


def blocked_rows(
    text: int, weights: str, maps: np.ndarray, resting: np.ndarray, change: np.ndarray, divergence: np.ndarray
) -> pd.DataFrame:
    """The rows of `blocked` for one text; `weights` says whose they are: `trained`, or the number of a random twin."""
    values = {"mean": maps.mean(axis=(0, 1)), "rollout": rollout(maps)[-1], "change": change}
    values["resting"] = np.broadcast_to(resting, change.shape)
    rows = _rows(text, ("source", "target"), **values, divergence=divergence)
    return rows.assign(weights=weights).dropna(subset="divergence")


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a classifier or else a language model, so that its attention weights can be read."""
    names = architecture_of(folder).architectures or []
    if any(name.endswith("ForSequenceClassification") for name in names):
        return load_classifier(folder, attention="eager")
    return load_language_model(folder, blocked=True)


def readable_sentences(
    sentences: Sequence[str], model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> list[tuple[str, list[int]]]:
    """Each sentence with its token ids; UserError for one of a lone token.

    One that is longer than the model's context or LONGEST is cut, and its text then ends in an ellipsis.
    """
    limit = min(context_of(model), LONGEST)
    found = []
    for number, sentence in enumerate(sentences):
        encoded = tokenizer(sentence, truncation=True, max_length=limit, return_offsets_mapping=True)
        if len(encoded["input_ids"]) < 2:
            raise UserError(
                f"config attention.sentences[{number}]: {sentence[:40]!r} is a single token; make it longer"
            )
        end = max(end for _, end in encoded["offset_mapping"])  # a token added at the end has no place in the text
        text = f"{sentence[:end]} \N{HORIZONTAL ELLIPSIS}" if sentence[end:].strip() else sentence
        found.append((text, encoded["input_ids"]))
    return found


def check_heads(chosen: Sequence[Sequence[int]], model: PreTrainedModel) -> None:
    """UserError for a block or head that the model does not have."""
    for place, (block, head) in enumerate(chosen):
        if block >= len(blocks_of(model)) or head >= heads_of(model):
            raise UserError(
                f"config attention.heads[{place}]: no head {head} in a block {block}; this model has blocks 0 to "
                f"{len(blocks_of(model)) - 1} and heads 0 to {heads_of(model) - 1}"
            )


def chosen_texts(
    path: Path, tokenizer: PreTrainedTokenizerBase, count: int, seed: int, longest: int = TOKENS[1]
) -> list[list[int]]:
    """Token ids of `count` distinct texts of 6 to `longest` tokens, drawn at random.

    Where there are not so many, longer texts are cut, and fewer are taken; none if there are not two.
    """
    texts = pd.read_parquet(path, columns=["text"])["text"].drop_duplicates()
    drawn = texts.sample(frac=1, random_state=seed)
    found: list[list[int]] = []
    too_long: list[str] = []
    for start in range(0, len(drawn), count):
        some = drawn.iloc[start : start + count].tolist()
        encoded = tokenizer(some, verbose=False)["input_ids"]
        found += [ids for ids in encoded if TOKENS[0] <= len(ids) <= longest]
        too_long += [text for text, ids in zip(some, encoded, strict=True) if len(ids) > longest]
        if len(found) >= count:
            return found[:count]
    if missing := too_long[: count - len(found)]:
        found += tokenizer(missing, truncation=True, max_length=longest)["input_ids"]
    return found if len(found) > 1 else []


def _averages(maps: np.ndarray, effects: np.ndarray, seen: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    mean = maps.mean(axis=1, dtype=np.float64)
    return pd.concat([
        _long(mean, seen, ("block",), labels).assign(view="mean"),
        _long(mean.mean(axis=0, keepdims=True), seen, ("block",), labels).assign(view="overall", block=-1),
        _long(effects[None], seen, ("block",), labels).assign(view="effect", block=-1),
        _long(rollout(maps), seen, ("block",), labels).assign(view="rollout"),
    ])  # fmt: skip


def _long(maps: np.ndarray, seen: np.ndarray, names: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Maps (..., source, target) as rows, one for each target that its source has `seen`, (source, target); `names`
    name the leading axes."""
    source, target = np.nonzero(seen)
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
