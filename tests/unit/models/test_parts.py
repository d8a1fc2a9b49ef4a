"""What is known of each family of models."""

import pytest
import torch

from emoscope.errors import UserError
from emoscope.models.parts import family_of, pooled_token


def test_the_pooled_token_is_the_one_before_the_padding(classifier):
    padded = torch.tensor([[5, 6, 7, 0, 0]])
    assert pooled_token(classifier, padded) == (0 if family_of(classifier).pools_first else 2)


def test_an_unknown_family_is_named(classifier):
    class Other:
        config = type("Config", (), {"model_type": "mamba"})

    with pytest.raises(UserError, match=r"mamba.*gpt2"):
        family_of(Other())
