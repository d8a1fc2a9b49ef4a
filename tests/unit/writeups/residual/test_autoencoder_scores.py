"""Scores of the autoencoder, each against another route to it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emoscope.models.features.autoencoder import scaled
from emoscope.models.features.feature_texts import top_texts
from emoscope.models.features.stream import gather
from emoscope.writeups.residual import autoencoder_scores
from random_models import TEXTS, random_autoencoder


def own_loss(model, tokenizer, text):
    """Summed loss of a text's predictions, that of the first position left out."""
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    logits = model(ids).logits[0, 1:-1]
    return torch.nn.functional.cross_entropy(logits, ids[0, 2:], reduction="sum").item()


@pytest.mark.parametrize("block", [0, 2])
def test_patched_losses(model, tokenizer, block):
    trained = random_autoencoder(model, block=block)
    found = autoencoder_scores.patched_losses(
        model,
        tokenizer,
        TEXTS,
        trained,
        {"same": lambda units, _: units, "autoencoder": lambda units, _: trained.autoencoder(units)},
        30,
    ).pivot(index="text", columns="condition", values="loss")
    for row, text in enumerate(TEXTS):
        assert found.loc[row, "original"] == pytest.approx(own_loss(model, tokenizer, text), rel=1e-4)
    np.testing.assert_allclose(found["same"], found["original"], rtol=1e-4)
    for condition in ("autoencoder", "mean", "zero"):
        assert (found[condition] - found["original"]).abs().max() > 1e-2


def test_least_squares_is_exact_within_its_directions():
    directions = torch.nn.functional.normalize(torch.randn(6, 10, generator=torch.Generator().manual_seed(0)), dim=1)
    values = torch.randn(7, 6, generator=torch.Generator().manual_seed(1)) @ directions
    torch.testing.assert_close(autoencoder_scores.least_squares(values, directions, 6), values, atol=1e-2, rtol=0)


def test_top_texts_point_at_the_token(model, tokenizer):
    activations = gather(model, tokenizer, TEXTS, 1, 100)
    codes = random_autoencoder(model).autoencoder.encode(scaled(activations.values))
    found = top_texts(codes, activations, tokenizer, TEXTS)
    for _, rows in found.groupby("feature"):
        assert rows["activation"].is_monotonic_decreasing
        assert rows["row"].is_unique
        first = rows.iloc[0]
        assert first["activation"] == pytest.approx(codes[:, first["feature"]].max().item())
        own = codes[activations.text == first["row"], first["feature"]]
        offsets = tokenizer(first["text"], return_offsets_mapping=True)["offset_mapping"]
        assert (first["start"], first["end"]) == offsets[1 + int(own.argmax())]


def test_dictionaries_describe_a_token_by_as_many_directions_of_their_own(model):
    trained = random_autoencoder(model, active=4)
    width, centre = len(trained.mean), trained.autoencoder.centre
    axes = torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(0))).Q
    found = autoencoder_scores.reconstructions(replace(trained, axes=axes), averages=None, seed=0)
    weights = torch.tensor([5.0, -4.0, 3.0, 2.0, 1.0, 0.5] + [0.0] * (width - 6))
    wanted = weights.where(weights.abs() >= 2, 0)
    units = (weights @ axes + centre)[None]
    torch.testing.assert_close(found["principal axes"](units, None), (wanted @ axes + centre)[None], atol=1e-4, rtol=0)
    samples = trained.samples[:3]
    torch.testing.assert_close(found["random tokens"](samples, None), samples, atol=1e-2, rtol=0)
    assert (found["random directions"](samples, None) - samples).abs().max() > 0.1
