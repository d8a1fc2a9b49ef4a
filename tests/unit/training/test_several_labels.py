"""Training on texts that may have several labels: what is weighed, and which loss is taken."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import log_loss

from emoscope.errors import UserError
from emoscope.models.loading import load_classifier
from emoscope.models.logits import predict_logits, probabilities
from emoscope.storage.decisions import SEVERAL
from emoscope.storage.files import write_table
from emoscope.training.balance import balanced, label_weights, weighted_label_loss
from emoscope.training.finetune import finetune, rows_of
from emoscope.training.start import start_model

CLASSES = ["glad", "sad", "mad"]
LABELS = [[0], [0, 1], [0], [], [2], [0, 2]]
TABLE = pd.DataFrame({"text": list("abcdef"), "labels": LABELS})
LOGITS = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])


def test_labels_are_a_number_for_each_class_and_weigh_by_their_own_frequency():
    texts, labels, loss = balanced(TABLE, CLASSES, "weights", seed=0)
    assert texts is TABLE
    assert labels == [[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1], [1, 0, 1]]
    weights = label_weights(np.array(labels, dtype=bool), CLASSES)
    assert weights.tolist() == [0.5, 5, 2]
    truth = np.array([[1.0, 0, 1], [0, 1, 0]])
    found = torch.sigmoid(LOGITS).numpy()
    by_hand = -(truth * weights * np.log(found) + (1 - truth) * np.log(1 - found)).mean()
    given = loss(SimpleNamespace(logits=LOGITS), torch.tensor(truth, dtype=torch.float32))
    np.testing.assert_allclose(given, by_hand, rtol=1e-6)
    assert weighted_label_loss(weights[::-1].copy())(
        SimpleNamespace(logits=LOGITS), torch.tensor(truth, dtype=torch.float32)
    ) != pytest.approx(by_hand)


def test_what_cannot_be_balanced_is_refused():
    assert balanced(TABLE, CLASSES, "none", seed=0)[2] is None
    with pytest.raises(ValueError, match="downsample"):
        balanced(TABLE, CLASSES, "downsample", seed=0)
    with pytest.raises(UserError, match="no training text of class 'hope'"):
        balanced(TABLE, [*CLASSES, "hope"], "weights", seed=0)


def test_the_models_own_loss_is_binary_cross_entropy(tokenizer):
    sizes = {"blocks": 1, "heads": 2, "width": 8, "context": 32}
    model = start_model(None, tokenizer, CLASSES, sizes, several=True).eval()
    assert model.config.problem_type == SEVERAL
    [row] = rows_of(tokenizer, ["i feel happy"], [[1.0, 0.0, 1.0]])
    inputs = {name: torch.tensor([values]) for name, values in row.items()}
    output = model(**inputs)
    found = torch.sigmoid(output.logits)[0].detach().double().numpy()
    by_hand = np.mean([log_loss([true], [p], labels=[0, 1]) for true, p in zip(row["labels"], found, strict=True)])
    np.testing.assert_allclose(output.loss.item(), by_hand, rtol=1e-5)


def test_a_classifier_learns_to_give_both_labels_or_none(tmp_path):
    texts = ["so glad", "so mad", "glad and mad", "so so"] * 12
    labels = [[0], [1], [0, 1], []] * 12
    write_table(pd.DataFrame({"id": range(48), "text": texts, "labels": labels}), tmp_path / "train.parquet")
    (tmp_path / "corpus.json").write_text(json.dumps({"classes": ["glad", "mad"]}))
    model = {"source": "scratch", "blocks": 1, "heads": 2, "width": 16, "vocabulary": 300, "context": 16}
    training = {"epochs": 60, "batch_size": 16, "learning_rate": 1e-2, "weight_decay": 0.0, "schedule": "linear"}
    training |= {"warmup": 0, "precision": "fp32", "balance": "none", "gpus": 1}
    config = {"model": model, "training": training, "seed": 1}
    files = (tmp_path / "work", tmp_path / "model", tmp_path / "training.json")
    finetune(tmp_path / "train.parquet", tmp_path / "corpus.json", [], config, *files)
    classifier, tokenizer = load_classifier(tmp_path / "model")
    found = probabilities(classifier, predict_logits(classifier, tokenizer, texts[:4], 64))
    assert (found > 0.5).tolist() == [[True, False], [False, True], [True, True], [False, False]]
