"""Thresholds are those that were asked for, or the best on the validation texts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score

from emoscope.errors import UserError
from emoscope.models.logits import predict_logits, probabilities
from emoscope.storage.decisions import SEVERAL, decided
from emoscope.storage.files import read_json, write_json, write_table
from emoscope.training.best_thresholds import best_thresholds
from emoscope.training.thresholds import choose_thresholds
from random_models import TEXTS

CLASSES = ["sadness", "joy", "love"]


def test_the_threshold_lies_midway_below_the_last_text_that_raises_f1():
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], dtype=bool)
    found = np.array([[0.9, 0.1], [0.5, 0.2], [0.3, 0.6], [0.1, 0.7]])
    np.testing.assert_allclose(best_thresholds(truth, found), [0.4, 0.4])
    assert best_thresholds(truth[:, ::-1], found[:, ::-1]).tolist() == best_thresholds(truth, found)[::-1].tolist()
    assert best_thresholds(np.zeros((4, 1), bool), found[:, :1]).tolist() == [0.5]


@given(arrays(bool, 12), arrays(np.float32, 12, elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])))
def test_no_other_threshold_has_a_higher_f1(truth, scores):
    def f1(threshold) -> float:
        return f1_score(truth, scores >= threshold, zero_division=0)

    [found] = best_thresholds(truth[:, None], scores[:, None])
    if truth.any():
        assert f1(found) == max(map(f1, scores))
    assert 0 <= found <= 1


def choose(folder, wanted, validation=()) -> dict:
    write_json({"classes": CLASSES}, folder / "corpus.json")
    output = folder / "thresholds.json"
    budget = {"tokens_per_batch": 64}
    choose_thresholds(
        folder / "model", folder / "corpus.json", list(validation), {"thresholds": wanted}, budget, output
    )
    return read_json(output)


def test_configured_thresholds_need_no_model(tmp_path):
    assert choose(tmp_path, 0.3)["thresholds"] == dict.fromkeys(CLASSES, 0.3)
    assert choose(tmp_path, None)["thresholds"] == dict.fromkeys(CLASSES, 0.5)
    found = choose(tmp_path, {"joy": 0.4})
    assert found == {"thresholds": {"sadness": 0.5, "joy": 0.4, "love": 0.5}, "chosen": "config", "texts": 0}
    with pytest.raises(UserError, match="'hope' is no label of the classifier; known: sadness, joy, love"):
        choose(tmp_path, {"hope": 0.4})


def test_thresholds_are_chosen_on_the_validation_texts(tmp_path, classifier, tokenizer, monkeypatch):
    monkeypatch.setattr(classifier.config, "problem_type", SEVERAL)
    for part in (classifier, tokenizer):
        part.save_pretrained(tmp_path / "model")
    found = probabilities(classifier, predict_logits(classifier, tokenizer, TEXTS, 64))
    wanted = np.array([np.sort(column)[-2:].mean() for column in found.T], dtype=np.float32)  # only the first has it
    labels = [np.flatnonzero(row).astype("int8") for row in decided(found, wanted)]
    validation = tmp_path / "validation.parquet"
    write_table(pd.DataFrame({"id": range(len(TEXTS)), "text": TEXTS, "labels": labels}), validation)
    chosen = choose(tmp_path, "validation", [validation])
    np.testing.assert_allclose(list(chosen["thresholds"].values()), wanted, atol=1e-6)
    assert chosen["chosen"] == "validation" and chosen["texts"] == len(TEXTS)
    write_table(pd.read_parquet(validation)[:0], validation)
    with pytest.raises(UserError, match="no validation part"):
        choose(tmp_path, "validation", [validation])
