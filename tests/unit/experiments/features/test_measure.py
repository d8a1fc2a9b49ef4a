"""What autoencoders learn of a planted model, beside averages and random weights."""

import pandas as pd
import pytest
import torch

from emoscope.errors import UserError
from emoscope.experiments.features.measure import block_of, distinct_texts, load_autoencoders, save_autoencoders
from emoscope.models.features.autoencoder import TopKAutoencoder
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import compiled


def value(found, name: str) -> float:
    return found.findings.set_index("name").loc[name, "value"]


def test_the_autoencoder_explains_what_the_token_does_not(found):
    assert value(found, "explained.autoencoder") > 0.9 > 0.6 > value(found, "explained.token") > 0.2
    assert value(found, "explained.mean") == pytest.approx(0, abs=1e-6), "the spread is around it"
    low = found.findings.set_index("name").loc[["explained.beyond_token", "agreement.beyond_token"], "low"]
    assert (low > 0.3).all()


def test_the_model_answers_from_what_stands_in_place_of_its_stream(found):
    assert value(found, "agreement.original") == value(found, "accuracy.original") == 1
    assert value(found, "agreement.autoencoder") > 0.9
    assert value(found, "agreement.token") < 0.6, "the token that is read is the same in all texts"
    assert value(found, "accuracy.token") == value(found, "agreement.token"), "all of its answers are right"


def test_random_weights_are_not_the_models(found):
    assert value(found, "accuracy.original.random_weights") < 0.6
    tokens = found.judged[found.judged["way"] == "token"]
    errors = tokens.pivot(index="text", columns="weights", values="error")
    assert (errors["the model"] != errors["random weights"]).all()
    counts = found.judged.groupby("weights")["seed"].nunique()
    assert counts["the model"] == 3 and counts["random weights"] == 2, "with NONE, two seeds and one"


def test_each_seed_is_an_autoencoder_of_its_own(found):
    (one, other), block = load_autoencoders(found.folder / "learned.safetensors", torch.device("cpu"))
    assert block == 1 and one.active == 8 and not torch.equal(one.decoder, other.decoder)
    rates = found.rates[found.rates["weights"] == "the model"].groupby("seed")["rate"].sum()
    assert (rates <= 8 + 1e-6).all() and (rates > 7).all(), "so many are active at a token"
    assert value(found, "dead") == (found.rates.query("weights == 'the model'")["rate"] == 0).mean()


def test_autoencoders_survive_the_disk(tmp_path):
    made = []
    for seed in range(2):
        made.append(TopKAutoencoder(4, 6, 2))
        made[-1].start(torch.randn(9, 4), torch.Generator().manual_seed(seed))
    save_autoencoders(made, 3, tmp_path / "weights.safetensors")
    found, block = load_autoencoders(tmp_path / "weights.safetensors", torch.device("cpu"))
    units = torch.randn(5, 4)
    assert block == 3 and all(torch.equal(one(units), own(units)) for one, own in zip(found, made, strict=True))


def test_half_of_the_blocks_are_still_to_come():
    model = compiled(plan(1), "gpt2")
    assert block_of(model, None) == 1 and block_of(model, 3) == 3
    with pytest.raises(UserError, match=r"no block 4: the model's blocks are 0 to 3; set features\.block"):
        block_of(model, 4)


def test_no_text_is_judged_that_was_trained_on():
    training = pd.DataFrame({"text": [f"text {number % 30}" for number in range(40)]})
    testing = pd.DataFrame({"text": [f"text {number}" for number in range(20, 60)] * 2})
    learned, judged = distinct_texts(training, testing, {"learned": 10, "judged": 100, "seed": 1})
    assert len(learned) == 10 and sorted(judged["text"]) == sorted(f"text {number}" for number in range(30, 60))
