"""Gradients of many texts at once, against a plain loop over texts, steps and classes, and against captum."""

import copy
import re
from functools import partial

import numpy as np
import pytest
import torch
from tokenizers import BertWordPieceTokenizer
from transformers import PreTrainedTokenizerFast

from benchmarks.families import random_model, word_pieces
from emoscope.experiments.words.gradients import at_embeddings, baseline, embedded, explain, inputs_of
from emoscope.experiments.words.methods import SPECIAL, of_kind
from emoscope.experiments.words.read_texts import read_texts
from emoscope.models.inside.integration import Line, centred, integrated
from emoscope.models.interventions import resumed_at
from emoscope.models.parts import blocks_of
from random_models import TEXTS, train_wordpiece

STEPS = 7
CHOSEN = np.array([[2, 0], [1, 2], [0, 1], [0, 2], [1, 0]])


@pytest.fixture
def model(classifier):
    """In double precision, so that what differs by more than 1e-5 is not rounding."""
    return copy.deepcopy(classifier).double().requires_grad_(False)


def by_hand(model, reading, number, name, steps=STEPS):
    """One text, one class, one step after the other, (tokens,), by embeddings given as `inputs_embeds`."""
    ids = torch.tensor([reading.inputs["input_ids"]])
    embedding = model.get_input_embeddings()
    end = embedding(ids).detach()

    def slope(values):
        values = values.clone().requires_grad_()
        centred(model, model(inputs_embeds=values).logits)[0, number].backward()
        return values.grad

    if name == "gradient_input":
        return (slope(end) * end).sum(-1)[0]
    nothing = {
        "integrated_padding": embedding(torch.tensor(model.config.pad_token_id)),
        "integrated_zero": torch.zeros_like(end[0, 0]),
        "integrated_mean": embedding.weight.mean(0),
    }[name]
    start = end.clone()
    start[0, torch.from_numpy(reading.owners != SPECIAL)] = nothing
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    mean = sum(w / 2 * slope(start + (1 + x) / 2 * (end - start)) for x, w in zip(nodes, weights, strict=True))
    return (mean * (end - start)).sum(-1)[0]


@pytest.mark.parametrize("name", ["integrated_padding", "integrated_zero", "integrated_mean", "gradient_input"])
def test_batches_give_what_a_loop_over_texts_steps_and_classes_gives(model, own_tokenizer, name):
    readings = read_texts(own_tokenizer, TEXTS)
    found = explain(model, own_tokenizer, readings, CHOSEN, [name], STEPS, tokens_per_batch=720, tolerance=np.inf)
    for reading, chosen, explained in zip(readings, CHOSEN, found, strict=True):
        assert explained.scores[name].shape == (len(reading.owners), 2)
        for place, number in enumerate(chosen):
            assert np.allclose(explained.scores[name][:, place], by_hand(model, reading, number, name), atol=1e-5)


@pytest.mark.parametrize("name", [name for name in of_kind("gradient") if name.startswith("integrated")])
def test_scores_account_for_the_whole_difference_from_the_baseline(model, own_tokenizer, name):
    if model.config.model_type == "llama" and name == "integrated_zero":
        pytest.skip(
            "its RMSNorm undoes any length, so all of the change lies at zero itself, and the page shows the error"
        )
    readings = read_texts(own_tokenizer, TEXTS)
    for explained in explain(model, own_tokenizer, readings, CHOSEN, [name], 50, 8192):
        scores, (sums, differences) = explained.scores[name], explained.accounts[name].T
        assert np.allclose(scores.sum(axis=0), sums)
        assert np.abs(sums - differences).max() < 0.01 * max(np.abs(differences).max(), 1)
        assert np.abs(differences).max() > 1e-3


def whole_words() -> PreTrainedTokenizerFast:
    """A token for each word and mark of TEXTS, numbered in order: a trained vocabulary breaks ties by chance."""
    words = sorted({word for text in TEXTS for word in re.findall(r"\w+|[^\w\s]", text.lower())})
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words]
    tokenizer = BertWordPieceTokenizer({token: number for number, token in enumerate(tokens)})
    names = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, model_max_length=48, **names)


@pytest.mark.parametrize("family", ["roberta", "distilbert"])
@pytest.mark.parametrize("name", [name for name in of_kind("gradient") if name.startswith("integrated")])
def test_scores_account_for_the_whole_difference_in_families_with_heads_of_their_own(family, name):
    tokenizer = whole_words()
    model = random_model(family, len(tokenizer)).double().requires_grad_(False)
    readings = read_texts(tokenizer, TEXTS)
    chosen = np.zeros((len(TEXTS), 1), dtype=int)
    for explained in explain(model, tokenizer, readings, chosen, [name], 50, 8192):
        sums, differences = explained.accounts[name].T
        assert np.abs(sums - differences) < 0.01 * np.abs(differences) and np.abs(differences) > 1e-3


def test_more_steps_account_for_more(model, own_tokenizer):
    readings = read_texts(own_tokenizer, TEXTS)

    def error(steps):
        found = explain(model, own_tokenizer, readings, CHOSEN, ["integrated_padding"], steps, 8192, tolerance=np.inf)
        return sum(np.abs(np.subtract(*one.accounts["integrated_padding"].T)).sum() for one in found)

    assert error(64) < 0.5 * error(2)


def test_special_tokens_are_part_of_the_baseline_and_get_nothing(classifier):
    if classifier.config.model_type != "bert":
        pytest.skip("its tokenizer adds none")
    tokenizer = train_wordpiece(TEXTS * 3, classifier.config.vocab_size)
    readings = read_texts(tokenizer, TEXTS)
    explained = explain(classifier, tokenizer, readings, CHOSEN, ["integrated_zero"], 3, 999)
    for reading, one in zip(readings, explained, strict=True):
        special = reading.owners == SPECIAL
        assert np.abs(one.scores["integrated_zero"][special]).max() == 0
        assert np.abs(one.scores["integrated_zero"][~special]).max() > 0


def test_from_the_first_block_on_it_is_what_it_is_at_the_embeddings_of_a_model_without_positions(model, own_tokenizer):
    """Llama adds nothing between embeddings and first block; so the same line is integrated along."""
    if model.config.model_type != "llama":
        pytest.skip("its embeddings are followed by positions")
    inputs, fixed = inputs_of(own_tokenizer, read_texts(own_tokenizer, TEXTS), model.device)
    end = embedded(model, inputs)
    start, chosen = baseline(model, 0, end, fixed, "padding"), torch.from_numpy(CHOSEN)
    found = [
        integrated(model, Line(inputs, place, start, end, chosen), STEPS, 8192)
        for place in (partial(at_embeddings, model), partial(resumed_at, model, 0))
    ]
    assert torch.allclose(*found, atol=1e-8) and found[0].abs().max() > 0


def test_depths_are_different_blocks_and_give_different_scores(model, own_tokenizer):
    readings = read_texts(own_tokenizer, TEXTS)
    names = ["integrated_padding", "integrated_quarter", "integrated_three_quarters"]
    assert len(blocks_of(model)) == 3
    for one in explain(model, own_tokenizer, readings, CHOSEN, names, STEPS, 8192):
        first, second, third = (one.scores[name] for name in names)
        assert np.abs(first - second).max() > 1e-6 and np.abs(second - third).max() > 1e-6


def test_noise_moves_scores_and_none_leaves_them(classifier, own_tokenizer):
    readings = read_texts(own_tokenizer, TEXTS)
    options = (CHOSEN, ["gradient_input"], STEPS, 8192)
    plain, same, moved = (
        explain(classifier, own_tokenizer, readings, *options, noise)[0].scores["gradient_input"]
        for noise in (torch.clone, lambda values: values + 0, lambda values: values + torch.linspace(0, 0.5, 24))
    )
    assert np.array_equal(plain, same) and np.abs(plain - moved).max() > 1e-6


def test_of_exclusive_classes_only_what_sets_them_apart_is_explained(classifier):
    logits = np.array([[3.0, 1.0, 2.0]], dtype=np.float32)
    assert np.allclose(centred(classifier, logits), [[1.0, -1.0, 0.0]])
    several = copy.deepcopy(classifier)
    several.config.problem_type = "multi_label_classification"
    assert np.array_equal(centred(several, logits), logits)


@pytest.mark.parametrize("family", ["gpt2", "bert", "llama", "roberta", "distilbert"])
def test_captum_agrees_text_by_text(family):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    tokenizer = word_pieces()
    model = random_model(family, len(tokenizer)).double().requires_grad_(False)
    readings = read_texts(tokenizer, TEXTS)
    chosen = np.zeros((len(TEXTS), 1), dtype=int)
    explained = explain(model, tokenizer, readings, chosen, ["integrated_padding"], STEPS, 512, tolerance=np.inf)
    embedding = model.get_input_embeddings()
    gradients = captum.LayerIntegratedGradients(lambda ids: centred(model, model(input_ids=ids).logits), embedding)
    for reading, one in zip(readings, explained, strict=True):
        ids = torch.tensor([reading.inputs["input_ids"]])
        padding = torch.where(torch.from_numpy(reading.owners == SPECIAL), ids, model.config.pad_token_id)
        scores = gradients.attribute(ids, padding, target=0, n_steps=STEPS).sum(-1)[0].detach().numpy()
        assert np.allclose(one.scores["integrated_padding"][:, 0], scores, atol=1e-5) and np.abs(scores).max() > 1e-3
