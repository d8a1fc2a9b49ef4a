"""The autoencoder: sparse, trained on structure, and unchanged by the disk."""

import pandas as pd
import pytest
import torch

from emoscope.errors import UserError
from emoscope.models.features import autoencoder as inside
from emoscope.models.features.lookups import fit_lookups
from emoscope.writeups.residual import autoencoder, autoencoder_scores
from random_models import TEXTS, random_autoencoder


def test_a_token_never_has_more_features_than_allowed(model):
    codes = random_autoencoder(model, active=4).autoencoder.encode(torch.randn(50, 24))
    assert (codes >= 0).all()
    assert ((codes > 0).sum(dim=1) <= 4).all()
    assert (codes > 0).any()


def test_training_finds_sparse_structure_that_other_dictionaries_miss():
    generator = torch.Generator().manual_seed(0)
    truth = torch.nn.functional.normalize(torch.randn(48, 16, generator=generator), dim=1)
    codes = inside.strongest(torch.rand(4000, 48, generator=generator), 2)
    units = inside.scaled(codes @ truth)
    settings = {"features": 48, "active": 2, "steps": 150}
    found, errors = inside.train(units[:3000], settings, seed=0)
    axes = autoencoder.principal_axes(units[:3000])
    trained = autoencoder.Trained(found, 0, torch.zeros(48), units.mean(dim=0), axes, units[:48])
    ids = torch.randint(9, (4000, 2), generator=generator)  # tokens that have nothing to do with the activations
    averages = fit_lookups(units[:3000], ids[:3000])
    left = {
        name: (reconstruct(units[3000:], ids[3000:]) - units[3000:]).square().sum().item()
        for name, reconstruct in autoencoder_scores.reconstructions(trained, averages, seed=1).items()
    }
    assert errors[-1] < errors[0] / 2
    assert left["autoencoder"] < 0.7 * min(value for name, value in left.items() if name != "autoencoder")


def test_the_baseline_of_random_directions_is_not_what_the_autoencoder_starts_from(model):
    trained = random_autoencoder(model)
    trained.autoencoder.start(torch.randn(9, 24), torch.Generator().manual_seed(3))
    baseline = autoencoder_scores.reconstructions(trained, averages=None, seed=3)["random directions"]
    assert (baseline.keywords["directions"] @ trained.autoencoder.decoder.T).max() < 0.99


def test_an_autoencoder_survives_the_disk(model, tmp_path):
    trained = random_autoencoder(model, block=2)
    autoencoder.save(trained, tmp_path / "a.safetensors")
    found = autoencoder.load(tmp_path / "a.safetensors", torch.device("cpu"))
    units = torch.randn(5, 24)
    assert torch.equal(found.autoencoder(units), trained.autoencoder(units))
    assert torch.equal(found.rate, trained.rate)
    assert (found.block, found.autoencoder.active) == (2, 4)
    for number in range(8):
        autoencoder.save(trained, tmp_path / f"{number}.safetensors")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_held_out_texts_are_never_trained_on(tokenizer, tmp_path):
    rows = [{"id": number, "text": f"{text} {number % 40}", "label": 0} for number, text in enumerate(TEXTS * 20)]
    corpus = tmp_path / "train.parquet"
    pd.DataFrame(rows).to_parquet(corpus)
    settings = {"held_out": 12, "tokens": 100}
    held_out = autoencoder.held_out_texts(corpus, settings, 3)["text"]
    training = autoencoder.training_texts(corpus, tokenizer, settings, 3)
    assert len(held_out) == 12
    assert set(held_out).isdisjoint(training)
    with pytest.raises(UserError, match=r"not 100,000; lower residual\.autoencoder\.tokens"):
        autoencoder.training_texts(corpus, tokenizer, settings | {"tokens": 100_000}, 3)
