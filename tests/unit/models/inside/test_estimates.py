"""Estimates of patching: exact on linear models, right for small changes of any."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from emoscope.models.activations import activations_of
from emoscope.models.inside.estimates import estimated_effects
from emoscope.models.parts import blocks_of, heads_of
from emoscope.perturbation.inside.patching import Patch, Transfer, patched_logits
from random_models import FAMILIES

MARGIN = (2, 0)
TEXTS = ([5, 9, 12, 30, 7], [5, 11, 12, 30, 8])


def runs_of(model):
    inputs = [{"input_ids": torch.tensor([ids])} for ids in TEXTS]
    return inputs, *(activations_of(model, one) for one in inputs)


def exact_effects(model, inputs, recipient, donor):
    """By patching each part in a run of its own."""
    places = list(range(len(TEXTS[0])))
    transfer = Transfer(inputs, recipient, donor, [(places, places)])
    blocks, heads = range(len(blocks_of(model))), range(heads_of(model))
    patches = {
        "head": [Patch("head", block, head=head) for block in blocks for head in heads],
        **{site: [Patch(site, block) for block in blocks] for site in ("attention", "feed_forward")},
    }
    margin = recipient.logits[MARGIN[0]] - recipient.logits[MARGIN[1]]
    found = {}
    for site, wanted in patches.items():
        logits = patched_logits(model, [(transfer, patch) for patch in wanted], 512)
        effects = logits[:, MARGIN[0]] - logits[:, MARGIN[1]] - float(margin)
        found[site] = effects.reshape(len(blocks), -1) if site == "head" else effects
    return found


def linear_gpt2():
    """A GPT-2 that is linear: without norms and activations, every token looking at all before it alike."""
    torch.manual_seed(0)
    model = FAMILIES["gpt2"](64)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2)
        for block in model.transformer.h:
            block.attn.c_attn.weight[:, :48], block.attn.c_attn.bias[:48] = 0, 0
            block.ln_1, block.ln_2, block.mlp.act = nn.Identity(), nn.Identity(), nn.Identity()
    model.transformer.ln_f = nn.Identity()
    return model.eval()


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_estimates_of_a_linear_model_are_exact(steps):
    model = linear_gpt2()
    inputs, recipient, donor = runs_of(model)
    expected = exact_effects(model, inputs[0], recipient, donor)
    found = estimated_effects(model, inputs[0], recipient, donor, MARGIN, steps)
    assert np.abs(expected["head"]).min() > 1e-3
    for site, effects in expected.items():
        np.testing.assert_allclose(found[site], effects, atol=1e-5 * np.abs(effects).max() + 1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_estimates_of_small_changes_are_right(family):
    torch.manual_seed(1)
    model = FAMILIES[family](64).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    inputs, recipient, donor = runs_of(model)
    near = replace(
        donor,
        **{
            site: getattr(recipient, site) + 1e-4 * (getattr(donor, site) - getattr(recipient, site))
            for site in ("residual", "heads", "attention", "feed_forward")
        },
    )
    expected = exact_effects(model, inputs[0], recipient, near)
    found = estimated_effects(model, inputs[0], recipient, near, MARGIN)
    for site, effects in expected.items():  # patching returns float32
        np.testing.assert_allclose(found[site], effects, atol=2e-2 * np.abs(effects).max())


def test_steps_see_past_a_saturated_part():
    """relu(x) - relu(x - 1) is flat at 2 and at 0's other side: only gradients on the way see the step between."""
    model = linear_gpt2()
    last = model.transformer.h[-1].mlp

    class Step(nn.Module):
        def forward(self, values):
            return torch.relu(values) - torch.relu(values - 1)

    last.act = Step()
    inputs, recipient, donor = runs_of(model)
    exact = exact_effects(model, inputs[0], recipient, donor)["attention"]
    with_steps, without = (
        estimated_effects(model, inputs[0], recipient, donor, MARGIN, steps)["attention"] for steps in (50, 0)
    )
    assert np.abs(with_steps - exact).sum() < np.abs(without - exact).sum()


def test_texts_of_different_length_are_refused():
    model = linear_gpt2()
    inputs, recipient, donor = runs_of(model)
    shorter = replace(donor, residual=donor.residual[:, :-1])
    with pytest.raises(ValueError, match="one length"):
        estimated_effects(model, inputs[0], recipient, shorter, MARGIN)
