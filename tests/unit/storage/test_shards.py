"""Shares of a table: together they are the table, and what a classifier says of them is what it says of the whole."""

import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

from emoscope.models.logits import predict
from emoscope.perturbation.pairs import PAIR_KEY
from emoscope.perturbation.scored_pairs import score_perturbation
from emoscope.storage.shards import join_tables, shard_of
from random_models import FAMILIES, TEXTS

BATCH = {"tokens_per_batch": 64}


@pytest.fixture(scope="module")
def model(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    FAMILIES["gpt2"](len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("shards", [1, 2, 3, 10, 13])
def test_shares_are_of_one_size_and_make_up_the_table(shards):
    table = pd.DataFrame({"id": range(10)})
    parts = [shard_of(table, f"{number}-of-{shards}") for number in range(1, shards + 1)]
    assert_frame_equal(pd.concat(parts), table)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("shards", [3, 7])  # of 5 pairs: some shares are empty
def test_scores_do_not_depend_on_the_shares(model, tmp_path, shards):
    keys = {key: [f"{key} {number}" for number in range(5)] for key in PAIR_KEY}
    pairs = tmp_path / "pairs.parquet"
    pd.DataFrame({**keys, "text": TEXTS, "perturbed": TEXTS[::-1]}).to_parquet(pairs)
    score_perturbation(model, pairs, "1-of-1", BATCH, tmp_path / "whole.parquet")
    parts = [tmp_path / f"{number}.parquet" for number in range(1, shards + 1)]
    for number, part in enumerate(parts, 1):
        score_perturbation(model, pairs, f"{number}-of-{shards}", BATCH, part)
    join_tables(parts, tmp_path / "joined.parquet")
    whole, joined = pd.read_parquet(tmp_path / "whole.parquet"), pd.read_parquet(tmp_path / "joined.parquet")
    assert whole["before_joy"].nunique() == 5
    assert_frame_equal(joined, whole, rtol=0, atol=1e-6)  # float32: other texts beside it in a batch, another rounding


def test_joined_cells_of_csv_stay_as_they_are_written(tmp_path):
    parts = {"a": "name,value\nNA,0\n", "b": "name,value\n,0.1000000000000000055\n"}
    for name, text in parts.items():
        (tmp_path / name).write_text(text)
    join_tables([tmp_path / name for name in parts], tmp_path / "both.csv")
    assert (tmp_path / "both.csv").read_text() == "name,value\nNA,0\n,0.1000000000000000055\n"


def test_predictions_do_not_depend_on_the_shares(model, tmp_path):
    train, test = tmp_path / "train.parquet", tmp_path / "test.parquet"
    pd.DataFrame({"id": range(3), "text": TEXTS[:3], "label": 0}).to_parquet(train)
    pd.DataFrame({"id": range(3, 5), "text": TEXTS[3:], "label": 1}).to_parquet(test)
    predict(model, train, test, "1-of-1", BATCH, tmp_path / "whole.parquet")
    parts = [tmp_path / f"{number}-of-2.parquet" for number in (1, 2)]
    for part in parts:
        predict(model, train, test, part.stem, BATCH, part)
    joined = pd.concat(map(pd.read_parquet, parts), ignore_index=True)
    assert_frame_equal(joined, pd.read_parquet(tmp_path / "whole.parquet"), rtol=0, atol=1e-6)
