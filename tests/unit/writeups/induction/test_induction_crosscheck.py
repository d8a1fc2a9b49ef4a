"""Induction scores, MLP ablation and K-composition by another route: TransformerLens on a small random GPT-2."""

import functools

import pytest
import torch
from transformers import AutoTokenizer, GPT2LMHeadModel

from emoscope.writeups.induction.ablation import mlp_losses
from emoscope.writeups.induction.composition import circuit, own_scores, processed_weights
from emoscope.writeups.induction.copier import word_tokenizer
from emoscope.writeups.induction.repeats import head_scores, repeated_tokens
from random_models import random_gpt2_lm

transformer_lens = pytest.importorskip("transformer_lens", reason="transformer-lens is not installed")
TransformerBridge = pytest.importorskip("transformer_lens.model_bridge").TransformerBridge
LENGTH, VOCABULARY = 12, 60


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    model = random_gpt2_lm(VOCABULARY)
    with torch.no_grad():  # fresh norms scale by 1 and shift by 0: folding them would go untested
        for name, weight in model.named_parameters():
            if "ln_" in name:
                weight += 0.3 * torch.randn_like(weight)
    return model


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    model.save_pretrained(folder)
    word_tokenizer(VOCABULARY, 64).save_pretrained(folder)
    return folder


def bridge_of(folder):
    """TransformerLens around a copy of its own, since it rebuilds what it is given."""
    copy = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return TransformerBridge.boot_transformers(str(folder), hf_model=copy, tokenizer=tokenizer)


@pytest.fixture(scope="module")
def bridge(folder):
    return bridge_of(folder)


@pytest.fixture(scope="module")
def tokens():
    return repeated_tokens(VOCABULARY, 0, LENGTH, 4, seed=3)


def test_head_scores(model, bridge, tokens):
    with torch.inference_mode():
        attentions = model(tokens, output_attentions=True).attentions
        _, cache = bridge.run_with_cache(tokens)
    for block, attention in enumerate(attentions):
        pattern = cache[f"blocks.{block}.attn.hook_pattern"]
        stripe = pattern.diagonal(dim1=-2, dim2=-1, offset=1 - LENGTH).mean(dim=-1)
        previous = pattern.diagonal(dim1=-2, dim2=-1, offset=-1).mean(dim=-1)
        induction = pattern.diagonal(dim1=-2, dim2=-1, offset=1 - LENGTH)[..., 2:].mean(dim=-1)
        found = head_scores(attention, LENGTH)
        for name, expected in {"stripe": stripe, "previous": previous, "induction": induction}.items():
            torch.testing.assert_close(found[name], expected, atol=1e-4, rtol=0)


def test_mlp_ablation(model, bridge, tokens):
    line = tokens[0]
    with torch.inference_mode():
        _, cache = bridge.run_with_cache(line[None])

    def replace(output, hook, positions):
        output = output.clone()
        output[0, positions] = cache[hook.name][0, positions - LENGTH]
        return output

    def loss(logits):
        chosen = logits[0, LENGTH : 2 * LENGTH].log_softmax(dim=-1).gather(1, line[LENGTH + 1 :, None])
        return -chosen.mean().item()

    baseline, losses = mlp_losses(model, line[None], LENGTH, [0, 5, LENGTH - 1, -1])
    with torch.inference_mode():
        assert baseline.mean().item() == pytest.approx(loss(bridge(line[None])), abs=1e-4)
        for (block, offset), found in losses.items():
            second = torch.arange(LENGTH, 2 * LENGTH)
            positions = second[1:] if offset == -1 else second[[offset]]
            hook = (f"blocks.{block}.hook_mlp_out", functools.partial(replace, positions=positions))
            assert found.mean().item() == pytest.approx(
                loss(bridge.run_with_hooks(line[None], fwd_hooks=[hook])), abs=1e-4
            )
    assert max((loss - baseline).mean().abs().item() for loss in losses.values()) > 1e-2


def test_composition(model, folder):
    processed = bridge_of(folder)
    processed.enable_compatibility_mode()
    embedded = model.get_input_embeddings().weight.detach()
    every = torch.arange(VOCABULARY)
    for previous, later in [((0, 1), (1, 2)), ((1, 3), (2, 0))]:
        queries, keys = circuit(model, previous, later, embedded, embedded)
        theirs = transformer_lens.FactoredMatrix(
            processed.W_E @ processed.W_Q[later],
            (processed.W_E @ processed.W_V[previous] @ processed.W_O[previous] @ processed.W_K[later]).T,
        ).AB
        torch.testing.assert_close(queries @ keys.T, theirs, atol=1e-4, rtol=1e-4)
        hit, _ = own_scores(queries, keys, every)
        assert hit.float().mean() == (theirs.argmax(dim=1) == every).float().mean()
        for mine, name in zip(processed_weights(model, *later)[:3], ("W_Q", "W_K", "W_V"), strict=True):
            torch.testing.assert_close(mine, getattr(processed, name)[later], atol=1e-4, rtol=1e-4)
