"""Attention weights of a text, and their rollout; the model must have been loaded with eager attention."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel


def maps_of(model: PreTrainedModel, ids: Sequence[int]) -> np.ndarray:
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
