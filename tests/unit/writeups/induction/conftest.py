"""Small random models of two families that know tokens and no words."""

import pytest
import torch

from random_models import random_gpt2_lm, random_llama_lm

VOCABULARY = 60


@pytest.fixture(scope="module", params=[random_gpt2_lm, random_llama_lm], ids=["gpt2", "llama"])
def model(request):
    torch.manual_seed(0)
    return request.param(VOCABULARY).requires_grad_(False)
