"""The reference: training texts only, means by kind of position over real tokens."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.errors import UserError
from emoscope.experiments.masking import reference
from emoscope.experiments.masking.reference import (
    masking_reference,
    mean_outputs,
    outputs_of,
    read_reference,
    reference_texts,
    stand_ins,
)
from emoscope.models.batches import padded_batches
from emoscope.models.parts import family_of
from emoscope.models.positions import FIRST, OTHER, POOLED, kinds_of
from masked_by_hand import OTHERS, kinds_by_hand, means_by_hand, outputs_alone, reference_of
from random_models import TEXTS

KINDS = {"first": FIRST, "pooled": POOLED, "other": OTHER}
TRAIN = pd.DataFrame({"id": range(100, 120), "text": [f"text {number}" for number in range(20)], "label": 0})


@pytest.mark.parametrize("site", ["heads", "attention", "mlp"])
@pytest.mark.parametrize("block", [0, 2])
def test_means_are_of_a_kind_of_position_whatever_is_padding(classifier, tokenizer, site, block):
    """All texts in one batch, of 1 to 20 tokens: most of it is padding."""
    found = reference_of(classifier, tokenizer).means[site]
    expected = means_by_hand(classifier, tokenizer, OTHERS, block, site)
    for kind, mean in expected.items():
        torch.testing.assert_close(found[block, KINDS[kind]], mean, atol=1e-5, rtol=0)
    assert len(found) == 3 and (found[block, POOLED] - found[block, OTHER]).abs().max() > 1e-3
    assert (found[0] - found[2]).abs().max() > 1e-3


def test_batches_change_no_mean(classifier, tokenizer):
    one, many = (mean_outputs(classifier, tokenizer, OTHERS, size) for size in (10_000, 8))
    for site in one:
        torch.testing.assert_close(one[site], many[site], atol=1e-5, rtol=0)


def test_a_kind_that_no_text_has_gets_the_mean_of_all(classifier, tokenizer):
    texts = OTHERS if family_of(classifier).pools_first else ["i", "so"]  # BERT has no first kind, one token no other
    found = mean_outputs(classifier, tokenizer, texts, 1000)["attention"]
    outputs = [outputs_alone(classifier, tokenizer, text, 1)["attention"] for text in texts]
    there = {kind for values in outputs for kind in kinds_by_hand(classifier, len(values))}
    assert there < KINDS.keys()
    for kind in KINDS.keys() - there:
        torch.testing.assert_close(found[1, KINDS[kind]], torch.cat(outputs).mean(dim=0), atol=1e-5, rtol=0)


def test_the_outputs_of_single_texts_are_kept_without_those_of_later_blocks(classifier, tokenizer):
    found = outputs_of(classifier, tokenizer, OTHERS, [1], 16)
    assert set(found.values) == {(1, "attention"), (1, "mlp")}
    for (block, site), values in found.values.items():
        for text, row, kinds in zip(OTHERS, values, found.kinds, strict=True):
            alone = outputs_alone(classifier, tokenizer, text, block)[site]
            torch.testing.assert_close(row[: len(alone)], alone, atol=1e-5, rtol=0)
            assert (kinds[: len(alone)] >= 0).all() and (kinds[len(alone) :] < 0).all()


def test_outputs_of_long_texts_are_read_when_they_are_asked_for(classifier, tokenizer, monkeypatch):
    """They are those of a pool of all texts, of which nothing is kept that does not stand in for something."""
    [(_, inputs)] = padded_batches(tokenizer, TEXTS, 1000, torch.device("cpu"))
    numbers = np.array([3, 0, 3, 1, 2])
    asked = classifier, tokenizer, OTHERS, [0, 1], 16
    kept = stand_ins(*asked)(kinds_of(classifier, inputs), numbers)
    monkeypatch.setattr(reference, "KEPT", 0)
    monkeypatch.setattr(reference, "outputs_of", None)
    found = stand_ins(*asked)(kinds_of(classifier, inputs), numbers)
    assert found.keys() == kept.keys() == {(block, site) for block in (0, 1) for site in ("attention", "mlp")}
    for key, values in kept.items():
        assert found[key].shape == values.shape == (*inputs["input_ids"].shape, 24)
        real = inputs["attention_mask"].bool()
        torch.testing.assert_close(found[key][real], values[real], atol=1e-5, rtol=0)


def test_no_test_text_is_a_reference():
    test = TRAIN.iloc[:15].assign(id=range(15))  # the same texts under other numbers
    chosen = reference_texts(TRAIN, test, 20, 1, Path("train.parquet"))
    assert set(chosen["text"]) == set(TRAIN["text"][15:]) and set(chosen["id"]) == set(TRAIN["id"][15:])
    with pytest.raises(UserError, match=r"train.parquet.*duplicates: group"):
        reference_texts(TRAIN, TRAIN, 20, 1, Path("train.parquet"))


def test_the_seed_draws_so_many_texts_and_no_more():
    nothing = TRAIN[:0]
    one, again, other = (reference_texts(TRAIN, nothing, 5, seed, Path("x")) for seed in (1, 1, 2))
    assert one.equals(again) and not one.equals(other) and len(one) == 5 and one["id"].is_unique


def test_every_reference_text_stands_in_equally_often(classifier, tokenizer):
    reference = reference_of(classifier, tokenizer)
    for draw in (0, 1):
        counts = np.bincount(reference.drawn(32, draw), minlength=len(OTHERS))
        assert counts.min() == 5 and counts.max() == 6
    assert (reference.drawn(32, 0) != reference.drawn(32, 1)).any()
    assert (reference.drawn(32, 0) != reference_of(classifier, tokenizer, seed=2).drawn(32, 0)).any()


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_what_is_written_is_what_is_read(classifier, tokenizer, tmp_path):
    classifier.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    texts = pd.DataFrame({"id": range(len(OTHERS)), "text": OTHERS, "label": 0})
    texts.to_parquet(tmp_path / "train.parquet")
    texts.assign(text=TEXTS[0]).to_parquet(tmp_path / "test.parquet")
    files = {"means": tmp_path / "means.safetensors", "texts": tmp_path / "texts.parquet"}
    source = {name: tmp_path / f"{name}.parquet" for name in ("train", "test")}
    masking_reference(
        tmp_path / "model",
        **source,
        masking={"reference_texts": 4},
        seed=1,
        prediction={"tokens_per_batch": 99},
        **files,
    )
    found = read_reference(**files, seed=7, device=torch.device("cpu"))
    assert len(found.texts) == 4 and set(found.texts) < set(OTHERS) and found.seed == 7
    expected = mean_outputs(classifier, tokenizer, found.texts, 99)
    assert set(found.means) == set(expected) == {"heads", "attention", "mlp"}
    for site, values in expected.items():
        torch.testing.assert_close(found.means[site], values, atol=1e-5, rtol=0)
    drawn = reference_texts(texts, texts[:0], 4, 1, Path("x"))["text"].tolist()
    assert found.texts == drawn != reference_texts(texts, texts[:0], 4, 0, Path("x"))["text"].tolist()
