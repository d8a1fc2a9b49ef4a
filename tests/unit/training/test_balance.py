"""Balanced training: every class counts the same, whichever way, and nothing else changes."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import UserError
from emoscope.storage.files import read_json, write_json
from emoscope.training.balance import class_weights, downsample, weighted_loss
from emoscope.training.finetune import finetune
from random_models import TEXTS

CLASSES = ["calm", "angry", "so-so"]
MODEL = {"vocabulary": 300, "context": 32, "width": 8, "blocks": 1, "heads": 1}
TRAINING = {"epochs": 2, "batch_size": 4, "learning_rate": 1e-2, "weight_decay": 0, "schedule": "linear"}
TRAINING |= {"warmup": 0, "precision": "fp32", "gpus": 1}

labels_of_all_classes = st.lists(st.integers(0, 2), max_size=40).map(lambda labels: [2, 0, 1, *labels])


@given(labels_of_all_classes, st.integers(0, 100))
def test_downsampling_leaves_as_many_of_each_class_as_the_smallest_has(labels, seed):
    labels = np.array(labels)
    rows = downsample(labels, CLASSES, seed)
    assert (np.diff(rows) > 0).all()  # the order stays, and no text comes twice
    assert set(np.bincount(labels[rows])) == {np.bincount(labels).min()}
    assert (rows == downsample(labels, CLASSES, seed)).all()


def test_another_seed_draws_other_texts():
    labels = np.repeat([0, 1, 2], [50, 5, 20])
    one, two = (set(downsample(labels, CLASSES, seed)) for seed in (1, 2))
    assert one != two
    assert one & two >= set(range(50, 55))  # the smallest class is there as a whole


@given(labels_of_all_classes)
def test_weights_let_each_class_count_the_same_and_a_text_one_on_average(labels):
    weights, counts = class_weights(labels, CLASSES), np.bincount(labels)
    np.testing.assert_allclose(weights * counts, len(labels) / len(CLASSES))
    assert weights[labels].mean() == pytest.approx(1)


def test_processes_that_share_a_batch_have_its_loss_on_average():
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 3), torch.tensor([0, 0, 0, 0, 0, 1, 1, 2])
    loss = weighted_loss(class_weights(labels.tolist(), CLASSES))
    whole, *halves = (
        loss(SimpleNamespace(logits=logits[part]), labels[part]) for part in (slice(8), slice(4), slice(4, 8))
    )
    torch.testing.assert_close(torch.stack(halves).mean(), whole)
    equal = weighted_loss(class_weights([0, 1, 2], CLASSES))
    plain = torch.nn.functional.cross_entropy(logits, labels)
    torch.testing.assert_close(equal(SimpleNamespace(logits=logits), labels), plain)


@pytest.mark.parametrize(
    "balance", [lambda labels: downsample(labels, CLASSES, 1), lambda labels: class_weights(labels, CLASSES)]
)
def test_a_class_without_texts_is_named(balance):
    with pytest.raises(UserError, match=r"no training text of class 'so-so'.*`balance: none`") as error:
        balance([0, 1, 1])
    assert "\n" not in str(error.value)


def trained(folder, balance):
    """Fine-tune on 20 texts: 14, 4 and 2 of the classes."""
    texts = pd.DataFrame({"id": range(20), "text": TEXTS * 4, "label": [0, 0, 0, 1, 1, 0, 0, 0, 0, 2] * 2})
    texts.to_parquet(folder / "train.parquet")
    write_json({"classes": CLASSES}, folder / "corpus.json")
    finetune(
        train=folder / "train.parquet",
        audit=folder / "corpus.json",
        base=[],
        config={"model": MODEL, "training": {**TRAINING, "balance": balance}, "seed": 1},
        checkpoints=folder / "work",
        output=folder / balance,
        history=folder / f"{balance}.json",
    )
    return read_json(folder / f"{balance}.json"), *(
        (folder / balance / name).read_bytes() for name in ("tokenizer.json", "model.safetensors")
    )


def test_a_training_says_how_many_texts_it_used(tmp_path):
    (plain, words, weights), (few, few_words, _), (weighted, _, other_weights) = (
        trained(tmp_path, balance) for balance in ("none", "downsample", "weights")
    )
    assert (plain["texts"], few["texts"], weighted["texts"]) == (20, 3 * 2, 20)
    assert (plain["steps"], few["steps"], weighted["steps"]) == (10, 4, 10)
    assert few_words == words  # learned from all texts
    assert other_weights != weights
