"""A random twin has a model's shape and none of its weights."""

import torch

from emoscope.models.language_models import random_twin
from random_models import random_gpt2_lm


def test_a_twin_has_the_shape_of_the_model_and_other_weights():
    model = random_gpt2_lm(60)
    twin, again, other = (random_twin(model, seed) for seed in (3, 3, 4))
    ours, weights = dict(model.named_parameters()), dict(twin.named_parameters())
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in weights.items()}
    drawn = [name for name, value in weights.items() if value.unique().numel() > 2]
    assert len(drawn) > 10 and not any(torch.allclose(ours[name], weights[name]) for name in drawn)
    assert all(torch.equal(value, dict(again.named_parameters())[name]) for name, value in weights.items())
    assert not torch.equal(weights[drawn[0]], dict(other.named_parameters())[drawn[0]])
    assert not twin.training and not any(value.requires_grad for value in weights.values())
