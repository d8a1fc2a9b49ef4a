"""What is known of each family of models."""

import torch

from emoscope.models.families import family_of, pooled_token


def test_the_pooled_token_is_the_one_before_the_padding(classifier):
    padded = torch.tensor([[5, 6, 7, 0, 0]])
    assert pooled_token(classifier, padded) == (0 if family_of(classifier).pools_first else 2)
