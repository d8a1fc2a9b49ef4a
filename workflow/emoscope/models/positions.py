"""Kinds of token positions, which differ so much inside a model that what is typical of one is not so of another.

The first token draws attention that has nothing better to do (Xiao et al., "Efficient Streaming Language Models with
Attention Sinks", 2023), and the pooled token, which the classification head reads, gathers what the text amounts to.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.models.parts import pooled_tokens

FIRST, POOLED, OTHER = range(3)
KINDS = 3
PADDING = -1


def kinds_of(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
    """The kind of every position of a batch, int (rows, tokens); a first token that is pooled, as [CLS], is POOLED."""
    kinds = torch.full_like(inputs["input_ids"], OTHER)
    kinds[:, 0] = FIRST
    kinds[inputs["attention_mask"] == 0] = PADDING
    kinds[torch.arange(len(kinds), device=kinds.device), pooled_tokens(model, inputs["input_ids"])] = POOLED
    return kinds


def counterparts(kinds: Tensor, of: Tensor) -> Tensor:
    """For every position in one text of each row the place in another text that corresponds to it, int (rows, tokens).

    `kinds` (rows, tokens) are the positions to be matched, `of` (rows, other tokens) those of the other texts. A match
    is of the same kind, and at the same place where the other text has its like there; otherwise its places of that
    kind are gone through in turn. What the other text lacks altogether is matched with its pooled token.
    """
    found = (of == POOLED).int().argmax(dim=1, keepdim=True).expand_as(kinds).clone()
    places = torch.arange(kinds.shape[1], device=kinds.device)
    for kind, start in ((FIRST, 0), (OTHER, 1)):
        of_kind = of == kind
        count = of_kind.sum(dim=1, keepdim=True)
        order = (~of_kind).int().argsort(dim=1, stable=True)  # places of this kind first
        turn = order.gather(1, (places - start).expand_as(kinds) % count.clamp(min=1))
        found = torch.where((kinds == kind) & (count > 0), turn, found)
    return found
