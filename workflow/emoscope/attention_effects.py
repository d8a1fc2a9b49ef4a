"""Whether attention says what matters: its weights beside what happens when attention is blocked.

Source and target mean what they mean in attention.py: the token that looks, and what it looks at.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata
from torch import Tensor
from tqdm import tqdm
from transformers import Cache, PreTrainedModel, PreTrainedTokenizerBase

from emoscope.architectures import blocks_of, head_slice, heads_of, projection_of
from emoscope.attention import attention_of, rollout
from emoscope.errors import UserError
from emoscope.files import write_table
from emoscope.interventions import Change, changing_input
from emoscope.language_models import load_language_model

FEWEST_TARGETS = 4  # a rank correlation over fewer says nothing
TOKENS = (6, 32)  # shortest and longest text that is taken
HEAD = ("block", "head")
QUERIES = 512  # blocked (source, target) pairs in one forward pass; bounds memory, changes nothing else


@dataclass(frozen=True)
class Prefix:
    """A text as the model saw it whole: token ids (tokens,), what they left in the cache, and the predictions,
    log-probabilities (tokens, vocabulary)."""

    tokens: Tensor
    cache: Cache
    predictions: Tensor

    @classmethod
    def of(cls, model: PreTrainedModel, ids: Sequence[int]) -> "Prefix":
        tokens = torch.tensor(list(ids), device=model.device)
        with torch.inference_mode():
            output = model(tokens[None], use_cache=True)
            return cls(tokens, output.past_key_values, output.logits[0].log_softmax(dim=-1))


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
        tables["looks"].append(_rows(text, HEAD, **where_heads_look(maps, ids), agreement=agreement))
        source = len(ids) - 2
        change, divergence = silenced_predictions(language_model, prefix, source)
        values = {"first": maps[:, :, source, 0], "sharpest": maps[:, :, source].max(axis=-1), "change": change}
        tables["silenced"].append(_rows(text, HEAD, **values, divergence=divergence))
    for name, path in {"blocked": blocked, "looks": looks, "silenced": silenced}.items():
        write_table(pd.concat(tables[name], ignore_index=True), path)


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


def blocked_predictions(model: PreTrainedModel, text: Prefix) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of each source's prediction when it cannot look at one target, in any head of any block.

    Returns (change, divergence), each (source, target); NaN where there is nothing to block (the first token has only
    itself to look at) and, for `change`, no next token. The target's score is taken out before the softmax: its weight
    is zero, and the source's other weights are renormalised. Only the source's own row is blocked; all other tokens
    stay as they were, and so do the keys and values that they offer. A blocked source is therefore one more query
    beside the cached text, exactly, and all pairs of a text go through the model together.
    """
    length = len(text.tokens)
    change, divergence = (np.full((length, length), np.nan) for _ in range(2))
    pairs = np.stack(np.tril_indices(length))[:, 1:]  # without the first token
    places = np.arange(length)
    for start in range(0, pairs.shape[1], QUERIES):
        source, target = pairs[:, start : start + QUERIES]
        allowed = (places <= source[:, None]) & (places != target[:, None])
        change[source, target], divergence[source, target] = _effects(model, text, source, allowed)
    return change, divergence


def silenced_predictions(model: PreTrainedModel, text: Prefix, source: int) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of one source's prediction when one head adds nothing at this token, for every head in turn.

    Returns (change, divergence), each (blocks, heads). As in `blocked_predictions` all other tokens stay as they were,
    so the heads go through the model together, one query for each.
    """
    blocks, heads = len(blocks_of(model)), heads_of(model)
    with ExitStack() as stack:
        for block in range(blocks):
            stack.enter_context(changing_input(projection_of(model, block), _without_own_head(model, block)))
        sources = np.full(blocks * heads, source)
        allowed = np.tile(np.arange(len(text.tokens)) <= source, (len(sources), 1))
        change, divergence = _effects(model, text, sources, allowed)
    return change.reshape(blocks, heads), divergence.reshape(blocks, heads)


def rank_agreement(maps: np.ndarray, effects: np.ndarray, start: int = 0) -> np.ndarray:
    """Spearman's rank correlation, over targets, of weights with effects: (..., source, target) -> (..., source).

    Targets before `start` are left out; NaN for sources with fewer than FEWEST_TARGETS targets.
    """
    found = np.full(maps.shape[:-1], np.nan)
    for source in range(start + FEWEST_TARGETS - 1, maps.shape[-1]):
        ranks = rankdata(maps[..., source, start : source + 1], axis=-1)
        wanted = rankdata(effects[source, start : source + 1])
        ranks, wanted = ranks - ranks.mean(axis=-1, keepdims=True), wanted - wanted.mean()
        spread = np.sqrt((ranks**2).sum(axis=-1) * (wanted**2).sum())
        found[..., source] = np.divide(ranks @ wanted, spread, out=np.zeros(spread.shape), where=spread > 0)
    return found


def where_heads_look(maps: np.ndarray, ids: Sequence[int]) -> dict[str, np.ndarray]:
    """Mean weights (blocks, heads) on the first token, the source itself, the previous token, and on the tokens that
    follow earlier occurrences of the source (together; NaN if no token occurs twice). Sources 0 and 1 do not count,
    for which the first token is the source or the previous one."""
    tokens, sources = np.asarray(ids), np.arange(2, len(ids))
    follows = np.zeros((len(ids), len(ids)), dtype=bool)
    follows[:, 1:] = np.tril(tokens[:, None] == tokens[None, :], k=-1)[:, :-1]
    follows[:2] = False
    repeats = follows.any(axis=1)
    repeated = (maps * follows)[..., repeats, :].sum(axis=-1)
    return {
        "first": maps[..., sources, 0].mean(axis=-1),
        "itself": maps[..., sources, sources].mean(axis=-1),
        "previous": maps[..., sources, sources - 1].mean(axis=-1),
        "repeated": repeated.mean(axis=-1) if repeats.any() else np.full(maps.shape[:2], np.nan),
    }


def _without_own_head(model: PreTrainedModel, block: int) -> Change:
    """Take from the queries of this block, one for each head, the output of their head; (1, queries, all heads)."""

    def change(outputs: Tensor) -> Tensor:
        outputs = outputs.clone()
        for head in range(heads_of(model)):
            outputs[:, block * heads_of(model) + head, head_slice(model, head)] = 0
        return outputs

    return change


def _effects(
    model: PreTrainedModel, text: Prefix, source: np.ndarray, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(change, divergence), each (queries,), of sources that look only at what is `allowed`, (queries, tokens)."""
    places = np.arange(len(text.tokens))
    own = np.diag(allowed[np.arange(len(source)), source])  # a query's own key is not the cached one
    seen = torch.from_numpy(np.concatenate([allowed & (places < source[:, None]), own], axis=1)).to(model.device)
    mask = torch.zeros(seen.shape, device=model.device).masked_fill(~seen, torch.finfo(torch.float32).min)
    rows = torch.from_numpy(source).to(model.device)
    with torch.inference_mode():
        after = model(
            text.tokens[rows][None],
            position_ids=rows[None],
            attention_mask=mask[None, None],
            past_key_values=deepcopy(text.cache),  # the model adds the queries to the cache that it is given
        ).logits[0].log_softmax(dim=-1)  # fmt: skip
        before = text.predictions[rows]
        divergence = (before.exp() * (before - after)).sum(dim=-1).clamp(min=0)  # rounding leaves -1e-8
        following = text.tokens.roll(-1)[rows][:, None]
        change = (after.gather(1, following) - before.gather(1, following))[:, 0]
        change = change.masked_fill(rows == len(places) - 1, torch.nan)
    return change.cpu().numpy(), divergence.cpu().numpy()


def _rows(text: int, names: Sequence[str], **values: np.ndarray) -> pd.DataFrame:
    """Arrays of two dimensions as columns of a table; `names` name the dimensions."""
    shape = next(iter(values.values())).shape
    index = dict(zip(names, np.indices(shape).reshape(2, -1), strict=True))
    return pd.DataFrame({"text": text, **index, **{name: array.ravel() for name, array in values.items()}})
