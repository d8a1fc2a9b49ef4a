"""Interventions against three other tools; each test skips where its tool is missing.

The tools find the projection and the head by themselves and read the means themselves: they share nothing but the model
with the functions under test.
"""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from emoscope.models.activations import activations_of
from emoscope.models.batches import padded_batches
from emoscope.models.inside.edges import edge_effects, edges_of, sources_of, targets_of
from emoscope.models.inside.estimates import estimated_effects
from emoscope.models.interventions import fixed_head, fixed_output, recording, silenced_bias
from emoscope.models.parts import blocks_of, projection_of
from random_models import FAMILIES, TEXTS

BLOCK, HEAD = 1, 2
WHERE = slice(12, 18)  # the third of four heads, each 6 of the 24 dimensions
KINDS = ["block silenced", "bias silenced", "head zeroed", "head at its mean"]
NORMS = {"head": "ln1", "feed_forward": "ln2"}
PATHS = {
    "gpt2": f"transformer.h.{BLOCK}.attn.c_proj",
    "bert": f"bert.encoder.layer.{BLOCK}.attention.output.dense",
    "llama": f"model.layers.{BLOCK}.self_attn.o_proj",
}


def tool(name):
    return pytest.importorskip(name, reason=f"{name} is not installed: pip install '.[crosscheck]'")


@pytest.fixture
def model(classifier):
    """In double precision, so that what differs by more than 1e-5 is not rounding."""
    return copy.deepcopy(classifier).double()


@pytest.fixture(params=KINDS)
def kind(request, classifier):
    if request.param == "bias silenced" and projection_of(classifier, BLOCK).bias is None:
        pytest.skip("this family's projection has no bias")
    return request.param


@pytest.fixture
def inputs(tokenizer):
    return next(padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu")))[1]


def ours(model, inputs, kind):
    """The logits, and the last block's output at real tokens, under the intervention; `none` for as they are."""
    projection, real = projection_of(model, BLOCK), inputs["attention_mask"].bool()
    with torch.inference_mode():
        with recording(projection) as seen:
            model(**inputs)
        intervention = {
            "none": lambda: recording(projection),
            "block silenced": lambda: fixed_output(projection_of(model, BLOCK), torch.zeros(())),
            "bias silenced": lambda: silenced_bias(model, BLOCK),
            "head zeroed": lambda: fixed_head(model, BLOCK, HEAD, 0.0),
            "head at its mean": lambda: fixed_head(model, BLOCK, HEAD, seen["input"][real].mean(dim=0)[WHERE]),
        }[kind]
        with intervention(), recording(blocks_of(model)[-1]) as last:
            logits = model(**inputs).logits
    return logits, last["output"][real]


def projection_in(model):
    return model.get_submodule(PATHS[model.config.model_type])


def without_bias(model, heads):
    """What the projection makes of the heads by its weight alone."""
    weight = projection_in(model).weight.detach()
    return heads @ (weight if model.config.model_type == "gpt2" else weight.T)


def check(found, model, inputs, kind, part=0):
    """Assert that a tool's logits (part 0) or last block's output (part 1) are ours, and not the untouched model's."""
    torch.testing.assert_close(found, ours(model, inputs, kind)[part], atol=1e-5, rtol=0)
    effect = (found - ours(model, inputs, "none")[part]).abs().max()
    assert effect > 1e-3, "the intervention does nothing, so agreement would mean nothing"


def test_the_llama_of_these_checks_shares_keys_among_heads():
    config = FAMILIES["llama"](100).config
    assert config.num_key_value_heads < config.num_attention_heads


@pytest.mark.filterwarnings("ignore:Module .* has a submodule named 'output'")
def test_nnsight_agrees(model, inputs, kind):
    traced = tool("nnsight").NNsight(copy.deepcopy(model))
    # to nnsight `output` is what a module returns; a submodule of that name is E_output
    projection = traced.get(PATHS[model.config.model_type].replace(".output.", ".E_output."))
    with torch.inference_mode(), traced.trace(**inputs):
        heads = projection.input.clone()
        if kind == "block silenced":
            projection.output = torch.zeros_like(projection.output)
        elif kind == "bias silenced":
            projection.output = without_bias(model, heads)
        else:
            mean = heads[inputs["attention_mask"].bool()].mean(dim=0)[WHERE]
            heads[..., WHERE] = 0 if kind == "head zeroed" else mean
            projection.input = heads
        logits = traced.output.logits.save()
    check(logits, model, inputs, kind)


def test_captum_agrees(model, inputs, kind):
    captum, projection = tool("captum.attr"), projection_in(model)

    def forward(input_ids):
        return model(**inputs | {"input_ids": input_ids}).logits

    with torch.no_grad():
        tokens, whole = inputs["input_ids"], kind in ("block silenced", "bias silenced")
        heads = captum.LayerActivation(forward, projection).attribute(tokens, attribute_to_layer_input=True)
        baseline = {
            "block silenced": torch.zeros_like(heads),
            "bias silenced": without_bias(model, heads),
            "head zeroed": torch.zeros_like(heads),
            "head at its mean": heads[inputs["attention_mask"].bool()].mean(dim=0).expand_as(heads),
        }[kind]
        features = torch.zeros(1, 1, heads.shape[-1], dtype=torch.long)  # those of one number are ablated together
        features[..., WHERE] = 0 if whole else 1
        ablation = captum.LayerFeatureAblation(forward, projection)
        options = {"layer_mask": features, "attribute_to_layer_input": not whole}
        lost = [ablation.attribute(tokens, baseline, target, **options)[:, 0, WHERE.start] for target in range(3)]
        check(forward(tokens) - torch.stack(lost, dim=-1), model, inputs, kind)


def test_transformer_lens_agrees(model, inputs, kind):
    """On the last block's output: TransformerLens has no classifiers, so it gets a language model around the blocks."""
    sources = tool("transformer_lens.model_bridge.sources")
    auto = AutoModelForMaskedLM if model.config.model_type == "bert" else AutoModelForCausalLM
    language_model = auto.from_config(model.config).eval().double()
    setattr(language_model, model.base_model_prefix, copy.deepcopy(model.base_model))
    bridge = sources.build_bridge_from_module(
        language_model, type(language_model).__name__, hf_config=model.config, dtype=torch.float64
    )
    real, last = inputs["attention_mask"].bool(), {}

    def change(value, hook):
        if kind == "block silenced":
            return torch.zeros_like(value)
        if kind == "bias silenced":
            return value - bridge.blocks[BLOCK].attn.b_O
        value = value.clone()
        value[:, :, HEAD] = 0 if kind == "head zeroed" else value[real].mean(dim=0)[HEAD]
        return value

    site = "attn.o.hook_out" if kind in ("block silenced", "bias silenced") else "attn.hook_z"
    keep = ("blocks.2.hook_resid_post", lambda value, hook: last.update(output=value))
    with torch.inference_mode():
        bridge.run_with_hooks(
            inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            fwd_hooks=[(f"blocks.{BLOCK}.{site}", change), keep],
        )
    check(last["output"][real], model, inputs, kind, part=1)


def test_transformer_lens_estimates_the_same_effects():
    """Attribution patching of the heads and feed-forwards of a GPT-2, and of what they read of one another, by
    gradients at TransformerLens' hooks. It has no classifiers: the logits of its first words are our classes'."""
    sources = tool("transformer_lens.model_bridge.sources")
    torch.manual_seed(0)
    model = FAMILIES["gpt2"](64).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    language_model = AutoModelForCausalLM.from_config(model.config).eval().double()
    language_model.transformer = copy.deepcopy(model.transformer)
    language_model.lm_head = torch.nn.Linear(24, 64, bias=False, dtype=torch.float64)
    with torch.no_grad():
        language_model.lm_head.weight[:3] = model.score.weight
    bridge = sources.build_bridge_from_module(
        language_model, type(language_model).__name__, hf_config=model.config, dtype=torch.float64
    )
    written = [
        "hook_embed",
        *(f"blocks.{block}.{site}" for block in range(3) for site in ("attn.hook_z", "hook_mlp_out")),
    ]
    read = [*(f"blocks.{block}.{norm}.hook_in" for block in range(3) for norm in ("ln1", "ln2")), "ln_final.hook_in"]
    tokens = [torch.tensor([ids]) for ids in ([5, 9, 12, 30, 7], [5, 11, 12, 30, 8])]

    def seen(text):
        """What is written, and the gradients of a margin by it and by what is read, by hook."""
        values, added = {}, {}

        def add_nothing(value, hook, name):
            values[name], added[name] = value.detach(), torch.zeros_like(value, requires_grad=True)
            return value + added[name]

        hooks = [(name, partial(add_nothing, name=name)) for name in (*written, *read)]
        logits = bridge.run_with_hooks(text, fwd_hooks=hooks)[0, -1]
        (logits[2] - logits[0]).backward()
        return values, {name: zeros.grad for name, zeros in added.items()}

    (values, slopes), (others, _) = map(seen, tokens)
    change = {name: (others[name] - values[name])[0] for name in written}
    inputs, (recipient, donor) = {"input_ids": tokens[0]}, (activations_of(model, {"input_ids": ids}) for ids in tokens)
    nodes = estimated_effects(model, inputs, recipient, donor, (2, 0))
    edges = edge_effects(model, inputs, recipient, donor, (2, 0))
    by_head = [(change[name] * slopes[name][0]).sum(dim=(0, 2)) for name in written[1::2]]
    np.testing.assert_allclose(nodes["head"], torch.stack(by_head), atol=1e-4)
    by_feed_forward = [(change[name] * slopes[name][0]).sum() for name in written[2::2]]
    np.testing.assert_allclose(nodes["feed_forward"], torch.stack(by_feed_forward), atol=1e-4)
    assert np.abs(nodes["head"]).max() > 0.01 and np.abs(nodes["feed_forward"]).max() > 0.01
    for row, (site, block, head) in zip(edges, sources_of(model), strict=True):
        if site == "head":
            what = change[f"blocks.{block}.attn.hook_z"][:, head] @ bridge.blocks[block].attn.W_O[head].detach()
        else:
            what = change["hook_embed" if site == "embedding" else f"blocks.{block}.hook_mlp_out"]
        reads = dict.fromkeys(read, 0.0)  # those of the heads of a block together: they read through one norm
        for effect, (target, number, _) in zip(row, targets_of(model), strict=True):
            reads["ln_final.hook_in" if target == "answer" else f"blocks.{number}.{NORMS[target]}.hook_in"] += effect
        later = {name: float((what * slopes[name][0]).sum()) if reads[name] else 0.0 for name in read}
        np.testing.assert_allclose(list(reads.values()), list(later.values()), atol=1e-4)
    assert (np.abs(edges[edges_of(model)]) > 1e-6).mean() > 0.9
