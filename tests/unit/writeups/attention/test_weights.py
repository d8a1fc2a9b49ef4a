"""Attention weights, rollout and where heads look, each against a plain calculation."""

import numpy as np
import pytest
import torch

from emoscope.models.inside import attention_maps
from emoscope.writeups.attention import weights as attention


def test_weights_are_what_a_softmax_over_the_scores_gives(model, ids):
    """The first block of GPT-2 by hand; rotary positions are Hugging Face's business."""
    if model.config.model_type != "gpt2":
        pytest.skip("written out for learned positions")
    block, places = model.transformer.h[0], torch.arange(len(ids))
    with torch.no_grad():
        inputs = block.ln_1(model.transformer.wte(torch.tensor(ids)) + model.transformer.wpe(places))
        queries, keys, _ = block.attn.c_attn(inputs).view(len(ids), 3, 4, 6).unbind(1)
        scores = torch.einsum("shd,thd->hst", queries, keys) / 6**0.5
        scores = scores.masked_fill(places[None, :] > places[:, None], -torch.inf)
    assert np.allclose(attention_maps.maps_of(model, ids)[0], scores.softmax(-1), atol=1e-5)


def test_rollout_is_the_product_of_averaged_maps_and_identity():
    one = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]])  # the second token takes from the first
    two = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]])  # and then the third from the second
    found = attention_maps.rollout(np.stack([[one, one], [two, two]]))
    assert np.allclose(found[0], [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])
    assert np.allclose(found[1], [[1, 0, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5]]), "so the first reaches the third"


def test_tokens_can_be_read(tokenizer):
    labels = attention.readable(tokenizer, tokenizer("so happy\n\t\N{SLIGHTLY SMILING FACE}")["input_ids"])
    assert "\N{MIDDLE DOT}" in "".join(labels) and "\\n" in "".join(labels)
    assert all(label and label.isprintable() and "\N{REPLACEMENT CHARACTER}" not in label for label in labels)


def test_where_heads_look():
    maps = np.tril(np.arange(16.0).reshape(4, 4))[None, None]
    found = {name: values.item() for name, values in attention.where_heads_look(maps).items()}
    assert found == {"first": (8 + 12) / 2, "itself": (10 + 15) / 2, "previous": (9 + 14) / 2}


def test_where_heads_look_that_look_ahead():
    maps = np.arange(36.0).reshape(1, 1, 6, 6)
    found = {name: values.item() for name, values in attention.where_heads_look(maps, looks_ahead=True).items()}
    rows = {"first": (12, 18), "itself": (14, 21), "previous": (13, 20), "next": (15, 22), "last": (17, 23)}
    assert found == {name: sum(values) / 2 for name, values in rows.items()}
