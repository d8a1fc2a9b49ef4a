"""Attention weights of a text, their rollout, and where heads look.

The *source* is the token that looks and the *target* the token that it looks at: itself or an earlier one. A weight is
the share of a head's attention that goes from source to target; the weights of a source sum to 1.
"""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase


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
