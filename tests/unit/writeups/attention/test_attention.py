"""Attention weights, rollout, and what blocking attention does, each against a plain calculation."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from emoscope.errors import UserError
from emoscope.models.interventions import fixed_head
from emoscope.statistics.ranks import rank_agreement, top_agreement
from emoscope.writeups.attention import blocking as attention_effects
from emoscope.writeups.attention import measure as attention_tables
from emoscope.writeups.attention import weights as attention
from random_models import TEXTS

SENTENCE = "i feel happy about the dog and i feel happy about the house"
SIZES = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
CONFIGS = {
    "gpt2": lambda size: GPT2Config(vocab_size=size, n_positions=48, n_embd=24, n_layer=3, n_head=4),
    "llama": lambda size: LlamaConfig(vocab_size=size, num_key_value_heads=2, max_position_embeddings=48, **SIZES),
}


@pytest.fixture(scope="module", params=CONFIGS)
def model(request, tokenizer):
    """A random language model with 3 blocks of 4 heads; weights large enough for attention to be uneven."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[request.param](len(tokenizer)), attn_implementation="eager").eval()
    for name, parameter in model.named_parameters():
        if "norm" not in name and "ln_" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def ids(tokenizer) -> list[int]:
    return tokenizer(SENTENCE)["input_ids"]


@pytest.fixture
def folder(model, tokenizer, tmp_path):
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_the_tables_hold_every_weight(folder, tokenizer, tmp_path):
    paths = [tmp_path / f"{name}.parquet" for name in ("weights", "averages", "tokens")]
    attention_tables.attention_weights(folder, {"sentences": [SENTENCE, TEXTS[1]], "heads": [[2, 3]]}, *paths)
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


def test_weights_are_what_a_softmax_over_the_scores_gives(model, ids):
    """The first block of GPT-2 by hand; rotary positions are Hugging Face's business."""
    if model.config.model_type != "gpt2":
        pytest.skip("written out for learned positions")
    block, places = model.transformer.h[0], torch.arange(len(ids))
    with torch.no_grad():
        inputs = block.ln_1(model.transformer.wte(torch.tensor(ids)) + model.transformer.wpe(places))
        queries, keys, _ = block.attn.c_attn(inputs).view(len(ids), 3, 4, 6).unbind(1)
        scores = torch.einsum("shd,thd->hst", queries, keys) / 6**0.5
        scores = scores.masked_fill(places[None, :] > places[:, None], -torch.inf)
    assert np.allclose(attention.attention_of(model, ids)[0], scores.softmax(-1), atol=1e-5)


def test_rollout_is_the_product_of_averaged_maps_and_identity():
    one, two = np.array([[1, 0], [0.4, 0.6]]), np.array([[1, 0], [1, 0]])
    maps = np.stack([[one, one], [two, two]])
    found = attention.rollout(maps)
    assert np.allclose(found[0], [[1, 0], [0.2, 0.8]])
    assert np.allclose(found[1], np.array([[1, 0], [0.5, 0.5]]) @ found[0])


def test_tokens_can_be_read(tokenizer):
    labels = attention.readable(tokenizer, tokenizer("so happy\n\t\N{SLIGHTLY SMILING FACE}")["input_ids"])
    assert "\N{MIDDLE DOT}" in "".join(labels) and "\\n" in "".join(labels)
    assert all(label and label.isprintable() and "\N{REPLACEMENT CHARACTER}" not in label for label in labels)


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


def blocked_whole(model, ids, source, target):
    """The source's log-probabilities from a run of the whole text in which it cannot look at the target."""
    mask = torch.full((len(ids), len(ids)), torch.finfo(torch.float32).min).triu(1)
    mask[source, target] = torch.finfo(torch.float32).min
    with torch.no_grad():
        return model(torch.tensor([ids]), attention_mask=mask[None, None]).logits[0, source].log_softmax(-1)


def divergence_of(before, after):
    return float((before.exp() * (before - after)).sum())


def test_blocked_predictions_equal_whole_runs(model, ids, monkeypatch):
    monkeypatch.setattr(attention_effects, "QUERIES", 7)  # several passes
    prefix = attention_effects.Prefix.of(model, ids)
    change, divergence = attention_effects.blocked_predictions(model, prefix)
    assert np.isnan(change[0]).all() and np.isnan(change[-1]).all() and np.isnan(divergence[0]).all()
    for source, target in [(1, 0), (5, 0), (5, 5), (8, 3), (len(ids) - 1, 2)]:
        after = blocked_whole(model, ids, source, target)
        before = prefix.predictions[source]
        assert divergence[source, target] == pytest.approx(divergence_of(before, after), abs=1e-4)
        assert divergence[source, target] > 1e-3, "blocking must do something in this model"
        if source < len(ids) - 1:
            following = ids[source + 1]
            assert change[source, target] == pytest.approx(float(after[following] - before[following]), abs=1e-4)


def test_silenced_heads_equal_whole_runs(model, ids):
    """At the first token a head silenced there alone and one silenced everywhere are the same for its prediction."""
    prefix = attention_effects.Prefix.of(model, ids)
    _, divergence = attention_effects.silenced_predictions(model, prefix, 0)
    for block, head in [(0, 0), (1, 2), (2, 3)]:
        with torch.no_grad(), fixed_head(model, block, head, 0.0):
            after = model(torch.tensor([ids])).logits[0, 0].log_softmax(-1)
        expected = divergence_of(prefix.predictions[0], after)
        assert expected > 1e-3
        assert divergence[block, head] == pytest.approx(expected, abs=1e-4)
    _, later = attention_effects.silenced_predictions(model, prefix, len(ids) - 2)
    with torch.no_grad(), fixed_head(model, 2, 1, 0.0):  # nor do the last block's other rows matter
        after = model(torch.tensor([ids])).logits[0, len(ids) - 2].log_softmax(-1)
    assert later[2, 1] == pytest.approx(divergence_of(prefix.predictions[len(ids) - 2], after), abs=1e-4)


def test_rank_agreement_is_spearmans():
    rng = np.random.default_rng(0)
    maps, effects = rng.random((2, 8, 8)), rng.random((8, 8)).round(1)  # some ties
    effects[np.triu_indices(8, 1)] = np.nan  # a source cannot look at what follows
    effects[:, 0] = np.nan
    found = rank_agreement(maps, effects)
    assert np.isnan(found[:, :4]).all()
    for source in range(4, 8):
        wanted = [spearmanr(row[source, 1 : source + 1], effects[source, 1 : source + 1])[0] for row in maps]
        assert np.allclose(found[:, source], wanted)
        same = maps[:, source, 1 : source + 1].argmax(-1) == effects[source, 1 : source + 1].argmax()
        assert (top_agreement(maps, effects)[:, source] == same).all()


def test_where_heads_look():
    maps = np.tril(np.arange(16.0).reshape(4, 4))[None, None]
    found = {name: values.item() for name, values in attention.where_heads_look(maps).items()}
    assert found == {"first": (8 + 12) / 2, "itself": (10 + 15) / 2, "previous": (9 + 14) / 2}


def test_where_heads_look_that_look_ahead():
    maps = np.arange(36.0).reshape(1, 1, 6, 6)
    found = {name: values.item() for name, values in attention.where_heads_look(maps, looks_ahead=True).items()}
    rows = {"first": (12, 18), "itself": (14, 21), "previous": (13, 20), "next": (15, 22), "last": (17, 23)}
    assert found == {name: sum(values) / 2 for name, values in rows.items()}


def test_texts_are_drawn_once_each(tokenizer, tmp_path):
    path = tmp_path / "test.parquet"
    pd.DataFrame({"text": [*TEXTS, *TEXTS, "no"]}).to_parquet(path)
    found = attention_tables.chosen_texts(path, tokenizer, 2, seed=0)
    assert len(found) == 2 and found[0] != found[1]
    assert found == attention_tables.chosen_texts(path, tokenizer, 2, seed=0)
    assert len(attention_tables.chosen_texts(path, tokenizer, 99, seed=0)) < len(TEXTS), "too short ones are left out"


def test_long_texts_are_cut_where_there_are_too_few(tokenizer, tmp_path):
    path = tmp_path / "test.parquet"
    pd.DataFrame({"text": [*TEXTS, *(f"{text} {text} {text} {text}" for text in TEXTS)]}).to_parquet(path)
    whole = attention_tables.chosen_texts(path, tokenizer, 2, seed=0)
    found = attention_tables.chosen_texts(path, tokenizer, 8, seed=0, longest=20)
    assert len(found) == 8 and max(map(len, found)) == 20
    assert max(map(len, whole)) <= 32


def test_texts_that_are_all_too_short_are_named(tokenizer, tmp_path):
    path = tmp_path / "test.parquet"
    pd.DataFrame({"text": ["no", TEXTS[0]]}).to_parquet(path)
    with pytest.raises(UserError, match="1 of its distinct texts have 6 tokens or more"):
        attention_tables.chosen_texts(path, tokenizer, 9, seed=0)
