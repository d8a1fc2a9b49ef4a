"""Small random models of two families that know tokens and no words."""

from functools import partial

import pytest
import torch

from emoscope.writeups.induction.copier import train_copier
from random_models import random_gpt2_lm, random_llama_lm

VOCABULARY = 60
COPIER = {"blocks": 3, "heads": 4, "width": 32, "vocabulary": 24, "context": 25, "batch_size": 32, "seed": 0}


@pytest.fixture(scope="session")
def copier_settings():
    return COPIER


@pytest.fixture(scope="session")
def copier(made_once):
    """The folder of a small model that copies."""
    return made_once("copier", partial(train_copier, {**COPIER, "steps": 400, "learning_rate": 0.01}))


@pytest.fixture(scope="module", params=[random_gpt2_lm, random_llama_lm], ids=["gpt2", "llama"])
def model(request):
    torch.manual_seed(0)
    return request.param(VOCABULARY).requires_grad_(False)
