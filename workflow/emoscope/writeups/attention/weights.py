"""Where heads look, and how tokens read.

The *source* is the token that looks and the *target* the token that it looks at: itself or an earlier one, in BERT any
one. A weight is the share of a head's attention that goes from source to target; the weights of a source sum to 1.
"""

from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase


def readable(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[str]:
    """Tokens as text: a space is a middle dot, what cannot be printed is escaped, a part of a character stays as the
    vocabulary writes it."""
    labels = []
    for token, text in zip(tokenizer.convert_ids_to_tokens(ids), map(tokenizer.decode, ids), strict=True):
        shown = token if not text or "\N{REPLACEMENT CHARACTER}" in text else text.replace(" ", "\N{MIDDLE DOT}")
        labels.append("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown))
    return labels


def resting_places(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> np.ndarray:
    """Attention sinks: a text's first token and those that the tokenizer adds, such as [CLS] and [SEP]; bool (tokens,).

    Heads rest on them whatever the text says: Clark et al. (2019), "What Does BERT Look At?", section 3.2.
    """
    added = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id)
    return np.isin(ids, [token for token in added if token is not None]) | (np.arange(len(ids)) == 0)


def where_heads_look(maps: np.ndarray, looks_ahead: bool = False) -> dict[str, np.ndarray]:
    """Mean weights (blocks, heads) on the first token, the source itself and the previous token, and on the next and
    the last one where heads look ahead; over the sources for which these are different tokens."""
    last = maps.shape[-1] - 1
    sources = np.arange(2, last - 1 if looks_ahead else last + 1)
    targets = {"first": 0, "itself": sources, "previous": sources - 1}
    if looks_ahead:
        targets |= {"next": sources + 1, "last": last}
    return {name: maps[..., sources, target].mean(axis=-1) for name, target in targets.items()}
