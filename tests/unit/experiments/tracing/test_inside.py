"""Looking inside a pair: alignment, patching, attribution and the lens, each against what must hold exactly."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoscope.experiments.tracing.alignment import align, aligned_units
from emoscope.experiments.tracing.attribution import Part, contributions_of, lens_of, lens_table
from emoscope.experiments.tracing.dimensions import activation_spread, dimension_tables, unrelated_texts, word_changes
from emoscope.experiments.tracing.measure import COLUMNS, inside, strongest
from emoscope.experiments.tracing.patching import Patch, _matched, all_patches, patch_table, patched_logits, transfers
from emoscope.models.activations import activations_of, unit_means
from emoscope.models.families import (
    blocks_of,
    family_of,
    head_slice,
    head_weights,
    heads_of,
    last_and_head_of,
    pooled_token,
    projection_of,
)
from emoscope.models.interventions import changing_output
from random_models import FAMILIES, TEXTS, train_wordpiece

TEXT, FLIPPED = "he said that she was afraid of her dog", "she said that he was afraid of his dog"
SPANS = [(0, 2, 0, 3), (13, 16, 14, 16), (31, 34, 31, 34)]
CLASSES = ["sadness", "joy", "love"]
BUDGET = 200  # tokens in a batch: few, so that patches of a block fill several


@pytest.fixture
def same_length(tokenizer):
    """A pair whose texts have as many tokens, whatever the tokenizer."""
    text, flipped = "i am so angry at the dog", "i am so angry at the end"
    aligned = align(tokenizer, text, flipped, [(21, 24, 21, 24)])
    assert aligned.original["input_ids"].shape == aligned.flipped["input_ids"].shape
    return aligned


@pytest.fixture
def runs(classifier, same_length):
    return activations_of(classifier, same_length.original), activations_of(classifier, same_length.flipped)


WORDS = st.lists(st.sampled_from(["he", "she", "a", "feels", "mother in law"]), min_size=1, max_size=8)


@given(WORDS, WORDS)
def test_units_line_up_whatever_the_lengths(words, others):
    """Each `he` is one changed span; its counterpart may have any number of words."""
    text, perturbed, spans = "", "", []
    for number, word in enumerate(words):
        space = " " if number else ""
        other = others[number % len(others)] if word == "he" else word
        start, other_start = len(text + space), len(perturbed + space)
        text, perturbed = text + space + word, perturbed + space + other
        if word == "he":
            spans.append((start, len(text), other_start, len(perturbed)))
    units = aligned_units(text, perturbed, spans)
    for (start, end), (other_start, other_end) in units:
        same = text[start:end] == perturbed[other_start:other_end]
        assert same or (start, end, other_start, other_end) in spans
    assert " ".join(text[start:end] for (start, end), _ in units) == text


def test_every_token_belongs_to_one_unit(tokenizer):
    aligned = align(tokenizer, TEXT, FLIPPED, SPANS)
    assert [unit.word for unit in aligned.units] == TEXT.split()
    assert [unit.flipped_word for unit in aligned.units] == FLIPPED.split()
    for text, side in ((aligned.original, "tokens"), (aligned.flipped, "flipped_tokens")):
        places = [place for unit in aligned.units for place in getattr(unit, side)]
        assert places == list(range(text["input_ids"].shape[1]))


@pytest.fixture(scope="module")
def bert():
    """A random BERT whose tokenizer puts [CLS] and [SEP] around a text."""
    own = train_wordpiece([*TEXTS, TEXT, FLIPPED], 300)
    torch.manual_seed(0)
    model = FAMILIES["bert"](len(own)).eval()
    for parameter in model.bert.encoder.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model, own


def test_special_tokens_are_units_of_their_own(bert):
    _, own = bert
    aligned = align(own, TEXT, FLIPPED, SPANS)
    assert [unit.word for unit in aligned.units] == ["[CLS]", *TEXT.split(), "[SEP]"]
    assert [unit.flipped_word for unit in aligned.units] == ["[CLS]", *FLIPPED.split(), "[SEP]"]
    assert sorted(place for unit in aligned.units for place in unit.tokens) == list(
        range(aligned.original["input_ids"].shape[1])
    )


def test_a_flip_reaches_the_answer_through_the_token_before_the_text(bert):
    """Also where a pooler reads it: every table names [CLS], where no word stands."""
    model, own = bert
    aligned = align(own, TEXT, FLIPPED, SPANS)
    tables = inside(model, aligned, 1, BUDGET)
    end = tables["patching"].query("site == 'residual' and block == 3")
    assert end["word"].iloc[0] == "[CLS]"
    np.testing.assert_allclose(end.loc[end["word"] == "[CLS]", "share"], 1, atol=1e-4)
    np.testing.assert_allclose(end.loc[end["word"] != "[CLS]", "share"], 0, atol=1e-4)
    logits = model(**aligned.original).logits[0].detach()
    sums = tables["attribution"].query("version == 'original'").groupby("class")["contribution"].sum()
    np.testing.assert_allclose(sums[CLASSES], logits, atol=1e-4)
    last = tables["lens"].query("version == 'original' and depth == 3").set_index("class")["logit"]
    np.testing.assert_allclose(last[CLASSES], logits, atol=1e-4)


def test_dimensions_are_measured_at_flipped_words(classifier, tokenizer):
    pairs = pd.DataFrame({"text": [TEXT], "perturbed": [FLIPPED], "spans": [SPANS]})
    changes = word_changes(classifier, tokenizer, pairs, 1)
    assert list(changes.index) == ["he/she", "he/she", "her/his"] and changes.shape[1] == 24
    aligned = align(tokenizer, TEXT, FLIPPED, SPANS)
    before, after = (activations_of(classifier, text).residual[2] for text in (aligned.original, aligned.flipped))
    unit = aligned.units[0]
    wanted = (after[unit.flipped_tokens].mean(dim=0) - before[unit.tokens].mean(dim=0)).abs()
    np.testing.assert_allclose(changes.iloc[0], wanted, atol=1e-5)
    spread = activation_spread(classifier, tokenizer, pd.Series([TEXT, FLIPPED]), 1)
    np.testing.assert_allclose(spread, torch.cat([before, after]).std(dim=0, correction=0), atol=1e-5)


def test_words_that_share_a_token_are_one_unit(tokenizer):
    # the span ends inside a word, as where `he` in `hes` becomes `she`
    aligned = align(tokenizer, "i think hes happy", "i think shes happy", [(8, 10, 8, 11)])
    words = [(unit.word, unit.flipped_word) for unit in aligned.units]
    assert "".join(word for word, _ in words) == "ithinkheshappy"
    places = [place for unit in aligned.units for place in unit.tokens]
    assert places == list(range(aligned.original["input_ids"].shape[1]))


def test_a_unit_beyond_the_context_is_left_out(tokenizer):
    long = "dog " * 100
    aligned = align(tokenizer, "he " + long + "he", "she " + long + "she", [(0, 2, 0, 3), (403, 405, 404, 407)])
    assert aligned.units[0].flipped_word == "she"
    assert aligned.units[-1].word == "dog"


def test_tokens_correspond_from_the_last_backwards():
    assert _matched([4, 5], [7, 8]) == ([4, 5], [7, 8])
    assert _matched([4], [7, 8]) == ([4], [8])
    assert _matched([4, 5, 6], [7, 8]) == ([4, 5, 6], [7, 7, 8])


def test_patching_every_unit_at_the_first_block_gives_the_other_text(classifier, same_length, runs):
    for transfer in transfers(same_length, *runs).values():
        whole = [place for unit in transfer.places for place in unit[0]]
        merged = type(transfer)(transfer.inputs, transfer.recipient, transfer.donor, [(whole, whole)])
        [found] = patched_logits(classifier, merged, [Patch("residual", 0, unit=0)], BUDGET)
        np.testing.assert_allclose(found, transfer.donor.logits, atol=1e-5)
        assert np.abs(found - transfer.recipient.logits.numpy()).max() > 1e-3


def test_patching_a_text_with_itself_changes_nothing(classifier, tokenizer):
    aligned = align(tokenizer, TEXT, TEXT, [])
    run = activations_of(classifier, aligned.original)
    patches = all_patches(classifier, len(aligned.units))
    for transfer in transfers(aligned, run, run).values():
        found = patched_logits(classifier, transfer, patches, BUDGET)
        np.testing.assert_allclose(found, np.broadcast_to(run.logits, found.shape), atol=1e-5)


def test_a_causal_model_feels_no_patch_before_the_first_flipped_word(classifier, same_length, runs):
    table = patch_table(classifier, same_length, *runs, CLASSES, BUDGET).query("site == 'residual'")
    first = next(n for n, unit in enumerate(same_length.units) if unit.word != unit.flipped_word)
    before = table[table["unit"] < first]
    causal = not family_of(classifier).pools_first
    assert (before["share"].abs() < 1e-4).all() == causal
    at_first = table[(table["block"] == 0) & (table["unit"] == first)]
    np.testing.assert_allclose(at_first["share"], 1, atol=1e-4)  # the only word that differs


def test_the_difference_ends_at_the_token_that_the_head_reads(classifier, same_length, runs):
    table = patch_table(classifier, same_length, *runs, CLASSES, BUDGET)
    place = pooled_token(classifier, same_length.original["input_ids"])
    end = table[(table["site"] == "residual") & (table["block"] == len(blocks_of(classifier)))]
    pooled = end["unit"].map(lambda unit: place in same_length.units[unit].tokens)
    np.testing.assert_allclose(end.loc[pooled, "share"], 1, atol=1e-4)
    np.testing.assert_allclose(end.loc[~pooled, "share"], 0, atol=1e-4)


def test_a_patched_part_agrees_with_writing_its_activation_by_hand(classifier, same_length, runs):
    """Heads change the projection's output by their part of it; all of them together are the attention patch."""
    transfer = next(iter(transfers(same_length, *runs).values()))
    heads = range(heads_of(classifier))
    patches = [Patch("attention", 1), *(Patch("head", 1, head=head) for head in heads)]
    attention, *each = patched_logits(classifier, transfer, patches, BUDGET)
    with (
        torch.inference_mode(),
        changing_output(projection_of(classifier, 1), lambda _: transfer.donor.attention[1][None]),
    ):
        by_hand = classifier(**transfer.inputs).logits[0]
    np.testing.assert_allclose(attention, by_hand, atol=1e-5)
    difference = (transfer.donor.heads[1] - transfer.recipient.heads[1]).unflatten(-1, (len(heads), -1))
    for head in heads:
        with (
            torch.inference_mode(),
            changing_output(
                projection_of(classifier, 1),
                lambda values, h=head: values + difference[:, h] @ head_weights(classifier, 1)[h],
            ),
        ):
            by_hand = classifier(**transfer.inputs).logits[0]
        np.testing.assert_allclose(each[head], by_hand, atol=1e-5)


def test_contributions_add_up_to_the_logits(classifier, tokenizer):
    for text in (TEXT, FLIPPED):
        inputs = tokenizer(text, return_tensors="pt")
        run = activations_of(classifier, inputs)
        parts, values = contributions_of(classifier, run, pooled_token(classifier, inputs["input_ids"]))
        np.testing.assert_allclose(values.sum(dim=0), run.logits, atol=1e-4)
        assert len(parts) == len(set(parts)) == len(values)


@torch.inference_mode()
def test_a_head_contributes_what_it_writes_through_the_norm_at_its_actual_scale(classifier, tokenizer):
    if family_of(classifier).norms:
        pytest.skip("a post-norm family norms the head's part again in every later block")
    inputs = tokenizer(TEXT, return_tensors="pt")
    run = activations_of(classifier, inputs)
    place = pooled_token(classifier, inputs["input_ids"])
    without = run.heads[1, place].clone()
    without[head_slice(classifier, 2)] = 0
    projection, (norm, score) = projection_of(classifier, 1), last_and_head_of(classifier)
    written = projection(run.heads[1, place]) - projection(without)
    last, layer_norm = run.residual[-1, place], isinstance(norm, torch.nn.LayerNorm)
    scale = last.std(correction=0) if layer_norm else last.square().mean().sqrt()
    centred = written - written.mean() if layer_norm else written
    parts, values = contributions_of(classifier, run, place)
    found = values[parts.index(Part("head", 1, 2))]
    np.testing.assert_allclose(found, score(centred / scale * norm.weight), atol=1e-4)


def test_the_lens_ends_at_the_models_own_answer(classifier, tokenizer):
    inputs = tokenizer(TEXT, return_tensors="pt")
    run = activations_of(classifier, inputs)
    place = pooled_token(classifier, inputs["input_ids"])
    logits = lens_of(classifier, run, place)
    assert logits.shape == (len(blocks_of(classifier)) + 1, 3)
    torch.testing.assert_close(logits[-1], run.logits, atol=1e-4, rtol=0)
    table = lens_table(classifier, run, place, CLASSES)
    last = table[table["depth"] == table["depth"].max()].set_index("class")["probability"]
    np.testing.assert_allclose(last[CLASSES], run.logits.softmax(dim=0), atol=1e-5)
    np.testing.assert_allclose(table.groupby("depth")["probability"].sum(), 1, atol=1e-5)


def test_the_pooled_token_is_the_one_before_the_padding(classifier):
    padded = torch.tensor([[5, 6, 7, 0, 0]])
    assert pooled_token(classifier, padded) == (0 if family_of(classifier).pools_first else 2)


def test_a_pair_gets_every_table(classifier, tokenizer):
    tables = inside(classifier, align(tokenizer, TEXT, FLIPPED, SPANS), 1, BUDGET)
    for name, columns in COLUMNS.items():
        assert set(columns) == set(tables[name]) - {"pair", "id", "origin"}, name
        assert not tables[name].isna().any(axis=None), name
    assert set(tables["patching"]["direction"]) == {"flipped into original", "original into flipped"}


def test_activations_are_averaged_over_the_tokens_of_a_word(classifier, tokenizer):
    run = activations_of(classifier, tokenizer(TEXT, return_tensors="pt"))
    for site, whole in (("residual", run.residual[2]), ("attention", run.attention[1])):
        np.testing.assert_allclose(unit_means(run, [1, 2], 1)[site], (whole[1] + whole[2]) / 2, atol=1e-6)


def test_controls_are_not_traced():
    pairs = pd.DataFrame({
        "text": ["a", "b"], "flags": [[], []], "origin": ["control", "natural"],
        "before_joy": [0.1, 0.1], "after_joy": [0.9, 0.2],
    })  # fmt: skip
    assert list(strongest(pairs, 5)["text"]) == ["b"]


# ---------------------------------------------------------------------------------------------------------------------
# Dimensions

STATISTICS = {"confidence": 0.95, "resamples": 400, "seed": 0}
EVEN = np.linspace(0.99, 1.01, 96)  # the spread of dimensions that are much the same


def changes_of(words, width, rng, planted=None, spread=1.0):
    changes = np.abs(rng.normal(size=(3 * words, width))) * spread
    if planted is not None:
        changes[:, planted] *= 6
    return pd.DataFrame(changes, index=pd.Index([f"w{n % words}" for n in range(3 * words)], name="words"))


def test_where_every_text_can_be_flipped_all_of_them_tell_the_usual_spread():
    texts, pairs = pd.Series(["he left", "a dog", "a dog", "she left"]), pd.DataFrame({"text": ["he left", "she left"]})
    assert list(unrelated_texts(texts, pairs)) == ["a dog"]
    assert list(unrelated_texts(texts[[0, 3]], pairs)) == ["he left", "she left"]


def test_a_dimension_that_every_word_pair_changes_is_found_and_no_other():
    rng = np.random.default_rng(0)
    dimensions, summary = dimension_tables(changes_of(12, 96, rng, planted=41), EVEN, **STATISTICS)
    found = dimensions[dimensions["p_adjusted"] < 0.05]
    assert set(found["dimension"]) == {41}
    assert (found["low"] > 2).all()
    assert (summary.set_index("measure").loc["largest", "p"] < 0.01).all()


def test_chance_finds_no_dimension():
    rng = np.random.default_rng(1)
    hits = sum(
        (dimension_tables(changes_of(8, 96, rng), EVEN, **STATISTICS)[0]["p_adjusted"] < 0.05).any() for _ in range(20)
    )
    assert hits <= 4


def test_a_dimension_that_is_large_in_every_text_is_found_only_as_long_as_nobody_divides_by_its_spread():
    rng = np.random.default_rng(2)
    spread = EVEN.copy()
    spread[17] = 10
    dimensions, summary = dimension_tables(changes_of(12, 96, rng, spread=spread), spread, **STATISTICS)
    found = dimensions[dimensions["p_adjusted"] < 0.05].groupby("scale")["dimension"].apply(set)
    assert found["plain"] == {17}
    assert "standardised" not in found
    assert set(summary["measure"]) == {"largest", "overlap", "follows spread"}


def test_texts_that_repeat_one_word_pair_prove_nothing():
    rng = np.random.default_rng(3)
    dimensions, summary = dimension_tables(changes_of(1, 96, rng, planted=3), EVEN, **STATISTICS)
    assert dimensions["p"].isna().all()
    assert summary["p"].isna().all() and summary["value"].dtype == float
    assert (summary["words"] == 1).all()
    empty, _ = dimension_tables(pd.DataFrame(np.empty((0, 96))), EVEN, **STATISTICS)
    assert empty.empty
