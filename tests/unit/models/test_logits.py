"""Prediction reads and writes bit by bit, and what comes out is what one go would give."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from emoscope.models import logits as predict
from emoscope.storage.files import write_table
from emoscope.storage.shards import chunks_of
from made_up import predictions
from random_models import TEXTS


@pytest.fixture
def tables(tmp_path):
    texts = pd.DataFrame({"id": range(23), "text": (TEXTS * 5)[:23], "label": pd.array([1] * 23, dtype="int8")})
    write_table(texts[:17], tmp_path / "train.parquet")
    write_table(texts[17:], tmp_path / "test.parquet")
    return texts, [tmp_path / "train.parquet", tmp_path / "test.parquet"]


@pytest.mark.parametrize("shards", [1, 2, 5, 30])
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_shares_in_chunks_make_up_the_tables(tables, shards, chunk):
    texts, paths = tables
    parts = [list(chunks_of(paths, f"{number}-of-{shards}", chunk)) for number in range(1, shards + 1)]
    assert max(len(part) for share in parts for part in share) <= chunk
    assert all(parts)
    found = pd.concat([part for share in parts for part in share], ignore_index=True)
    pd.testing.assert_frame_equal(found, texts)


def test_predictions_in_chunks_are_those_of_one_go(tables, tmp_path, monkeypatch, classifier, tokenizer):
    for part in (classifier, tokenizer):
        part.save_pretrained(tmp_path / "model")
    config = {"tokens_per_batch": 64}
    predict.predict(tmp_path / "model", *tables[1], "1-of-1", config, tmp_path / "whole.parquet")
    monkeypatch.setattr(predict, "chunks_of", partial(chunks_of, chunk=5))
    predict.predict(tmp_path / "model", *tables[1], "1-of-1", config, tmp_path / "chunks.parquet")
    whole, chunks = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("whole", "chunks"))
    assert list(whole["id"]) == list(range(23))
    pd.testing.assert_frame_equal(whole, chunks, atol=1e-5)


def test_predictions_are_the_softmax_of_the_logits():
    table = predictions(50)
    np.testing.assert_allclose(table.filter(regex="^p_").sum(axis=1), 1, atol=1e-6)
    logits = table.filter(regex="^logit_").to_numpy()
    assert (table["pred"] == logits.argmax(axis=1)).all()
    np.testing.assert_allclose(table["confidence"], softmax(logits, axis=1).max(axis=1), rtol=1e-6)
