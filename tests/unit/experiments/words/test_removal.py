"""Taking words away, against predictions of texts altered by hand; and whether the words that a method names matter."""

import weakref

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.experiments.words import faithfulness, removal
from emoscope.experiments.words.gradients import baseline, embedded, inputs_of
from emoscope.experiments.words.methods import BINS, KINDS, SHARES, SPECIAL
from emoscope.experiments.words.read_texts import read_texts
from emoscope.experiments.words.removal import Reader, by_removal, occluded_tokens, occluded_words, shapley
from emoscope.experiments.words.scores import Scored
from emoscope.models.inside.integration import centred
from emoscope.models.logits import predict_logits, probabilities
from random_models import TEXTS

FEW = TEXTS[:3]


@pytest.fixture
def reader(classifier, own_tokenizer):
    return Reader(classifier, own_tokenizer, tokens_per_batch=64)


def said(reader, *texts):
    return predict_logits(reader.model, reader.tokenizer, texts, 64)


def test_occluding_a_word_is_predicting_the_text_without_it(reader):
    readings = read_texts(reader.tokenizer, FEW)
    found = occluded_words(reader, readings)
    without = centred(reader.model, said(reader, *FEW)[1]) - centred(reader.model, said(reader, "i am angry")[0])
    assert np.allclose(found[1][2], without, atol=1e-5) and np.abs(without).max() > 1e-3
    assert [len(values) for values in found] == [len(one.words) for one in readings]


def test_blanks_between_words_are_no_part_of_what_a_word_adds(reader):
    """Texts that differ in their blanks alone are the same once a word is cut out; so they are with all words there."""
    plain, spread = read_texts(reader.tokenizer, ["i am so angry", "  i am\t\tso\n \nangry "])
    for method in ("occlusion_word", "shapley"):
        [one], [other] = (by_removal(reader, [reading], method, 2, seed=0) for reading in (plain, spread))
        assert np.allclose(one, other, atol=1e-5) and np.abs(one).max() > 1e-3


@pytest.mark.parametrize("method", ["occlusion_token", "occlusion_word", "shapley"])
def test_texts_are_altered_part_by_part_with_the_same_scores(reader, monkeypatch, method):
    readings = read_texts(reader.tokenizer, TEXTS)
    whole = by_removal(reader, readings, method, 2, seed=0)
    most, by_part = [], lambda readings, removals, *_: most.append(len({row for row, _ in removals}))
    monkeypatch.setattr(removal, "AT_ONCE", sum(len(one.words) ** 2 for one in readings[:2]))
    for name in ("without", "padded"):
        own = getattr(reader, name)
        monkeypatch.setattr(reader, name, lambda *given, own=own: (by_part(*given), own(*given))[1])
    for one, other in zip(whole, by_removal(reader, readings, method, 2, seed=0), strict=True):
        assert np.allclose(one, other, atol=1e-4)
    assert max(most) == 2 and len(most) == 4, "a text of more words than the first two is read by itself"


def test_what_was_read_is_not_kept(reader, monkeypatch):
    read = []

    def predicted(model, tokenizer, texts, tokens):
        logits = np.zeros((len(texts), 3), dtype=np.float32)
        read.append((texts, weakref.ref(logits)))
        return logits

    monkeypatch.setattr(removal, "predict_logits", predicted)
    assert reader.logits(["a", "b", "a"]).shape == (3, 3)
    [(texts, logits)] = read
    assert texts == ["a", "b"], "each is read once"
    assert logits() is None


def test_occluding_a_token_is_embedding_it_as_padding(reader):
    readings = read_texts(reader.tokenizer, FEW)
    whole = said(reader, *FEW)
    found = occluded_tokens(reader, readings)
    token = 2
    ids = torch.tensor([readings[1].inputs["input_ids"]])
    embedding = reader.model.get_input_embeddings()
    values = embedding(ids).detach().clone()
    values[0, token] = embedding.weight[reader.model.config.pad_token_id].detach()
    with torch.no_grad():
        left = reader.model(inputs_embeds=values).logits.numpy()[0]
    assert np.allclose(found[1][token], centred(reader.model, whole[1]) - centred(reader.model, left), atol=1e-4)
    assert np.abs(found[1][readings[1].owners == SPECIAL]).sum() == 0


def test_shapley_values_share_out_the_whole_difference_from_the_empty_text(reader):
    readings = read_texts(reader.tokenizer, FEW)
    found = shapley(reader, readings, 2, np.random.default_rng(0))
    empty = centred(reader.model, reader.logits([""])[0])
    for text, values in zip(FEW, found, strict=True):
        assert np.allclose(values.sum(axis=0), centred(reader.model, said(reader, text)[0]) - empty, atol=1e-4)
    again, other = (shapley(reader, readings, 2, np.random.default_rng(seed)) for seed in (0, 1))
    assert np.array_equal(found[2], again[2]) and not np.allclose(found[2], other[2])


def test_shapley_values_of_two_words_are_those_of_the_definition(reader):
    text = "what surprise"
    [values] = shapley(reader, read_texts(reader.tokenizer, [text]), 1, np.random.default_rng(0))
    none, first, second, both = (
        centred(reader.model, logits) for logits in reader.logits(["", "what", "surprise", text])
    )
    assert np.allclose(values[0], ((first - none) + (both - second)) / 2, atol=1e-4)
    assert np.allclose(values[1], ((second - none) + (both - first)) / 2, atol=1e-4)


def test_nothing_padded_is_the_text_and_all_padded_its_baseline(reader):
    readings = read_texts(reader.tokenizer, FEW)
    sizes = [len(one.owners) for one in readings]
    assert np.allclose(
        reader.padded(readings, [(row, np.ones(size, dtype=bool)) for row, size in enumerate(sizes)]),
        said(reader, *FEW),
        atol=1e-4,
    )
    inputs, fixed = inputs_of(reader.tokenizer, readings[:1], reader.model.device)
    start = baseline(reader.model, 0, embedded(reader.model, inputs), fixed, "padding")
    with torch.no_grad():
        nothing = reader.model(inputs_embeds=start).logits.numpy()
    assert np.allclose(reader.padded(readings, [(0, np.zeros(sizes[0], dtype=bool))]), nothing, atol=1e-4)


def found_of(readings, **scores):
    return [
        Scored(row, "joy", one.words, {k: v(len(one.words)) for k, v in scores.items()}, None)
        for row, one in enumerate(readings)
    ]


def test_the_words_that_a_method_ranks_first_are_taken_away_first(reader):
    readings = read_texts(reader.tokenizer, FEW)
    found = found_of(readings, first=lambda n: -np.arange(n, dtype=float), last=lambda n: np.arange(n, dtype=float))
    curves = faithfulness.curves_of(reader, readings, found, "cut", None).set_index(["id", "method", "part", "share"])
    joy = lambda text: probabilities(reader.model, reader.logits([text]))[0, 1]  # noqa: E731
    value = curves["probability"]
    assert np.isclose(value[1, "first", "without", 0.2], joy("am so angry"))
    assert np.isclose(value[1, "last", "without", 0.2], joy("i am so"))
    assert np.isclose(value[1, "first", "with", 0.5], joy("i am"))
    for name in ("first", "last"):
        assert np.isclose(value[1, name, "without", 0.0], joy(FEW[1])) and np.isclose(
            value[1, name, "with", 1.0], joy(FEW[1])
        )
        assert np.isclose(value[1, name, "without", 1.0], value[1, name, "with", 0.0])


def test_the_ways_to_take_words_away_differ(reader):
    readings = read_texts(reader.tokenizer, FEW)
    kept = [(row, np.arange(len(one.words)) != 1) for row, one in enumerate(readings)]
    others = faithfulness.other_words(readings, seed=0)
    cut, resampled, paddings = (faithfulness.answered(reader, readings, kept, kind, others) for kind in KINDS)
    assert np.abs(cut - resampled).max() > 1e-4 and np.abs(cut - paddings).max() > 1e-4
    with pytest.raises(ValueError, match="no such way"):
        faithfulness.answered(reader, readings, kept, "burnt", others)


def test_words_are_resampled_from_other_texts(own_tokenizer):
    readings = read_texts(own_tokenizer, ["a a a a", "b b", "c c c"])
    for number, words in enumerate(faithfulness.other_words(readings, seed=0)):
        assert len(words) == len(readings[number].words) and set(words) <= set("abc") - {"abc"[number]}


def test_faithfulness_is_what_its_definition_says():
    rows = [
        (7, "one", "cut", part, share, 1 - share if part == "without" else share)
        for part in ("without", "with")
        for share in SHARES
    ]
    curves = pd.DataFrame(rows, columns=["id", "method", "kind", "part", "share", "probability"])
    [found] = faithfulness.faithfulness_of(curves).to_dict("records")
    assert found["comprehensiveness"] == pytest.approx(np.mean(BINS))
    assert found["sufficiency"] == pytest.approx(1 - np.mean(BINS))
    assert found["deletion"] == pytest.approx(0.5) and found["insertion"] == pytest.approx(0.5)
    worse = curves.assign(probability=np.where(curves["part"] == "without", 1.0, 0.0))
    [found] = faithfulness.faithfulness_of(worse).to_dict("records")
    assert (found["deletion"], found["insertion"], found["comprehensiveness"], found["sufficiency"]) == (1, 0, 0, 1)


def test_scores_that_tell_the_falls_explain_them_whatever_their_unit():
    falls = np.array([0.5, -0.2, 1.0])
    assert faithfulness.unexplained(3 * falls, falls) == pytest.approx(0)
    assert faithfulness.unexplained(-3 * falls, falls) == pytest.approx(1), "of the wrong sign they tell nothing"
    assert faithfulness.unexplained(np.array([1.0, 2.5, 0.0]), falls) == pytest.approx(1)  # orthogonal
    assert faithfulness.unexplained(np.zeros(3), falls) == pytest.approx(1)
    assert np.isnan(faithfulness.unexplained(falls, np.zeros(3)))


def test_scores_that_add_up_explain_what_is_left_without_sets_of_words(reader, monkeypatch):
    """A classifier whose logit is a sum over words is told perfectly by these, and badly by others."""
    readings = read_texts(reader.tokenizer, TEXTS)
    rng = np.random.default_rng(0)
    worth = [rng.normal(size=len(one.words)) for one in readings]

    def added(_, __, removals, *___):
        joy = np.array([worth[row] @ kept for row, kept in removals])
        return np.stack([-joy, joy, 0 * joy], axis=1)

    monkeypatch.setattr(faithfulness, "answered", added)
    found = [
        Scored(row, "joy", one.words, {"own": worth[row], "turned": worth[row][::-1], "negated": -worth[row]}, None)
        for row, one in enumerate(readings)
    ]
    means = (
        faithfulness.infidelity_of(reader, readings, found, "cut", None, seed=0).groupby("method")["infidelity"].mean()
    )
    assert means["own"] == pytest.approx(0, abs=1e-9) and means["turned"] > 0.2
    assert means["negated"] == pytest.approx(1)
