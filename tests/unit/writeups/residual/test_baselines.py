"""The autoencoder and its baselines, from model and texts to tables, each number by a second route."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from emoscope.models.features.autoencoder import scaled
from emoscope.models.features.lookups import load_lookups
from emoscope.models.language_models import load_language_model
from emoscope.models.loading import random_twin
from emoscope.writeups.residual.autoencoder import (
    held_out_texts,
    learn,
    load,
    train_autoencoder,
    training_texts,
)
from emoscope.writeups.residual.autoencoder_scores import evaluate_autoencoder, twin_autoencoder

BLOCK = 1
WORDS = ["i feel", "she was", "the dog is", "my house looks", "what a day for"], ["happy", "so sad", "angry", "afraid"]
SETTINGS = {"block": BLOCK, "features": 32, "active": 4, "tokens": 200, "steps": 10, "held_out": 20, "patched": 10}
CONFIG, PREDICTION = {"autoencoder": SETTINGS, "seed": 3}, {"tokens_per_batch": 60}
STATISTICS = {"seed": 0, "resamples": 100, "confidence": 0.95}
NAMES = ["reconstruction", "patched", "features", "texts", "associations", "shuffles", "chosen"]


@pytest.fixture(scope="module")
def made(model, tokenizer, tmp_path_factory):
    """A folder with model, corpus and everything that the commands make of them."""
    folder = tmp_path_factory.mktemp("residual")
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    texts = [f"{first} {second} {number}" for first in WORDS[0] for second in WORDS[1] for number in range(5)]
    table = pd.DataFrame({"id": range(1000, 1000 + len(texts)), "text": texts, "label": np.arange(len(texts)) % 2})
    table.to_parquet(folder / "train.parquet")
    (folder / "corpus.json").write_text(json.dumps({"classes": ["sadness", "joy"]}))
    own = (folder / "model", folder / "train.parquet")
    weights, lookups = folder / "weights.safetensors", folder / "lookups.safetensors"
    train_autoencoder(*own, CONFIG, PREDICTION, weights, lookups, folder / "history.csv")
    twin_autoencoder(*own, CONFIG, PREDICTION, folder / "twin.parquet")
    outputs = {name: folder / f"{name}.parquet" for name in NAMES}
    audit = folder / "corpus.json"
    evaluate_autoencoder(*own, audit, weights, lookups, CONFIG, PREDICTION, STATISTICS, **outputs)
    return folder


@torch.inference_mode()
def activations(model, tokenizer, texts):
    """(id before, id, activation of length sqrt(width)) of every token but each text's first, text by text."""
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        stream = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[BLOCK + 1][0]
        yield [(*pair, scaled(values[None])[0]) for pair, values in zip(pairwise(ids), stream[1:], strict=True)]


def mean_of(rows):
    return torch.stack([row[-1] for row in rows]).mean(dim=0)


def baselines(model, tokenizer, corpus):
    """Squared errors of both lookups and the spread, by the id of each held-out text."""
    training = training_texts(corpus, tokenizer, SETTINGS, CONFIG["seed"])
    known = [row for text in activations(model, tokenizer, training) for row in text]
    held_out = held_out_texts(corpus, SETTINGS, CONFIG["seed"])
    mean, rows = mean_of(known), {}
    for number, text in zip(held_out["id"], activations(model, tokenizer, held_out["text"]), strict=True):
        rows[number] = {"token": 0.0, "token pair": 0.0, "spread": 0.0}
        for before, token, values in text:
            same_token = [row for row in known if row[1] == token]
            same_pair = [row for row in same_token if row[0] == before]
            by_token = mean_of(same_token) if same_token else mean
            by_pair = mean_of(same_pair) if same_pair else by_token
            for name, guess in (("token", by_token), ("token pair", by_pair), ("spread", mean)):
                rows[number][name] += (values - guess).square().sum().item()
    return pd.DataFrame.from_dict(rows, orient="index").sort_index()


@pytest.mark.parametrize("which", ["reconstruction", "twin"])
def test_lookups_are_taught_by_training_tokens_and_judged_on_the_others(which, made):
    model, tokenizer = load_language_model(made / "model")
    if which == "twin":
        model = random_twin(model, CONFIG["seed"])
    expected = baselines(model, tokenizer, made / "train.parquet")
    found = pd.read_parquet(made / f"{which}.parquet")
    for name in ("token", "token pair"):
        rows = found[found["dictionary"] == name].set_index("id").sort_index()
        assert rows.index.tolist() == expected.index.tolist()
        np.testing.assert_allclose(rows["error"], expected[name], rtol=1e-3)
        np.testing.assert_allclose(rows["spread"], expected["spread"], rtol=1e-3)
        assert rows["active"].isna().all()
    assert expected["token pair"].sum() < expected["token"].sum() < expected["spread"].sum()
    by_autoencoder = found[found["dictionary"] == "autoencoder"].set_index("id").sort_index()
    np.testing.assert_allclose(by_autoencoder["spread"], expected["spread"], rtol=1e-3)
    assert (by_autoencoder["active"] <= SETTINGS["active"] * by_autoencoder["tokens"]).all()


def test_the_twin_learns_on_random_weights_what_the_model_is_taught_on_its_own(made):
    model, tokenizer = load_language_model(made / "model")
    twin = random_twin(model, CONFIG["seed"])
    trained, _, errors = learn(twin, tokenizer, made / "train.parquet", CONFIG, PREDICTION["tokens_per_batch"])
    assert len(errors) == len(pd.read_csv(made / "history.csv")) == SETTINGS["steps"]
    assert trained.autoencoder.encoder.shape == load_file(made / "weights.safetensors")["encoder"].shape
    held_out = held_out_texts(made / "train.parquet", SETTINGS, CONFIG["seed"])
    found = pd.read_parquet(made / "twin.parquet")
    assert list(found["dictionary"].unique()) == ["autoencoder", "token pair", "token"]
    found = found[found["dictionary"] == "autoencoder"].set_index("id")["error"]
    for number, text in zip(held_out["id"], activations(twin, tokenizer, held_out["text"]), strict=True):
        units = torch.stack([row[-1] for row in text])
        expected = (trained.autoencoder(units) - units).square().sum().item()
        assert found[number] == pytest.approx(expected, rel=1e-3)


def test_the_loss_that_a_lookup_leaves_is_that_of_the_averages_in_place(made):
    """By a whole run with the averages of the pairs, at the lengths of the activations they stand for, in place."""
    model, tokenizer = load_language_model(made / "model")
    lookups = load_lookups(made / "lookups.safetensors", torch.device("cpu"))
    found = pd.read_parquet(made / "patched.parquet").set_index(["condition", "id"])["loss"]
    blocks = model.transformer.h if hasattr(model, "transformer") else model.model.layers
    row = held_out_texts(made / "train.parquet", SETTINGS, CONFIG["seed"]).iloc[4]
    ids = tokenizer(row["text"], return_tensors="pt")["input_ids"]
    pairs = torch.tensor(list(pairwise(ids[0].tolist())))
    for condition, guess in (("token pair", lookups.by_pair(pairs)), ("token", lookups.by_token(pairs))):

        def replace(module, inputs, output, guess=guess):
            stream = (output[0] if isinstance(output, tuple) else output).clone()
            stream[0, 1:] = guess / stream.shape[-1] ** 0.5 * stream[0, 1:].norm(dim=-1, keepdim=True)
            return (stream, *output[1:]) if isinstance(output, tuple) else stream

        hook = blocks[BLOCK].register_forward_hook(replace)
        with torch.inference_mode():
            logits = model(ids).logits[0, 1:-1]
        hook.remove()
        expected = torch.nn.functional.cross_entropy(logits, ids[0, 2:], reduction="sum").item()
        assert found[condition, row["id"]] == pytest.approx(expected, rel=1e-3)
        assert abs(expected - found["original", row["id"]]) > 1e-3


def test_features_have_their_shares_of_training_and_of_held_out_tokens(made):
    model, tokenizer = load_language_model(made / "model")
    trained = load(made / "weights.safetensors", torch.device("cpu"))
    found = pd.read_parquet(made / "features.parquet")
    np.testing.assert_allclose(found["rate"], trained.rate, atol=1e-6)
    texts = held_out_texts(made / "train.parquet", SETTINGS, CONFIG["seed"])["text"]
    units = torch.stack([row[-1] for text in activations(model, tokenizer, texts) for row in text])
    active = (trained.autoencoder.encode(units) > 0).float().mean(dim=0)
    np.testing.assert_allclose(found["held_out"], active, atol=1 / len(units) + 1e-6)
    assert np.abs(found["held_out"] - trained.rate.numpy()).max() > 0.02
