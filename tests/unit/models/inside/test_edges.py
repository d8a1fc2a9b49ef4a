"""Edges: estimates against patching of one edge by hand, and against the estimates of nodes."""

from contextlib import ExitStack
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.families import random_model
from emoscope.models.activations import Activations, activations_of
from emoscope.models.inside.edges import ANSWER, EMBEDDING, edge_effects, edges_of, sources_of, targets_of
from emoscope.models.inside.estimates import estimated_effects
from emoscope.models.inside.kept_edges import kept_edge_logits, without_each
from emoscope.models.inside.structure import prepared
from emoscope.models.interventions import changing_input, changing_output, read_out, recording, resumed_at
from emoscope.models.parts import (
    attention_of,
    blocks_of,
    feed_forward_of,
    head_slice,
    head_weights,
    projection_of,
    residual_norms_of,
)
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import LAYOUTS, compiled, tokenizer_for
from emoscope.models.planted.texts import REMOVED, pairs

MARGIN = (2, 0)
TEXTS = ([2, 15, 9, 12, 30, 7, 3], [2, 15, 11, 12, 31, 7, 3])
KINDS = ["gpt2", "bert", "llama"]  # pre-norm, post-norm, and keys that heads share
PHI = "phi, described in the configuration"
OTHERS = ["gpt_neox", PHI, "gemma2", "deberta", "deberta-v2, v3's settings", "albert", "modernbert", "phi3", "opt"]


def runs_of(model):
    inputs = [{"input_ids": torch.tensor([ids])} for ids in TEXTS]
    return inputs[0], *(activations_of(model, one) for one in inputs)


def linear_gpt2():
    """A GPT-2 without norms and activations, whose tokens look at all before them alike."""
    model = random_model("gpt2", 64).double()
    with torch.no_grad():
        for block in model.transformer.h:
            block.attn.c_attn.weight[:, :64], block.attn.c_attn.bias[:64] = 0, 0
            block.ln_1, block.ln_2, block.mlp.act = nn.Identity(), nn.Identity(), nn.Identity()
    model.transformer.ln_f = nn.Identity()
    return model


def margin_of(logits):
    return float(logits[..., MARGIN[0]] - logits[..., MARGIN[1]])


@torch.inference_mode()
def patched_by_hand(model, inputs, recipient, donor, source, target):
    """The margin when one target reads one source as in the donor: what the target puts out then, put into a run."""

    def write(node, own, other):
        """What a half of a block adds to the stream, with the source's output exchanged."""
        if node == source == EMBEDDING or node == source[:2] == ("feed_forward", source[1]):
            return other
        if node == ("attention", source[1]) and source[0] == "head":
            where = head_slice(model, source[2])
            change = (donor.heads - recipient.heads)[source[1]][:, where]
            return own + change @ head_weights(model, source[1])[source[2]]
        return own

    site, number, head = target
    last = len(blocks_of(model)) if target == ANSWER else number
    stream = write(EMBEDDING, recipient.residual[0], donor.residual[0])
    for block in range(last + (site == "feed_forward")):
        before, after = residual_norms_of(model, block) or (nn.Identity(), nn.Identity())
        entered = stream
        stream = before(stream + write(("attention", block), recipient.attention[block], None))
        if block < last:
            fed = write(("feed_forward", block), recipient.feed_forward[block], donor.feed_forward[block])
            stream = after(stream + fed)
    if target == ANSWER:
        place = 0 if residual_norms_of(model, 0) else -1  # these texts have no padding
        return margin_of(read_out(model, stream[place]))
    with ExitStack() as stack:
        module = feed_forward_of(model, number) if site == "feed_forward" else projection_of(model, number)
        seen = stack.enter_context(recording(module))
        if site == "head":
            stack.enter_context(resumed_at(model, number, stream[None]))
        elif norms := residual_norms_of(model, number):
            stack.enter_context(changing_output(norms[0], lambda _: stream[None]))
        else:
            stack.enter_context(resumed_at(model, number, entered[None]))
            stack.enter_context(changing_output(attention_of(model, number), lambda _: (stream - entered)[None]))
        model(**inputs)
    if site == "feed_forward":
        with changing_output(module, lambda _: seen["output"]):
            return margin_of(model(**inputs).logits[0])

    def exchanged(heads):
        heads = heads.clone()
        heads[..., head_slice(model, head)] = seen["input"][..., head_slice(model, head)]
        return heads

    with changing_input(module, exchanged):
        return margin_of(model(**inputs).logits[0])


def by_hand(model, inputs, recipient, donor):
    """The effects of all edges, (sources, targets)."""
    possible, start = edges_of(model), margin_of(recipient.logits)
    effects = np.zeros(possible.shape)
    for one, source in enumerate(sources_of(model)):
        for other, target in enumerate(targets_of(model)):
            if possible[one, other]:
                effects[one, other] = patched_by_hand(model, inputs, recipient, donor, source, target) - start
    return effects


def by_keeping(model, inputs, recipient, donor):
    """The same from runs in which all edges but one are kept."""
    possible = edges_of(model)
    kept = without_each(possible, np.argwhere(possible))
    logits = kept_edge_logits(model, inputs, donor, kept)
    effects = np.zeros(possible.shape)
    effects[possible] = logits[:, MARGIN[0]] - logits[:, MARGIN[1]] - margin_of(recipient.logits)
    return effects


@pytest.mark.parametrize("steps", [0, 3])
def test_estimates_of_a_linear_model_are_exact(steps):
    model = linear_gpt2()
    inputs, recipient, donor = runs_of(model)
    exact = by_hand(model, inputs, recipient, donor)
    assert (np.abs(exact[edges_of(model)]) > 1e-4 * np.abs(exact).max()).mean() > 0.8
    found = edge_effects(model, inputs, recipient, donor, MARGIN, steps)
    np.testing.assert_allclose(found, exact, atol=1e-5 * np.abs(exact).max())


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_of_small_changes_are_right(kind):
    """Queries, keys and values, heads and norms each in their place: no two edges are alike."""
    model = prepared(random_model(kind, 64).double())
    inputs, recipient, donor = runs_of(model)
    sites = [field.name for field in fields(Activations) if field.name != "logits"]

    def near(step):
        changed = {
            one: getattr(recipient, one) + step * (getattr(donor, one) - getattr(recipient, one)) for one in sites
        }
        return replace(donor, **changed)

    forth, back = (by_keeping(model, inputs, recipient, near(step)) for step in (1e-3, -1e-3))
    exact = (forth - back) / 2
    found = edge_effects(model, inputs, recipient, near(1e-3), MARGIN)
    assert len(np.unique((exact[edges_of(model)] / np.abs(exact).max()).round(4))) > 0.8 * edges_of(model).sum()
    np.testing.assert_allclose(found, exact, atol=2e-3 * np.abs(exact).max())


@pytest.mark.parametrize("kind", KINDS)
def test_keeping_all_edges_but_one_is_the_patch_of_that_one(kind):
    model = prepared(random_model(kind, 64).double())
    runs = runs_of(model)
    exact = by_hand(model, *runs)
    assert np.abs(exact).max() > 0.05
    np.testing.assert_allclose(by_keeping(model, *runs), exact, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS + OTHERS)
def test_keeping_all_edges_is_the_text_and_none_the_other(kind):
    model = prepared(random_model(kind, 64).double())
    inputs, recipient, donor = runs_of(model)
    all_and_none = np.stack([edges_of(model), np.zeros_like(edges_of(model))])
    wanted = torch.stack([recipient.logits, donor.logits])
    assert (wanted[0] - wanted[1]).abs().max() > 0.05
    np.testing.assert_allclose(kept_edge_logits(model, inputs, donor, all_and_none), wanted, atol=1e-5)
    assert kept_edge_logits(model, inputs, donor, all_and_none[:0]).shape == (0, 3)


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("kind", KINDS + OTHERS)
def test_what_a_part_carries_is_the_sum_of_its_edges(kind, steps):
    model = prepared(random_model(kind, 64).double())
    inputs, recipient, donor = runs_of(model)
    nodes = estimated_effects(model, inputs, recipient, donor, MARGIN, steps)
    wanted = [
        nodes[site][block, head] if site == "head" else nodes[site][block]
        for site, block, head in sources_of(model)[1:]
    ]
    found = edge_effects(model, inputs, recipient, donor, MARGIN, steps)
    np.testing.assert_allclose(found[1:].sum(axis=1), wanted, atol=1e-6 * np.abs(wanted).max())
    assert len(np.unique(np.round(wanted, 8))) > 10


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", PHI])
def test_nothing_is_read_before_it_is_written(kind):
    model = random_model(kind, 64)
    sources, targets, possible = sources_of(model), targets_of(model), edges_of(model)
    found = edge_effects(model, *runs_of(model), MARGIN)
    assert (found[~possible] == 0).all() and (np.abs(found[possible]) > 0).mean() > 0.9
    names = {(sources[one], targets[other]) for one, other in np.argwhere(possible)}
    assert (EMBEDDING, ("head", 0, 3)) in names and (("feed_forward", 2, -1), ANSWER) in names
    assert (("head", 1, 0), ("head", 1, 1)) not in names and (("feed_forward", 1, -1), ("head", 1, 1)) not in names
    assert all(one != other for one, other in names), "nothing reads itself"
    assert all(one == EMBEDDING or other == ANSWER or one[1] <= other[1] for one, other in names)
    assert ((("head", 1, 0), ("feed_forward", 1, -1)) in names) == (kind == "gpt2"), "side by side in the others"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_steps_see_past_a_saturated_part(layout):
    """Of two heads that copy the keyword either is enough, so that where both do, there is no gradient."""
    circuit = plan(1)
    model, tokenizer = prepared(compiled(circuit, layout)), tokenizer_for(layout)
    [row] = pairs(1, 1, [REMOVED]).itertuples()
    inputs, other = (dict(tokenizer(text, return_tensors="pt")) for text in (row.text, row.changed))
    runs = activations_of(model, inputs), activations_of(model, other)
    margin = int(runs[1].logits.argmax()), int(runs[0].logits.argmax())
    node_of = {role: node for node, role in circuit.roles.items()}
    edge = sources_of(model).index(node_of["keyword a"]), targets_of(model).index(node_of["either"])
    without, with_steps = (edge_effects(model, inputs, *runs, margin, steps)[edge] for steps in (0, 8))
    assert abs(without) < 0.1 and with_steps > 1


def test_texts_of_different_length_are_refused():
    model = random_model("gpt2", 64)
    inputs, recipient, donor = runs_of(model)
    with pytest.raises(ValueError, match="one length"):
        edge_effects(model, inputs, recipient, replace(donor, residual=donor.residual[:, :-1]), MARGIN)
