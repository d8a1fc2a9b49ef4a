"""Flips from inside a classifier that may give several labels: probabilities are each label's own."""

from types import SimpleNamespace

import numpy as np
import torch

from emoscope.experiments.tracing.attribution import class_lens_table
from emoscope.models.activations import activations_of
from emoscope.models.families import pooled_token
from emoscope.perturbation.inside.patching import moved_classes
from emoscope.storage.decisions import SEVERAL


def test_the_labels_that_move_most_are_those_whose_own_probability_does():
    original, flipped = (SimpleNamespace(logits=torch.tensor(logits)) for logits in ([5.0, 0, 0], [3.0, 0.5, -0.2]))
    model = SimpleNamespace(config=SimpleNamespace(problem_type=None))
    assert moved_classes(model, original, flipped) == (1, 0)  # of one distribution, what the first loses goes to others
    model.config.problem_type = SEVERAL
    assert moved_classes(model, original, flipped) == (1, 2)


def test_the_lens_gives_each_labels_own_probability(classifier, tokenizer, monkeypatch):
    monkeypatch.setattr(classifier.config, "problem_type", SEVERAL)
    inputs = dict(tokenizer("i feel happy", return_tensors="pt"))
    run, classes = activations_of(classifier, inputs), ["sadness", "joy", "love"]
    table = class_lens_table(classifier, run, pooled_token(classifier, inputs["input_ids"]), classes)
    np.testing.assert_allclose(table["probability"], 1 / (1 + np.exp(-table["logit"].astype(float))), rtol=1e-5)
    last = table[table["depth"] == table["depth"].max()].set_index("class")["probability"]
    with torch.inference_mode():
        whole = torch.sigmoid(classifier(**inputs).logits)[0]
    np.testing.assert_allclose(last[classes], whole, atol=1e-5)
