"""The tables of attention hold every weight, and sentences and texts fit the model."""

import numpy as np
import pandas as pd
import pytest

from attention_tables import SENTENCE
from emoscope.errors import UserError
from emoscope.writeups.attention import measure as attention_tables
from random_models import TEXTS


@pytest.fixture
def folder(model, tokenizer, tmp_path):
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_the_tables_hold_every_weight(folder, tokenizer, tmp_path):
    paths = [tmp_path / f"{name}.parquet" for name in ("weights", "averages", "tokens")]
    attention_tables.attention_weights(folder, [], {"sentences": [SENTENCE, TEXTS[1]], "heads": [[2, 3]]}, *paths)
    weights, averages, tokens = map(pd.read_parquet, paths)
    length = len(tokenizer(SENTENCE)["input_ids"])
    assert (weights.groupby(["sentence", "block", "head"]).size()[0] == length * (length + 1) / 2).all()
    sums = weights.groupby(["sentence", "block", "head", "source"])["weight"].sum()
    assert len(sums.loc[0].index.droplevel("source").unique()) == 3 * 4
    assert np.allclose(sums, 1, atol=1e-5)
    mean = weights.groupby(["sentence", "block", "source", "target"])["weight"].mean()
    found = averages[averages["view"] == "mean"].set_index(["sentence", "block", "source", "target"])["weight"]
    assert np.allclose(found.sort_index(), mean, atol=1e-6)
    overall = averages[averages["view"] == "overall"].set_index(["sentence", "source", "target"])["weight"]
    assert np.allclose(overall.sort_index(), mean.groupby(["sentence", "source", "target"]).mean(), atol=1e-6)
    row = weights.query("sentence == 1 and source == 2 and target == 1").iloc[0]
    labels = tokens.query("sentence == 1").set_index("position")["label"]
    assert [row["source_token"], row["target_token"]] == [labels[2], labels[1]]


def test_a_sentence_that_does_not_fit_is_cut(model, tokenizer):
    limit = model.config.max_position_embeddings
    whole, (text, ids) = attention_tables.readable_sentences([SENTENCE, "very " * 200], model, tokenizer)
    assert whole == (SENTENCE, tokenizer(SENTENCE)["input_ids"])
    assert ids == tokenizer("very " * 200, verbose=False)["input_ids"][:limit]
    assert text.endswith(" …") and tokenizer(text.removesuffix(" …"))["input_ids"] == ids


def test_a_head_that_is_not_there_is_named(model):
    attention_tables.check_heads([[2, 3]], model)
    for place in ([3, 0], [0, 4]):
        with pytest.raises(UserError, match=r"heads\[1\].*blocks 0 to 2 and heads 0 to 3"):
            attention_tables.check_heads([[0, 0], place], model)


def test_texts_are_drawn_once_each(tokenizer, tmp_path):
    path = tmp_path / "test.parquet"
    pd.DataFrame({"text": [*TEXTS, *TEXTS, "no"]}).to_parquet(path)
    found = attention_tables.chosen_texts(path, tokenizer, 2, seed=0)
    assert len(found) == 2 and found[0] != found[1]
    assert found == attention_tables.chosen_texts(path, tokenizer, 2, seed=0)
    others = [attention_tables.chosen_texts(path, tokenizer, 2, seed=seed) for seed in range(1, 6)]
    assert any(other != found for other in others), "the seed draws them"
    assert len(attention_tables.chosen_texts(path, tokenizer, 99, seed=0)) < len(TEXTS), "too short ones are left out"


def test_long_texts_are_cut_where_there_are_too_few(tokenizer, tmp_path):
    path = tmp_path / "test.parquet"
    pd.DataFrame({"text": [*TEXTS, *(f"{text} {text} {text} {text}" for text in TEXTS)]}).to_parquet(path)
    whole = attention_tables.chosen_texts(path, tokenizer, 2, seed=0)
    found = attention_tables.chosen_texts(path, tokenizer, 8, seed=0, longest=20)
    assert len(found) == 8 and max(map(len, found)) == 20
    assert max(map(len, whole)) <= 32


def test_of_texts_that_are_all_too_short_there_is_nothing_to_tell(folder, tokenizer, tmp_path):
    """As of search queries: a page without these tables is better than none, and than no index."""
    path = tmp_path / "test.parquet"
    pd.DataFrame({"text": ["no", TEXTS[0]]}).to_parquet(path)
    assert attention_tables.chosen_texts(path, tokenizer, 9, seed=0) == []
    tables = [tmp_path / name for name in ("blocked", "looks", "silenced")]
    attention_tables.block_attention(folder, path, [], {"texts": 9}, {"seed": 0}, *tables)
    assert all(pd.read_parquet(table).empty for table in tables)
