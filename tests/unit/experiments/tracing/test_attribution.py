"""Direct logit attribution and the lens add up to the model's own answer."""

import numpy as np
import pytest
import torch

from emoscope.experiments.tracing.attribution import attribution_table, class_lens_table, lens_of
from emoscope.models.activations import activations_of
from emoscope.models.inside.contributions import Part, contributions_of
from emoscope.models.parts import (
    blocks_of,
    family_of,
    head_slice,
    pooled_token,
    projection_of,
    readout_of,
)
from made_up import CLASSES
from traced_pair import FLIPPED, TEXT


def test_contributions_add_up_to_the_logits(classifier, tokenizer):
    for text in (TEXT, FLIPPED):
        inputs = tokenizer(text, return_tensors="pt")
        run = activations_of(classifier, inputs)
        parts, values = contributions_of(classifier, run, pooled_token(classifier, inputs["input_ids"]))
        np.testing.assert_allclose(values.sum(dim=0), run.logits, atol=1e-4)
        assert len(parts) == len(set(parts)) == len(values)


@torch.inference_mode()
def test_a_head_contributes_what_it_writes_through_the_norm_at_its_actual_scale(classifier, tokenizer):
    if family_of(classifier).norms:
        pytest.skip("a post-norm family norms the head's part again in every later block")
    inputs = tokenizer(TEXT, return_tensors="pt")
    run = activations_of(classifier, inputs)
    place = pooled_token(classifier, inputs["input_ids"])
    without = run.heads[1, place].clone()
    without[head_slice(classifier, 2)] = 0
    projection, (norm, score) = projection_of(classifier, 1), readout_of(classifier)
    written = projection(run.heads[1, place]) - projection(without)
    last, layer_norm = run.residual[-1, place], isinstance(norm, torch.nn.LayerNorm)
    scale = last.std(correction=0) if layer_norm else last.square().mean().sqrt()
    centred = written - written.mean() if layer_norm else written
    parts, values = contributions_of(classifier, run, place)
    found = values[parts.index(Part("head", 1, 2))]
    np.testing.assert_allclose(found, score(centred / scale * norm.weight), atol=1e-4)


def test_the_lens_ends_at_the_models_own_answer(classifier, tokenizer):
    inputs = tokenizer(TEXT, return_tensors="pt")
    run = activations_of(classifier, inputs)
    place = pooled_token(classifier, inputs["input_ids"])
    logits = lens_of(classifier, run, place)
    assert logits.shape == (len(blocks_of(classifier)) + 1, 3)
    torch.testing.assert_close(logits[-1], run.logits, atol=1e-4, rtol=0)
    table = class_lens_table(classifier, run, place, CLASSES)
    last = table[table["depth"] == table["depth"].max()].set_index("class")["probability"]
    np.testing.assert_allclose(last[CLASSES], run.logits.softmax(dim=0), atol=1e-5)
    np.testing.assert_allclose(table.groupby("depth")["probability"].sum(), 1, atol=1e-5)


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
@pytest.mark.parametrize("classes", [["block", "part", "head"], ["logit", "depth", "probability"]])
def test_classes_may_be_called_like_the_columns_beside_them(classifier, tokenizer, classes):
    inputs = tokenizer(TEXT, return_tensors="pt")
    run, place = activations_of(classifier, inputs), pooled_token(classifier, inputs["input_ids"])
    contributed = attribution_table(classifier, run, place, classes)
    assert list(contributed) == [*Part._fields, "class", "contribution"]
    sums = contributed.groupby("class")["contribution"].sum()
    np.testing.assert_allclose(sums[classes], run.logits, atol=1e-4)
    assert contributed.groupby("class").size().to_list() == [len({*contributions_of(classifier, run, place)[0]})] * 3
    lens = class_lens_table(classifier, run, place, classes)
    assert list(lens) == ["depth", "class", "logit", "probability"]
    own = lens[lens["depth"] == 2].set_index("class")
    np.testing.assert_allclose(own.loc[classes, "logit"], lens_of(classifier, run, place)[2], atol=1e-5)
    np.testing.assert_allclose(own["probability"].sum(), 1, atol=1e-5)
