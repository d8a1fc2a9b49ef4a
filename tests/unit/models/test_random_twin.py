"""A random twin has the architecture and none of the weights."""

import copy

import torch

from emoscope.models.loading import random_twin
from random_models import random_gpt2_lm, random_llama_lm


def test_a_twin_is_new_and_the_same_for_the_same_seed():
    for make in (random_gpt2_lm, random_llama_lm):
        model = make(50)
        before = copy.deepcopy(model.state_dict())
        state = torch.get_rng_state()
        one, same, other = random_twin(model, 1), random_twin(model, 1), random_twin(model, 2)
        assert torch.equal(state, torch.get_rng_state()), "a twin takes nothing from the draws of others"
        tokens = torch.arange(12)[None]
        assert torch.equal(one(tokens).logits, same(tokens).logits)
        assert (one(tokens).logits - model(tokens).logits).abs().max() > 1e-3
        assert (one(tokens).logits - other(tokens).logits).abs().max() > 1e-3
        assert type(one) is type(model) and one.config.num_hidden_layers == 3
        assert one(tokens, output_attentions=True).attentions, "its attention can be read like the model's"
        assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_a_twin_may_be_cut():
    assert random_twin(random_llama_lm(50), 1, blocks=2).config.num_hidden_layers == 2
    assert random_twin(random_gpt2_lm(50), 1, blocks=9).config.num_hidden_layers == 3


def test_a_classifiers_twin_has_its_classes(classifier):
    twin = random_twin(classifier, 0)
    assert type(twin) is type(classifier) and twin.config.num_labels == 3
