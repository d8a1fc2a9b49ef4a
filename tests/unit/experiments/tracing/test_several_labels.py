"""Flips from inside a classifier that may give several labels: probabilities are each label's own."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from emoscope.experiments.tracing.aggregate import aggregate
from emoscope.experiments.tracing.attribution import class_lens_table
from emoscope.experiments.tracing.shares import summarise_shares
from emoscope.models.activations import activations_of
from emoscope.models.parts import pooled_token
from emoscope.perturbation.inside.patching import moved_classes
from emoscope.perturbation.inside.seen import Seen
from emoscope.storage.decisions import SEVERAL
from made_up import CLASSES
from random_models import FAMILIES
from traced_pair import BUDGET, SHORT, drawn


def moved(several, *logits):
    """The labels that a flip moves most, and by how much it moves their margin."""
    original, flipped = (SimpleNamespace(logits=torch.tensor(values)) for values in logits)
    model = SimpleNamespace(config=SimpleNamespace(problem_type=SEVERAL if several else None))
    classes = moved_classes(model, original, flipped)
    return classes, Seen(0, None, original, flipped, *classes).total


def test_the_labels_that_move_most_are_those_whose_own_logit_does():
    assert moved(False, [5.0, 0, 0], [4.0, 0.5, -1.2])[0] == (1, 0)  # of one distribution, what one loses others gain
    assert moved(True, [5.0, 0, 0], [4.0, 0.5, -1.2])[0] == (1, 2)


def test_no_flip_makes_the_margin_fall():
    """Of labels that all rise, the one that gains most probability may gain least in logits."""
    classes, total = moved(True, [0.0, -9.2], [0.85, -6.9])
    assert classes == (1, 0) and total == pytest.approx(2.3 - 0.85)
    rng = np.random.default_rng(0)
    for several in (True, False):
        both = rng.normal(0, 4, size=(200, 2, 3)).astype(np.float32)
        assert all(moved(several, *pair)[1] >= 0 for pair in both)


def test_patching_everything_moves_all_of_the_margin_of_labels_that_rise_together(tokenizer):
    """Every label reads the same direction, the first least: it gains 0.5 logits from -1, the others 5 from -10."""
    torch.manual_seed(0)
    model = FAMILIES["gpt2"](len(tokenizer)).eval()
    pair, read = drawn(model, tokenizer, *SHORT), []
    hook = model.score.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0][0, -1]))
    with torch.inference_mode():
        for text in (pair.aligned.original, pair.aligned.flipped):
            model(**text)
    hook.remove()
    direction = torch.linalg.pinv(torch.stack(read)) @ torch.tensor([-1.0, -0.5])
    strengths = torch.tensor([1.0] + [10.0] * (len(CLASSES) - 1))
    model.score.weight.data = strengths[:, None] * direction
    model.config.problem_type = SEVERAL
    pairs, effects = aggregate(model, [pair], CLASSES, BUDGET, ("patching",))
    assert pairs["total"].item() == pytest.approx(4.5, abs=0.01)
    shares = summarise_shares(pairs, effects, {"alpha": 0.05, "resamples": 20, "seed": 0})
    first = shares.query("kind == 'flip' and direction == 'both' and place == 'changed' and block == 0")
    assert first["value"].item() == pytest.approx(1, abs=1e-3)


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
