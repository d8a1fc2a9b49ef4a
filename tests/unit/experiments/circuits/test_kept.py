"""Circuits against what must hold exactly: at both ends, part by part, and on a circuit that was planted."""

import numpy as np
import pytest
import torch

from emoscope.experiments.circuits.kept import Trial, kept_logits, nodes_of
from emoscope.models.activations import activations_of
from emoscope.models.inside.structure import prepared
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import LAYOUTS, compiled, tokenizer_for
from emoscope.models.planted.texts import pairs
from emoscope.perturbation.inside.patching import Patch, Transfer, patched_logits
from random_models import FAMILIES

FIRST, LAST = [5, 9, 12, 30, 7, 3], [5, 11, 12, 30, 7, 3]  # the token that BERT reads, and that GPT-2 reads, are alike
BUDGET = 30  # tokens: several batches


def run_of(model, ids):
    inputs = {"input_ids": torch.tensor([ids])}
    return inputs, activations_of(model, inputs)


def trial(inputs, other, model, *kept):
    nodes = nodes_of(model)
    return Trial(inputs, other, np.array([node in kept for node in nodes]))


def test_all_kept_is_the_text_and_none_the_other(classifier):
    texts = [(FIRST, LAST), (FIRST[:2] + FIRST[3:], LAST[:2] + LAST[3:])]  # of two lengths in one batch
    trials, wanted = [], []
    for text, other in texts:
        (inputs, run), (_, donor) = run_of(classifier, text), run_of(classifier, other)
        trials += [trial(inputs, donor, classifier, *nodes_of(classifier)), trial(inputs, donor, classifier)]
        wanted += [run.logits, donor.logits]
    wanted = torch.stack(wanted).numpy()
    assert np.abs(wanted[0] - wanted[1]).max() > 1e-2
    np.testing.assert_allclose(kept_logits(classifier, trials, BUDGET), wanted, atol=1e-4)
    np.testing.assert_allclose(kept_logits(classifier, trials, 1000), wanted, atol=1e-4)


def test_all_but_one_kept_is_a_patch_of_that_one(classifier):
    (inputs, run), (_, donor) = run_of(classifier, FIRST), run_of(classifier, LAST)
    every, places = nodes_of(classifier), list(range(len(FIRST)))
    transfer = Transfer(inputs, run, donor, [(places, places)])
    patched = patched_logits(
        classifier, [(transfer, Patch(site, block, head=head)) for site, block, head in every], 1000
    )
    trials = [trial(inputs, donor, classifier, *(other for other in every if other != node)) for node in every]
    np.testing.assert_allclose(kept_logits(classifier, trials, 1000), patched, atol=1e-4)
    assert len(np.unique(patched.round(3), axis=0)) == len(every), "each part does something of its own"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_planted_circuit_is_enough_and_is_needed(layout):
    circuit = plan(1)
    model, tokenizer = prepared(compiled(circuit, layout)), tokenizer_for(layout)
    nodes = nodes_of(model)
    inside = [node for node in nodes if node in circuit.roles]
    outside = [node for node in nodes if node not in circuit.roles]
    assert inside and outside
    for row in pairs(6, 1).itertuples():
        text, other = (tokenizer(words, return_tensors="pt") for words in (row.text, row.changed))
        run, donor = activations_of(model, dict(text)), activations_of(model, dict(other))
        trials = [trial(dict(text), donor, model, *kept) for kept in (inside, outside)]
        found = kept_logits(model, trials, 1000)
        np.testing.assert_allclose(found, [run.logits.numpy(), donor.logits.numpy()], atol=0.05)
        assert np.abs(found[0] - found[1]).max() > 1


def test_nodes_are_all_heads_and_feed_forwards():
    model = FAMILIES["llama"](64)
    found = nodes_of(model)
    assert len(found) == len(set(found)) == 3 * 4 + 3 and ("head", 2, 3) in found and ("feed_forward", 2, -1) in found
