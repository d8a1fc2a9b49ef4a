"""What each token of a text may look at, and running a model with some of that hidden."""

from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.models.parts import blocks_of, family_of

MOST_TOKENS = 32  # of a text whose attention is blocked
MOST_QUERIES = 512  # blocked (source, target) pairs in one forward pass; bounds memory


def visible_tokens(model: PreTrainedModel, length: int) -> np.ndarray:
    """Attention mask, bool (tokens, tokens): what each token (row) may look at: itself and earlier ones, or all."""
    return np.tri(length, dtype=bool) | family_of(model).looks_ahead


def answers_seeing(model: PreTrainedModel, tokens: Tensor, allowed: np.ndarray) -> Tensor:
    """A classifier's logits (rows, classes) if the tokens of one text (1, tokens) look at nothing but what is allowed,
    bool (rows, source, target)."""
    mask, family = torch.from_numpy(allowed).to(model.device)[:, None], family_of(model)
    tokens = tokens.expand(len(allowed), -1)
    if family.masks_blocks:
        with ExitStack() as stack:
            for block in blocks_of(model):
                handle = block.register_forward_pre_hook(lambda _, given: (given[0], mask, *given[2:]))
                stack.callback(handle.remove)
            return model(tokens).logits
    options = {}
    if family.positions_by_mask:  # it would count them from this one
        options["position_ids"] = torch.arange(tokens.shape[1], device=tokens.device)[None]
    return model(tokens, attention_mask=additive(mask), **options).logits


def additive(allowed: Tensor) -> Tensor:
    """The mask as the models add it to attention scores: 0 where allowed, else the lowest float."""
    return torch.zeros(allowed.shape, device=allowed.device).masked_fill(~allowed, torch.finfo(torch.float32).min)
