"""What is told of a feature, by hand."""

import pytest
import torch

from emoscope.experiments.features.cards import CARDS, cards_of
from emoscope.experiments.features.choice import Chosen
from emoscope.models.features.autoencoder import TopKAutoencoder

WIDTH = 16
ASKED = torch.tensor([[1.0, 0], [0, 0], [2, 0], [3, 1]])  # activations of two features at four test tokens
TAUGHT = torch.tensor([[1.0, 2], [0, 1], [0, 1], [0, 3]])  # and at training tokens


def test_a_card_tells_at_how_many_test_tokens_a_feature_is_active_and_what_chance_matches():
    autoencoders = [TopKAutoencoder(WIDTH, WIDTH, 4).requires_grad_(False) for _ in range(3)]
    for own in autoencoders:
        own.decoder.copy_(torch.eye(WIDTH))
    chosen = [Chosen(feature, 0, 1.0, 1.0, {}) for feature in (3, 5)]
    ids = torch.arange(8).reshape(4, 2)
    rows = list(cards_of(autoencoders, chosen, (TAUGHT, ids), (ASKED, ids), ["joy"], {"seed": 1}))
    first, second = (dict(zip(CARDS, row, strict=True)) for row in rows)
    assert (first["feature"], first["rate"], first["match"]) == (3, 0.75, 1)
    assert (second["feature"], second["rate"], second["match"]) == (5, 0.25, 1)
    chance = torch.randn(20000, WIDTH, generator=torch.Generator().manual_seed(0))
    largest = (chance / chance.norm(dim=1, keepdim=True)).amax(dim=1).mean()
    assert first["random_match"] == second["random_match"] == pytest.approx(float(largest), abs=0.05)
