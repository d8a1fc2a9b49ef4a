"""What autoencoders learn of a planted model, beside averages and random weights."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.errors import UserError
from emoscope.experiments.features.measure import block_of, learn_features
from emoscope.experiments.features.texts import learned_and_judged
from emoscope.models.features.stored import load_autoencoders
from emoscope.models.logits import predict_logits
from emoscope.models.planted.circuit import CLASSES, plan
from emoscope.models.planted.compiled import compiled, tokenizer_for
from emoscope.models.planted.texts import sentences
from emoscope.storage.decisions import SEVERAL
from planted_features import CONFIG, PREDICTION
from planted_model import save_planted
from random_models import write_exactness


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


def test_half_of_the_blocks_are_still_to_come():
    model = compiled(plan(1), "gpt2")
    assert block_of(model, None) == 1 and block_of(model, 3) == 3
    with pytest.raises(UserError, match=r"no block 4: the model's blocks are 0 to 3; set features\.block"):
        block_of(model, 4)


def test_without_a_new_text_nothing_can_be_judged(found, tmp_path):
    texts = {"train": found.folder / "train.parquet", "test": found.folder / "train.parquet"}
    made = {name: tmp_path / name for name in ("weights", "random_weights", "judged", "rates")}
    shared = {"config": CONFIG, "prediction": PREDICTION, "exactness": found.folder / "exactness.json"}
    with pytest.raises(UserError, match="every text is a training text as well"):
        learn_features(found.folder / "model", **texts, **shared, **made)


def test_of_several_labels_all_count_and_thresholds_decide(tmp_path):
    """The answer is right if just the true labels are given, none of them among others."""
    model, texts = compiled(plan(1), "gpt2"), sentences(120, 1)
    model.config.problem_type = SEVERAL
    save_planted(model, tmp_path / "model")
    logits = predict_logits(model, tokenizer_for("gpt2"), texts["text"].tolist(), 512)
    given = 1 / (1 + np.exp(-logits)) >= (least := np.quantile(1 / (1 + np.exp(-logits)), 0.75, axis=0))
    assert (given.sum(axis=1) == 0).any() and (given.sum(axis=1) > 1).any(), "neither one label each"
    texts["labels"] = [list(np.flatnonzero(row)) for row in given]
    texts = texts.drop(columns="label").assign(id=range(120))
    texts.loc[60:79, "labels"] = texts.loc[60:79, "labels"].map(lambda own: [*{0, 1, 2} - {*own}])
    texts[:40].to_parquet(tmp_path / "train.parquet")
    texts[40:].to_parquet(tmp_path / "test.parquet")
    thresholds = dict(zip(CLASSES, map(float, least), strict=True))
    (tmp_path / "thresholds.json").write_text(json.dumps({"thresholds": thresholds}))
    made = {name: tmp_path / f"{name}.parquet" for name in ("judged", "rates")}
    learn_features(
        tmp_path / "model", tmp_path / "train.parquet", tmp_path / "test.parquet", write_exactness(tmp_path),
        CONFIG | {"steps": 2, "seeds": 1}, PREDICTION, tmp_path / "weights", tmp_path / "random_weights", **made,
        thresholds=[tmp_path / "thresholds.json"],
    )  # fmt: skip
    judged = pd.read_parquet(made["judged"])
    whole = judged[(judged["weights"] == "the model") & (judged["way"] == "original")]
    new = (~texts["text"][40:].duplicated() & ~texts["text"][40:].isin(texts["text"][:40])).to_numpy()
    assert len(whole) == new.sum() and whole["agrees"].all()
    assert 0 < whole["right"].mean() == 1 - new[20:40].sum() / new.sum() < 1


def test_no_text_is_judged_that_was_trained_on():
    training = pd.DataFrame({"text": [f"text {number % 30}" for number in range(40)]})
    testing = pd.DataFrame({"text": [f"text {number}" for number in range(20, 60)] * 2})
    learned, judged = learned_and_judged(training, testing, {"learned": 10, "judged": 100, "seed": 1})
    assert len(learned) == 10 and sorted(judged["text"]) == sorted(f"text {number}" for number in range(30, 60))
