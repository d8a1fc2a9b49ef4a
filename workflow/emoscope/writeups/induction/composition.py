"""K-composition: whether an induction head's keys find, through a previous-token head, the token that came before.

For a previous-token head p and a later induction head i, token t as query and token s as what stood before the key
score (x_t W_Q^i) . (x_s W_V^p W_O^p W_K^i); Elhage et al., "A Mathematical Framework for Transformer Circuits" (2021).
If the two work together, each token's own score is the highest: top-1 accuracy. Scores are taken in three ways:

`embedding`: x is the token's embedding, weights are processed as in TransformerLens: the published measure.
`rotated`: the same, with the query turned by the rotary angle of the distance at which the repetition lies.
`context`: x is what the residual stream of a token that follows BOS holds, normalised, where each head reads it. Later
blocks work on what earlier ones made of the embedding, which the embedding alone does not show.
"""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers import PreTrainedModel

from emoscope.errors import UserError
from emoscope.models.batches import higher
from emoscope.models.language_models import load_language_model
from emoscope.models.loading import check_blocks
from emoscope.models.parts import (
    attention_norm_of,
    centres,
    epsilon_of,
    family_of,
    head_slice,
    head_weights,
    heads_of,
    output_norms_of,
    query_norms_of,
    reading_weights,
    rotated,
)
from emoscope.storage.files import write_table
from emoscope.writeups.induction.measure import all_heads, best_heads, trained_scores
from emoscope.writeups.induction.repeats import first_token

Head = tuple[int, int]  # block, head
QUERIES_PER_PRODUCT = 512  # 100 MB of scores at a vocabulary of 49,152
MAIN_TOKENS = 8192  # at least, of the main pair: an accuracy of 0.23, as is published, is then known to 0.01
CANDIDATES = 8  # heads of each kind among which the best pairs are sought


def compose_heads(model: Path, blocks: int, heads: Path, config: dict, output: Path) -> None:
    """Write `pair, kind, previous_block, previous_head, block, head, key_head, measure, candidates, hit, rank`.

    There is a row for each token of a sample; for the main pair and its embeddings, of a larger one. `kind` is `main`
    (the best induction head with the best previous-token head of an earlier block), `best` (other pairs of the best
    heads) or `random`; `rank` is the share of the `candidates` that score higher than the token's own; `key_head` is
    the same for heads that share their keys.
    """
    network, tokenizer = load_language_model(model)
    check_blocks(network, blocks)
    scores = trained_scores(heads)
    pairs = choose_pairs(scores, all_heads(network), config["best_pairs"], config["random_pairs"], config["seed"])
    vocabulary = network.config.vocab_size
    rng = np.random.default_rng(config["seed"])
    drawn = torch.from_numpy(rng.permutation(vocabulary)).to(network.device)
    count = config["composed_tokens"]
    sample, more = drawn[:count], drawn[: max(count, MAIN_TOKENS)]
    embedded = network.get_input_embeddings().weight
    residual = residuals_after(network, sample, first_token(tokenizer), 1 + max(later[0] for _, _, later in pairs))
    distance = int(scores["length"].iloc[0]) - 1
    rows = []
    for number, (kind, previous, later) in enumerate(tqdm(pairs, desc="K-composition", unit="pair", mininterval=2)):
        asked = more if kind == "main" else sample
        queries, keys = circuit(network, previous, later, embedded[asked], embedded)
        found = {"embedding": own_scores(queries, keys, asked)}
        if (turned := rotated(network, later[0], queries, distance)) is not None:
            found["rotated"] = own_scores(turned, keys, asked)
        read, written = (_normalised(network, residual[block], block) for block, _ in (later, previous))
        places = torch.arange(len(sample), device=sample.device)
        found["context"] = own_scores(*circuit(network, previous, later, read, written), places)
        names = ("previous_block", "previous_head", "block", "head")
        place = {"pair": number, "kind": kind, **dict(zip(names, (*previous, *later), strict=True))}
        place["key_head"] = later[1] // queries_per_key(network, later[0])
        for measure, (hit, rank) in found.items():
            candidates = len(sample) if measure == "context" else vocabulary
            values = {
                "measure": measure,
                "candidates": candidates,
                "hit": hit.cpu().numpy(),
                "rank": rank.cpu().numpy(),
            }
            rows.append(pd.DataFrame({**place, **values}))
    write_table(pd.concat(rows, ignore_index=True), output)


def choose_pairs(
    scores: pd.DataFrame, heads: list[Head], best: int, random: int, seed: int
) -> list[tuple[str, Head, Head]]:
    """(kind, previous-token head, induction head), the former in an earlier block; UserError if there is none.

    Best pairs have the highest product of the two heads' scores, the main one the best induction head. Random pairs
    hold no head of a best pair in its role.
    """
    means = scores.groupby(["block", "head"])[["induction", "previous"]].mean()
    induction = [head for head in best_heads(scores, "induction", len(heads)) if head[0] > 0]
    if not induction:
        raise UserError("K-composition needs two blocks, and the model has one; name a deeper model")
    earlier = [head for head in best_heads(scores, "previous", len(heads)) if head[0] < induction[0][0]]
    main = (earlier[0], induction[0])
    candidates = product(best_heads(scores, "previous", CANDIDATES), induction[:CANDIDATES])
    others = [pair for pair in candidates if pair[0][0] < pair[1][0] and pair != main]
    others.sort(key=lambda pair: -means.loc[pair[0], "previous"] * means.loc[pair[1], "induction"])
    chosen = [main, *others[: best - 1]]
    used = [{pair[side] for pair in chosen} for side in (0, 1)]
    free = [
        pair
        for pair in product(heads, heads)
        if pair[0][0] < pair[1][0] and pair[0] not in used[0] and pair[1] not in used[1]
    ]
    drawn = np.random.default_rng(seed).permutation(len(free))[:random]
    kinds = ["main", *["best"] * (len(chosen) - 1), *["random"] * len(drawn)]
    return [(kind, *pair) for kind, pair in zip(kinds, [*chosen, *(free[number] for number in drawn)], strict=True)]


def circuit(
    model: PreTrainedModel, previous: Head, later: Head, read: Tensor, written: Tensor
) -> tuple[Tensor, Tensor]:
    """Queries (tokens, head width) of `read` and keys (tokens, head width) of `written` through the previous head."""
    query, key, _, _ = processed_weights(model, *later)
    _, _, value, out = processed_weights(model, *previous)
    norms = query_norms_of(model, later[0]) or [nn.Identity(), nn.Identity()]
    return norms[0](read @ query), norms[1](written @ (value @ (out @ key)))  # few numbers first


def processed_weights(model: PreTrainedModel, block: int, head: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """W_Q, W_K, W_V (width, head width) and W_O (head width, width) of one head, processed as in TransformerLens.

    The normalisation's scale is folded into what reads from it; after a LayerNorm, which subtracts the mean, the
    reading weights are centred, and centring the embedding and W_O as well would change no product with them. RMSNorm
    subtracts nothing. Where what attention puts out passes a norm, its scale is folded into W_O. With grouped-query
    attention several heads share one key and value. Biases are left out.
    """
    where, norm = head_slice(model, head), attention_norm_of(model, block)
    width = where.stop - where.start

    def read(weight: Tensor) -> Tensor:
        start = head * weight.shape[1] // (heads_of(model) * width) * width  # heads may share keys and values
        folded = (norm.weight + family_of(model).norms_add_one)[:, None] * weight[:, start : start + width]
        return folded - folded.mean(dim=0) if centres(norm) else folded

    query, key, value = map(read, reading_weights(model, block))
    out = head_weights(model, block)[head]
    if norms := output_norms_of(model, block):  # whose scale is one number for each token
        out = out * (norms[0].weight + family_of(model).norms_add_one)
    return query, key, value, out


def queries_per_key(model: PreTrainedModel, block: int) -> int:
    """How many heads share one set of keys: 1, or more with grouped-query attention."""
    query, key, _ = reading_weights(model, block)
    return query.shape[1] // key.shape[1]


def own_scores(queries: Tensor, keys: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """For each token of `own`, by number: whether its key scores highest for its query, bool; the share of keys that
    score higher; both (own,). `queries` are (own, head width), `keys` of all tokens (tokens, head width)."""
    hit, rank = [], []
    for asking, chosen in zip(queries.split(QUERIES_PER_PRODUCT), own.split(QUERIES_PER_PRODUCT), strict=True):
        scores = asking @ keys.T
        hit.append(scores.argmax(dim=1) == chosen)
        rank.append(higher(scores, chosen) / scores.shape[1])
    return torch.cat(hit), torch.cat(rank)


@torch.inference_mode()
def residuals_after(model: PreTrainedModel, tokens: Tensor, first: int, blocks: int) -> Tensor:
    """What enters the first `blocks` blocks at each token when it follows `first` alone, (blocks, tokens, width)."""
    parts = []
    for batch in tokens.split(QUERIES_PER_PRODUCT):
        inputs = torch.stack([torch.full_like(batch, first), batch], dim=1)
        states = model.base_model(inputs, output_hidden_states=True, use_cache=False).hidden_states
        parts.append(torch.stack([state[:, 1] for state in states[:blocks]]))
    return torch.cat(parts, dim=1)


def _normalised(model: PreTrainedModel, residual: Tensor, block: int) -> Tensor:
    """The residual stream, normalised without scale and bias: the scale is folded into the weights."""
    norm, width = attention_norm_of(model, block), residual.shape[-1:]
    if centres(norm):
        return functional.layer_norm(residual, width, eps=epsilon_of(norm))
    return functional.rms_norm(residual, width, eps=epsilon_of(norm))
