"""A model's random twin: what an architecture gives before it has learnt anything."""

from copy import deepcopy

import torch
from transformers import PreTrainedModel

from emoscope.models.loading import device
from emoscope.models.onednn import use_onednn


def random_twin(model: PreTrainedModel, seed: int, blocks: int | None = None) -> PreTrainedModel:
    """The same architecture with weights drawn afresh, in float32 and frozen; if given, only its first `blocks`."""
    config = deepcopy(model.config)
    config.num_hidden_layers = min(blocks or config.num_hidden_layers, config.num_hidden_layers)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        twin = type(model)._from_config(config, attn_implementation=config._attn_implementation, dtype=torch.float32)
    return use_onednn(twin.to(device()).eval().requires_grad_(False))
