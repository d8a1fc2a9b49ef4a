"""Autoencoders come back from the disk as they were."""

import torch

from emoscope.models.features.autoencoder import BATCH, TopKAutoencoder, rates_of
from emoscope.models.features.stored import load_autoencoders, save_autoencoders


def made(seed: int, features: int = 6, active: int = 2) -> TopKAutoencoder:
    found = TopKAutoencoder(4, features, active)
    found.start(torch.randn(9, 4), torch.Generator().manual_seed(seed))
    return found.requires_grad_(False)


def test_autoencoders_survive_the_disk(tmp_path):
    both = [made(0), made(1, active=3)]
    save_autoencoders(both, 3, tmp_path / "weights.safetensors")
    found, block = load_autoencoders(tmp_path / "weights.safetensors", torch.device("cpu"))
    units = torch.randn(5, 4)
    assert block == 3 and all(torch.equal(one(units), own(units)) for one, own in zip(found, both, strict=True))
    assert not any(weights.requires_grad for one in found for weights in one.parameters())


def test_none_are_stored_as_none(tmp_path):
    save_autoencoders([], 2, tmp_path / "weights.safetensors")
    assert load_autoencoders(tmp_path / "weights.safetensors", torch.device("cpu")) == ([], 2)


def test_rates_are_shares_of_all_tokens():
    own, units = made(0), torch.randn(BATCH + 9, 4, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(rates_of(own, units), (own.encode(units) > 0).float().mean(dim=0))
