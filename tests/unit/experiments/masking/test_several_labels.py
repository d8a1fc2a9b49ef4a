"""Masks of a classifier that may give a text several labels: each label's confident texts, judged by that label."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from emoscope.experiments.masking.head_pairs.measure import costliest_heads
from emoscope.experiments.masking.masks import Mask
from emoscope.experiments.masking.measure import mask_block, score_table
from emoscope.experiments.masking.measures import MEASURES, judged, measures, well_decided
from emoscope.experiments.masking.reference import masking_reference
from emoscope.experiments.masking.samples import most_confident
from emoscope.experiments.masking.summarise import summarise
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.logits import predict_logits, prediction_table
from emoscope.storage.decisions import SEVERAL, as_column
from emoscope.storage.files import write_json, write_table
from emoscope.storage.names import ALL, WHOLE_BLOCK
from random_models import TEXTS

CLASSES = ["sadness", "joy", "love"]
STATISTICS = {"confidence": 0.95, "margin": 0.02, "resamples": 200, "seed": 0}
LEAST = np.array([0.5, 0.6, 0.4], dtype=np.float32)
LOGITS = np.array([[2, 1, -2], [1, -1, 1], [-2, 3, 0], [-1, -1, -1], [3, 0, -3]], dtype=np.float32)
LABELS = [[0, 1], [0], [2], [1], [0]]  # given are [0, 1], [0, 2], [1, 2], none and [0]


@pytest.fixture
def table() -> pd.DataFrame:
    texts = pd.DataFrame({"id": [10, 11, 12, 13, 14], "text": list("abcde"), "labels": LABELS})
    return texts.merge(prediction_table(texts, LOGITS, CLASSES, LEAST).drop(columns="labels"), on="id")


def test_a_text_stands_in_the_group_of_each_of_its_labels_by_that_labels_probability(table):
    found = most_confident(table, 2, "predicted")
    assert list(zip(found["group"], found["id"], strict=True)) == [(0, 10), (0, 14), (1, 10), (1, 12), (2, 11), (2, 12)]
    np.testing.assert_allclose(found["confidence"], expit([2, 3, 1, 3, 1, 0]), rtol=1e-6)
    assert found["group"].dtype == "int8"
    by_truth = most_confident(table, 2, "label")
    assert list(zip(by_truth["group"], by_truth["id"], strict=True)) == [(0, 10), (0, 14), (1, 10), (1, 13), (2, 12)]


def test_a_row_is_judged_by_its_own_label(table):
    samples = most_confident(table, 2, "predicted")
    masked = pd.concat([samples.drop(columns=["labels", "group", "text"])] * 2).assign(mask=[0] * 6 + [1] * 6)
    rows = judged(samples, masked)
    assert rows["group"].tolist() == [0, 0, 1, 1, 2, 2] * 2 and list(rows["labels"][6]) == [0, 1]
    found = pd.DataFrame(measures(rows, CLASSES)[:6], columns=MEASURES)
    np.testing.assert_allclose(found["probability"], expit([2, 3, 1, 3, 1, 0]), rtol=1e-6)
    np.testing.assert_allclose(found["first_class"], expit([2, 3, 2, -2, 1, -2]), rtol=1e-6)
    assert found["margin"].tolist() == [2, 3, 1, 3, 1, 0], "the label's own logit, whatever the others are"
    assert found["accuracy"].tolist() == [1] * 6, "each is given, right or wrong"
    fallen = rows[:6].assign(pred=[[1], [0], [0, 1], [], [0, 2], [1]])
    assert measures(fallen, CLASSES)[:, 3].tolist() == [0, 1, 1, 0, 1, 0], "its own label, whatever the others are"
    # joy of text 12 and love of text 11 are given and wrong
    assert well_decided(samples, CLASSES).tolist() == [True, True, True, False, False, True]
    with pytest.raises(ValueError, match="not those of the samples"):
        judged(samples, masked.iloc[::-1])


def test_changes_are_after_minus_before_by_label(table):
    samples = most_confident(table, 2, "predicted")
    after = samples[[f"logit_{name}" for name in CLASSES]].to_numpy() - [1, 0, 0.5]
    p, given = expit(after), expit(after) >= LEAST
    masked = samples[["id"]].assign(block=1, head=WHOLE_BLOCK, condition="described", pred=as_column(given))
    masked[[f"p_{name}" for name in CLASSES]] = p
    masked[[f"logit_{name}" for name in CLASSES]] = after
    found = summarise(samples, masked, STATISTICS).set_index(["group", "measure"])["change"]
    for group, change in (("sadness", -1), ("joy", 0), ("love", -0.5), (ALL, -0.5)):
        assert found[group, "margin"] == pytest.approx(change), group
    assert found["sadness", "probability"] == pytest.approx((expit([1, 2]) - expit([2, 3])).mean())
    assert found["love", "accuracy"] == pytest.approx(-0.5)  # of text 12, love is no longer given; of 11 it stays
    assert found["joy", "accuracy"] == 0


def test_the_costliest_head_is_that_without_which_own_logits_fall_most(table):
    samples = most_confident(table, 2, "predicted")
    parts = []
    for head, fall in ((0, 1.0), (1, 3.0)):
        logits = samples[[f"logit_{name}" for name in CLASSES]].to_numpy() - fall
        part = samples[["id"]].assign(block=0, head=head, condition="mean", pred=[[]] * len(samples))
        part[[f"p_{name}" for name in CLASSES]] = expit(logits)
        part[[f"logit_{name}" for name in CLASSES]] = logits
        parts.append(part)
    assert costliest_heads(samples, pd.concat(parts), 1) == [(0, 1)]


def test_masked_predictions_hold_what_is_decided(tmp_path, classifier, tokenizer, monkeypatch):
    monkeypatch.setattr(classifier.config, "problem_type", SEVERAL)
    for part in (classifier, tokenizer):
        part.save_pretrained(tmp_path / "model")
    logits = predict_logits(classifier, tokenizer, TEXTS, 64)
    table = score_table(classifier, pd.Series(range(5)), logits, 0, Mask(WHOLE_BLOCK, "described"), LEAST)
    np.testing.assert_allclose(table.filter(regex="^p_").to_numpy(), expit(logits))
    assert [list(own) for own in table["pred"]] == [list(np.flatnonzero(row)) for row in expit(logits) >= LEAST]
    texts = pd.DataFrame({"id": range(5), "text": TEXTS, "labels": [[0]] * 5})
    for name in ("train", "test"):
        write_table(texts.assign(text=texts["text"] + f" {name}"), tmp_path / f"{name}.parquet")
    samples = most_confident(
        prediction_table(texts, logits, CLASSES, np.zeros(3)).merge(texts[["id", "text"]], on="id"), 3, "predicted"
    )
    write_table(samples, tmp_path / "samples.parquet")
    write_json({"thresholds": dict(zip(CLASSES, LEAST.tolist(), strict=True))}, tmp_path / "thresholds.json")
    budget = {"tokens_per_batch": 64}
    reference = tmp_path / "means.safetensors", tmp_path / "texts.parquet"
    masking_reference(
        tmp_path / "model", tmp_path / "train.parquet", tmp_path / "test.parquet", {"reference_texts": 5}, 0, budget,
        *reference,
    )  # fmt: skip
    masking = {"block_conditions": ["described"], "head_conditions": ["zero"], "resample_draws": 1}
    write_json({"checks": [{"check": name, "exact": True} for name in CHECKS]}, tmp_path / "exactness.json")
    files = tmp_path / "model", tmp_path / "samples.parquet", *reference
    output = tmp_path / "block.parquet"
    mask_block(*files, 0, tmp_path / "exactness.json", masking, 0, budget, output, [tmp_path / "thresholds.json"])
    found = pd.read_parquet(output)
    assert len(samples) == 9 and samples["id"].duplicated().any()
    p = found.filter(regex="^p_").to_numpy()
    np.testing.assert_allclose(p, expit(found.filter(regex="^logit_").to_numpy()), rtol=1e-5)
    assert [list(own) for own in found["pred"]] == [list(np.flatnonzero(row)) for row in p >= LEAST]
    assert found["id"].tolist() == samples["id"].tolist() * (len(found) // 9)
