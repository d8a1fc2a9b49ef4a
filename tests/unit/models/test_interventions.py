"""Every intervention is checked against another route to the same result."""

import copy
from itertools import pairwise

import pytest
import torch

from emoscope.models.batches import padded_batches
from emoscope.models.interventions import (
    changing_output,
    computed_at,
    fixed_head,
    fixed_output,
    recording,
    resumed_at,
    silenced_bias,
)
from emoscope.models.parts import (
    blocks_of,
    family_of,
    feed_forward_of,
    head_slice,
    head_weights,
    heads_of,
    pooled_tokens,
    projection_of,
    write_directions,
)
from random_models import TEXTS


@pytest.fixture
def inputs(tokenizer):
    return next(padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu")))[1]


def logits(model, inputs):
    with torch.inference_mode():
        return model(**inputs).logits


def silenced(module):
    return fixed_output(module, torch.zeros(()))


def without(model, block, rows=slice(None), weight=True, bias=True):
    """A copy of the model with columns of the projection's input, or its bias, set to zero in the weights."""
    edited = copy.deepcopy(model)
    projection = projection_of(edited, block)
    with torch.no_grad():
        if weight:
            (projection.weight if family_of(model).stores_in_out else projection.weight.T)[rows] = 0
        if bias and projection.bias is not None:
            projection.bias[:] = 0
    return edited


@pytest.mark.parametrize("block", [0, 2])
def test_attention_fixed_at_zero_equals_zeroed_weight_and_bias(classifier, inputs, block):
    with silenced(projection_of(classifier, block)):
        found = logits(classifier, inputs)
    torch.testing.assert_close(found, logits(without(classifier, block), inputs), atol=1e-5, rtol=0)
    assert (found - logits(classifier, inputs)).abs().max() > 1e-3


def test_silenced_bias_equals_zeroed_bias(classifier, inputs):
    if projection_of(classifier, 1).bias is None:
        pytest.skip("this family's projection has no bias")
    with silenced_bias(classifier, 1):
        found = logits(classifier, inputs)
    torch.testing.assert_close(found, logits(without(classifier, 1, weight=False), inputs), atol=1e-5, rtol=0)
    assert (found - logits(classifier, inputs)).abs().max() > 1e-4


@pytest.mark.parametrize("head", range(4))
def test_zeroed_head_equals_zeroed_weight_rows(classifier, inputs, head):
    with fixed_head(classifier, 1, head, 0.0):
        found = logits(classifier, inputs)
    expected = logits(without(classifier, 1, rows=head_slice(classifier, head), bias=False), inputs)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert (found - logits(classifier, inputs)).abs().max() > 1e-4


def test_heads_cover_the_projection(classifier):
    ends = [head_slice(classifier, head) for head in range(heads_of(classifier))]
    assert ends[0].start == 0
    assert all(first.stop == second.start for first, second in pairwise(ends))
    with recording(projection_of(classifier, 0)) as seen:
        classifier(torch.ones(1, 3, dtype=torch.long))
    assert ends[-1].stop == seen["input"].shape[-1]


def test_heads_through_their_weights_are_what_the_projection_puts_out(classifier, inputs):
    projection, weights = projection_of(classifier, 1), head_weights(classifier, 1)
    with recording(projection) as seen, torch.inference_mode():
        classifier(**inputs)
        heads = seen["input"].unflatten(-1, (heads_of(classifier), -1))
        written = torch.einsum("rthi,hio->rto", heads, weights)
        written = written if projection.bias is None else written + projection.bias
    torch.testing.assert_close(written, seen["output"], atol=1e-5, rtol=1e-4)


def test_a_block_fixed_at_its_own_output_changes_nothing(classifier, tokenizer):
    [(_, inputs)] = padded_batches(tokenizer, ["i"], 100, torch.device("cpu"))
    inputs = {key: value[:, :1] for key, value in inputs.items()}  # one token: its output is the mean output
    with recording(projection_of(classifier, 1)) as seen:
        before = logits(classifier, inputs)
    with fixed_output(projection_of(classifier, 1), seen["output"][0, 0]):
        torch.testing.assert_close(logits(classifier, inputs), before, atol=1e-5, rtol=0)


@pytest.mark.parametrize("block", [0, 2])
def test_an_mlp_fixed_at_zero_equals_zeroed_write_directions(classifier, inputs, block):
    edited = copy.deepcopy(classifier)
    with torch.no_grad():
        write_directions(edited, block)[:] = 0
        for name, bias in feed_forward_of(edited, block).named_parameters():
            if name in ("bias", "c_proj.bias"):
                bias[:] = 0
    with silenced(feed_forward_of(classifier, block)):
        found = logits(classifier, inputs)
    torch.testing.assert_close(found, logits(edited, inputs), atol=1e-5, rtol=0)
    assert (found - logits(classifier, inputs)).abs().max() > 1e-3


def test_every_token_can_be_given_an_output_of_its_own(classifier, inputs):
    with recording(projection_of(classifier, 1)) as seen:
        before = logits(classifier, inputs)
    with fixed_output(projection_of(classifier, 1), seen["output"]):
        assert torch.equal(logits(classifier, inputs), before)
    with fixed_output(projection_of(classifier, 1), seen["output"].flip(0)):  # each text gets another's
        assert (logits(classifier, inputs) - before).abs().max() > 1e-3


def test_the_last_blocks_mlp_is_needed_at_the_pooled_token_alone(classifier, inputs):
    before = logits(classifier, inputs)
    module, places = feed_forward_of(classifier, 2), pooled_tokens(classifier, inputs["input_ids"])
    with computed_at(module, places), recording(module) as seen:
        torch.testing.assert_close(logits(classifier, inputs), before, atol=1e-5, rtol=0)
    written = seen["output"].abs().sum(dim=-1) > 0
    assert written.sum() == len(places) and written[range(len(places)), places].all()
    with computed_at(module, (places + 1) % inputs["input_ids"].shape[1]):
        assert (logits(classifier, inputs) - before).abs().max() > 1e-3
    with computed_at(feed_forward_of(classifier, 0), places):
        assert (logits(classifier, inputs) - before).abs().max() > 1e-3
    assert torch.equal(logits(classifier, inputs), before), "the model was not put back as it was"


@pytest.mark.parametrize("block", [0, 1, 2])
def test_resuming_at_a_block_is_bit_identical(classifier, inputs, block):
    with recording(blocks_of(classifier)[block]) as seen, torch.inference_mode():
        whole = classifier(**inputs).logits
    with resumed_at(classifier, block, seen["input"]):
        resumed = logits(classifier, inputs)
    assert torch.equal(resumed, whole)
    assert torch.equal(logits(classifier, inputs), whole), "the model was not put back as it was"


def test_an_intervention_that_never_fires_is_an_error(classifier, inputs):
    with pytest.raises(RuntimeError, match="never fired"), changing_output(torch.nn.Linear(2, 2), torch.zeros_like):
        logits(classifier, inputs)


def test_hooks_are_removed_after_an_error(classifier, inputs):
    before = logits(classifier, inputs)
    with pytest.raises(ValueError, match="mine"), silenced(projection_of(classifier, 0)):
        logits(classifier, inputs)
        raise ValueError("mine")
    assert torch.equal(logits(classifier, inputs), before)
