"""Small random language models of two families."""

import pytest
import torch

from random_models import random_gpt2_lm, random_llama_lm, with_large_weights


@pytest.fixture(scope="module", params=[random_gpt2_lm, random_llama_lm], ids=["gpt2", "llama"])
def model(request, tokenizer):
    """A random language model with 3 blocks of 4 heads."""
    torch.manual_seed(0)
    return with_large_weights(request.param(len(tokenizer))).requires_grad_(False)
