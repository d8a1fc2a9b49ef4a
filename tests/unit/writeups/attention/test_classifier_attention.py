"""The attention of classifiers of every family: what is tabulated, and what blocking it does to the answer."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.families import random_model
from emoscope.errors import UserError
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.inside.attention_maps import maps_of
from emoscope.models.inside.visibility import visible_tokens
from emoscope.models.interventions import changing_input
from emoscope.models.loading import random_twin
from emoscope.models.parts import family_of, head_slice, pooled_token, projection_of
from emoscope.storage.files import write_json
from emoscope.writeups.attention.blocking import blocked_answers, silenced_answers, when_silenced
from emoscope.writeups.attention.measure import attention_weights, block_attention
from emoscope.writeups.attention.page import agreement_table, picked_heads, resting_names, target_names
from emoscope.writeups.attention.summarise import agreement_table as agreements
from emoscope.writeups.attention.summarise import (
    head_findings,
    head_table,
    repeated_looks,
    source_agreement,
    summarise_attention,
)
from emoscope.writeups.attention.viewer import viewer_data
from emoscope.writeups.attention.weights import resting_places
from random_models import FAMILIES, TEXTS, train_wordpiece

STATISTICS = {"seed": 0, "resamples": 200, "alpha": 0.05}
SENTENCES = ["i feel happy about the dog and i feel happy", "what a surprise"]


@pytest.fixture(scope="module")
def own_tokenizer(classifier, tokenizer):
    """BERT's puts [CLS] and [SEP] around a text, the others' nothing."""
    return train_wordpiece(TEXTS * 3, 300) if family_of(classifier).looks_ahead else tokenizer


@pytest.fixture(scope="module")
def model(classifier):
    eager = copy.deepcopy(classifier).requires_grad_(False)
    eager.set_attn_implementation("eager")
    return eager


@pytest.fixture(scope="module")
def ids(own_tokenizer) -> list[int]:
    return own_tokenizer(TEXTS[0])["input_ids"]


@pytest.fixture(scope="module")
def tables(model, own_tokenizer, tmp_path_factory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("attention")
    model.save_pretrained(folder / "model")
    own_tokenizer.save_pretrained(folder / "model")
    pd.DataFrame({"text": TEXTS}).to_parquet(folder / "test.parquet")
    names = ("weights", "averages", "tokens", "blocked", "looks", "silenced")
    paths = {name: folder / f"{name}.parquet" for name in names}
    sentences = {"sentences": SENTENCES, "heads": []}
    attention_weights(folder / "model", [], sentences, *(paths[name] for name in names[:3]))
    block_attention(
        folder / "model", folder / "test.parquet", [], {"texts": 4}, STATISTICS, *(paths[name] for name in names[3:])
    )
    return {name: pd.read_parquet(path) for name, path in paths.items()}


def moved(before, after) -> float:
    before, after = (logits[0].double().log_softmax(0) for logits in (before, after))
    return float((before.exp() * (before - after)).sum())


def test_blocked_answers_are_those_without_the_weight(model, ids, monkeypatch):
    """Another route: the weight is taken out after the softmax, and the others are made to sum to 1 again."""
    change, divergence = blocked_answers(model, ids)
    seen, softmax, tokens = visible_tokens(model, len(ids)), torch.nn.functional.softmax, torch.tensor([ids])
    before = model(tokens).logits
    predicted = int(before.argmax())
    nothing_left = seen.sum(axis=1) == 1
    assert (np.isnan(divergence) == (~seen | nothing_left[:, None])).all()
    for source, target in [(1, 0), (1, 1), (5, 2), (len(ids) - 1, 3), (0, len(ids) - 1), (2, 6)]:
        if not seen[source, target]:
            continue

        def without(scores, *arguments, place=(source, target), **options):
            weights = softmax(scores, *arguments, **options)
            weights[..., place[0], place[1]] = 0
            return weights / weights.sum(dim=-1, keepdim=True)

        with monkeypatch.context() as patched:
            patched.setattr(torch.nn.functional, "softmax", without)
            after = model(tokens).logits
        assert divergence[source, target] == pytest.approx(moved(before, after), abs=1e-5, rel=1e-3)
        wanted = after.log_softmax(-1)[0, predicted] - before.log_softmax(-1)[0, predicted]
        assert change[source, target] == pytest.approx(float(wanted), abs=1e-4)
    assert np.nanmax(divergence) > 1e-3, "blocking must do something in this model"


def test_silenced_heads_are_silent_at_the_token_that_the_head_reads(model, ids):
    place, change, divergence = when_silenced(model, ids)
    assert place == pooled_token(model, torch.tensor([ids])) == (0 if family_of(model).pools_first else len(ids) - 1)
    assert change.shape == divergence.shape == (3, 4)
    tokens = torch.tensor([ids])
    before = model(tokens).logits
    for block, head in [(0, 0), (1, 3), (2, 2)]:

        def silent(heads, head=head):
            heads = heads.clone()
            heads[:, place, head_slice(model, head)] = 0
            return heads

        with changing_input(projection_of(model, block), silent):
            after = model(tokens).logits
        assert divergence[block, head] == pytest.approx(moved(before, after), abs=1e-5, rel=1e-3)
    elsewhere = silenced_answers(model, ids, 2)[1]
    assert np.abs(elsewhere - divergence).max() > 1e-4, "it matters at which token"


def test_answers_that_are_nearly_certain_still_move(model, ids):
    sure = copy.deepcopy(model)
    last = [module for module in sure.modules() if isinstance(module, torch.nn.Linear)][-1]
    last.weight *= 40
    _, divergence = blocked_answers(sure, ids)
    found = divergence[~np.isnan(divergence)]
    assert sure(torch.tensor([ids])).logits.softmax(-1).max() > 1 - 1e-6
    assert (found >= 0).all() and len(np.unique(found)) > len(found) * 0.9


def test_the_tables_hold_what_each_token_can_look_at(model, own_tokenizer, tables):
    for number, sentence in enumerate(SENTENCES):
        ids = own_tokenizer(sentence)["input_ids"]
        own = tables["weights"][tables["weights"]["sentence"] == number]
        seen = visible_tokens(model, len(ids))
        assert (own.groupby(["block", "head"]).size() == seen.sum()).all() and len(own) == 12 * seen.sum()
        assert np.allclose(own.groupby(["block", "head", "source"])["weight"].sum(), 1, atol=1e-5)
        one = own[(own["block"] == 2) & (own["head"] == 1)]
        maps = maps_of(model, ids)
        assert np.allclose(one["weight"], maps[2, 1][one["source"], one["target"]], atol=1e-6)
    blocked = tables["blocked"]
    assert (blocked["target"] > blocked["source"]).any() == family_of(model).looks_ahead
    assert blocked["divergence"].notna().all() and blocked["change"].notna().all()


def test_places_to_rest_are_the_first_token_and_those_around_the_text(model, own_tokenizer, ids, tables):
    resting = resting_places(own_tokenizer, ids)
    if family_of(model).looks_ahead:
        assert np.flatnonzero(resting).tolist() == [0, len(ids) - 1]
        assert resting_names(tables["tokens"]) == "[CLS] and [SEP]"
    else:
        assert np.flatnonzero(resting).tolist() == [0]
        assert resting_names(tables["tokens"]) == "the first token"
    unknown = own_tokenizer("\N{SNOWMAN} happy")["input_ids"]
    assert resting_places(own_tokenizer, unknown).sum() == resting.sum(), "an unknown word is a word"


def test_the_summary_takes_both_directions(model, tables):
    trained = tables["blocked"][tables["blocked"]["weights"] == "trained"]
    agreed = agreements(source_agreement(trained), STATISTICS)
    assert agreed["value"].between(-1, 1).all()
    rest = agreed[(agreed["measure"] == "top") & (agreed["targets"] == "rest")]["guessing"].iloc[0]
    every = agreed[(agreed["measure"] == "top") & (agreed["targets"] == "all")]["guessing"].iloc[0]
    assert every < rest < 1
    heads = head_table(tables["looks"], tables["silenced"], STATISTICS)
    heads["repeated"] = repeated_looks(tables["weights"], tables["tokens"]).to_numpy()
    names = {finding.name for finding in head_findings(heads, tables["looks"], tables["silenced"], STATISTICS)}
    ahead = {"looks.next.share", "looks.last.largest"}
    assert (ahead <= names) if family_of(model).looks_ahead else not (ahead & names)
    reasons = " ".join(picked_heads(heads, [[0, 1]]).values())
    assert ("the next token" in reasons) == family_of(model).looks_ahead
    assert target_names(tables["tokens"])["rest"] in agreement_table(agreed, target_names(tables["tokens"]))


def test_nearness_counts_tokens_in_both_directions():
    source, target = np.divmod(np.arange(81), 9)
    table = pd.DataFrame({"text": 0, "source": source, "target": target, "mean": 0.1, "rollout": 0.1, "resting": False})
    table["divergence"] = 1.0 / (1 + (table["source"] - table["target"]).abs())
    found = agreements(source_agreement(table), STATISTICS).set_index(["score", "targets", "measure"]).sort_index()
    assert found.loc["nearness", "value"].tolist() == [1, 1, 1, 1]
    assert found.loc[("mean", "all", "top"), "guessing"] == pytest.approx(1 / 9)


def test_what_follows_an_earlier_occurrence_lies_before(model, tables):
    """The next token follows the token itself, which is no earlier occurrence."""
    if not family_of(model).looks_ahead:
        pytest.skip("nothing ahead is seen")
    weights = tables["weights"].assign(weight=lambda table: (table["target"] > table["source"]).astype(float))
    assert (repeated_looks(weights, tables["tokens"]) == 0).all()


def test_the_viewer_gets_every_number(model, tables):
    data = viewer_data("random", tables["weights"], tables["averages"], tables["tokens"], (0, 1, 2))
    assert data["ahead"] == family_of(model).looks_ahead
    for sentence in data["sentences"]:
        count = visible_tokens(model, len(sentence["tokens"])).sum() * (3 * (4 + 2) + 2)
        assert len(sentence["values"]) == -(-2 * count // 3) * 4


def test_small_effects_get_more_decimals(model, tables):
    averages = tables["averages"].copy()
    effects = averages["view"] == "effect"
    averages.loc[effects, "weight"] = averages.loc[effects, "weight"] / averages.loc[effects, "weight"].max() * 0.01
    names = ("random", tables["weights"], averages, tables["tokens"], (0, 1, 2))
    assert viewer_data(*names)["effect_scale"] == 1_000_000
    averages.loc[effects, "weight"] *= 400
    assert viewer_data(*names)["effect_scale"] == 1_000


def test_every_family_is_here():
    assert set(FAMILIES) == {"gpt2", "bert", "llama"}


def test_some_texts_are_blocked_in_random_twins_too(model, own_tokenizer, tables):
    """Their attention and their answers, not the model's; the same sources and targets; a twin for each text."""
    blocked = tables["blocked"].set_index(["weights", "text", "source", "target"])
    trained, twins = blocked.loc["trained"], blocked.drop("trained", level="weights")
    chosen = chosen_texts_of(own_tokenizer)
    some = list(range(0, len(chosen), 3))
    assert trained.index.unique("text").tolist() == list(range(len(chosen)))
    assert twins.index.droplevel("weights").equals(trained.loc[some].index)
    assert (twins["resting"].to_numpy() == trained.loc[some, "resting"]).all()
    assert twins.index.droplevel(["source", "target"]).unique().tolist() == [
        (str(number), text) for number, text in enumerate(some)
    ]
    for number, text in enumerate(some):
        ids = chosen[text]
        for whose, network in (("trained", model), (str(number), random_twin(model, STATISTICS["seed"] + number))):
            rows = blocked.loc[whose].loc[text].reset_index()
            _, divergence = blocked_answers(network, ids)
            expected = divergence[rows["source"], rows["target"]]
            assert np.allclose(rows["divergence"], expected, rtol=1e-2, atol=1e-9), whose
            maps = maps_of(network, ids).mean(axis=(0, 1))
            assert np.allclose(rows["mean"], maps[rows["source"], rows["target"]], atol=1e-6), whose


def test_texts_take_turns_with_the_twins_if_they_are_more(model, own_tokenizer, tables, tmp_path, monkeypatch):
    monkeypatch.setattr("emoscope.writeups.attention.measure.TWINS", 2)
    monkeypatch.setattr("emoscope.writeups.attention.measure.PER_TWIN", 1)
    for part in (model, own_tokenizer):
        part.save_pretrained(tmp_path / "model")
    pd.DataFrame({"text": TEXTS}).to_parquet(tmp_path / "test.parquet")
    paths = [tmp_path / f"{name}.parquet" for name in ("blocked", "looks", "silenced")]
    block_attention(tmp_path / "model", tmp_path / "test.parquet", [], {"texts": 4}, STATISTICS, *paths)
    found = pd.read_parquet(paths[0])
    twins, chosen = found[found["weights"] != "trained"], chosen_texts_of(own_tokenizer)
    read_by = twins.groupby("text")["weights"].unique().map(list).to_dict()
    assert read_by == {text: [str(text % 2)] for text in range(len(chosen))} and len(chosen) > 2
    for number, text in ((1, 1), (0, 2)):
        maps = maps_of(random_twin(model, STATISTICS["seed"] + number), chosen[text]).mean(axis=(0, 1))
        rows = twins[twins["text"] == text]
        assert np.allclose(rows["mean"], maps[rows["source"], rows["target"]], atol=1e-6)


def chosen_texts_of(tokenizer) -> list[list[int]]:
    drawn = pd.Series(TEXTS).drop_duplicates().sample(frac=1, random_state=STATISTICS["seed"])
    found = [tokenizer(text)["input_ids"] for text in drawn]
    return [ids for ids in found if 6 <= len(ids) <= 32][:4]


def test_weights_of_heads_are_read_where_they_are_silenced(model, own_tokenizer, tables):
    for text, ids in enumerate(chosen_texts_of(own_tokenizer)):
        source, change, divergence = when_silenced(model, ids)
        own, resting = maps_of(model, ids)[:, :, source], resting_places(own_tokenizer, ids)
        found = tables["silenced"][tables["silenced"]["text"] == text].sort_values(["block", "head"])
        wanted = {"elsewhere": own[..., ~resting].sum(axis=-1), "sharpest": own.max(axis=-1)}
        for name, values in (wanted | {"change": change, "divergence": divergence}).items():
            np.testing.assert_allclose(found[name], values.ravel(), rtol=1e-2, atol=1e-5, err_msg=name)


def test_attention_that_is_not_exact_leaves_empty_tables_and_no_findings(tmp_path):
    checks = [{"check": name, "exact": name != "blocking"} for name in CHECKS]
    write_json({"checks": checks}, exactness := tmp_path / "exactness.json")
    names = ("weights", "averages", "tokens", "blocked", "looks", "silenced", "agreement", "heads")
    paths = {name: tmp_path / f"{name}.parquet" for name in names}
    attention_weights(tmp_path / "none", [exactness], {}, *(paths[name] for name in names[:3]))
    block_attention(tmp_path / "none", tmp_path / "none", [exactness], {}, {}, *(paths[name] for name in names[3:6]))
    inputs = (paths[name] for name in ("blocked", "looks", "silenced", "weights", "tokens"))
    statistics = {"seed": 0, "resamples": 100, "confidence": 0.95}
    summarise_attention(*inputs, statistics, paths["agreement"], paths["heads"], tmp_path / "findings.csv")
    assert all(pd.read_parquet(path).empty for path in paths.values())
    assert pd.read_csv(tmp_path / "findings.csv").empty


@torch.no_grad()
def test_a_text_longer_than_the_window_is_named(own_tokenizer):
    """A mask of ours takes the place of the window: what it hides would not be all that changes."""
    short = random_model("mistral with a short window", 320)
    blocked_answers(short, [5, 6, 7])
    with pytest.raises(UserError, match="a text of 9 tokens is longer than what this model's blocks look at"):
        blocked_answers(short, list(range(5, 14)))
