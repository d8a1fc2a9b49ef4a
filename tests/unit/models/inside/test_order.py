"""Which half of a block reads what: measured on the model, whatever its configuration calls it."""

import pytest
import torch

from benchmarks.families import CONFIGS, random_model
from emoscope.models.inside.order import reads_beside_attention
from emoscope.models.inside.structure import prepared
from emoscope.models.parts import blocks_of

SIDE_BY_SIDE = {"gpt_neox", "phi, described in the configuration"}


@pytest.mark.parametrize("name", CONFIGS)
def test_of_every_family_it_is_known_what_its_feed_forward_reads(name):
    assert reads_beside_attention(prepared(random_model(name, 64))) == (name in SIDE_BY_SIDE)


@pytest.mark.parametrize(("name", "beside"), [("gpt_neox", False), ("stablelm, described in the configuration", True)])
def test_a_model_of_one_type_may_be_built_either_way(name, beside):
    model = random_model(name, 64)
    for block in blocks_of(model):
        block.use_parallel_residual = beside  # the modules' own, as another model's code may name it otherwise
        if beside:
            block.post_attention_layernorm = None
    assert reads_beside_attention(prepared(model)) == beside


def test_idle_blocks_say_nothing_of_the_others():
    """Feed-forwards that get nothing of what they would read."""
    model = prepared(random_model("bert", 64))
    with torch.no_grad():
        for block in blocks_of(model)[:2]:
            for weight in (*block.intermediate.parameters(), *block.output.dense.parameters()):
                weight.zero_()
    assert not reads_beside_attention(model)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_a_stream_of_any_size_is_heard(scale):
    model = prepared(random_model("gpt2", 64))
    with torch.no_grad():
        model.transformer.wte.weight.mul_(scale)
        model.transformer.wpe.weight.mul_(scale)
    assert not reads_beside_attention(model)


def test_attention_that_adds_nothing_is_read_all_the_same():
    model = prepared(random_model("gpt2", 64))
    with torch.no_grad():
        for block in model.transformer.h:
            for weight in block.attn.parameters():
                weight.zero_()
    assert not reads_beside_attention(model)


def test_it_is_measured_once_and_no_hook_is_left():
    model, calls = prepared(random_model("gpt2", 64)), []
    model.register_forward_pre_hook(lambda *_: calls.append(1))
    assert not reads_beside_attention(model) and not reads_beside_attention(model)
    assert len(calls) == 2, "as it is, and with other attention in the first block"
    modules = [module for block in blocks_of(model) for module in block.modules()]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in modules)
