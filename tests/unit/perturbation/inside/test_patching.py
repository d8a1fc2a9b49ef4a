"""Activation patching against what must hold exactly."""

import numpy as np
import pytest
import torch

from emoscope.models.activations import activations_of
from emoscope.models.interventions import changing_output
from emoscope.models.parts import (
    blocks_of,
    family_of,
    head_weights,
    heads_of,
    pooled_token,
    projection_of,
)
from emoscope.perturbation.inside.alignment import align
from emoscope.perturbation.inside.patching import Patch, _matched, all_patches, patch_table, patched_logits, transfers
from made_up import CLASSES
from traced_pair import BUDGET, TEXT


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


def test_tokens_correspond_from_the_last_backwards():
    assert _matched([4, 5], [7, 8]) == ([4, 5], [7, 8])
    assert _matched([4], [7, 8]) == ([4], [8])
    assert _matched([4, 5, 6], [7, 8]) == ([4, 5, 6], [7, 7, 8])


def test_patching_every_unit_at_the_first_block_gives_the_other_text(classifier, same_length, runs):
    for transfer in transfers(same_length, *runs).values():
        whole = [place for unit in transfer.places for place in unit[0]]
        merged = type(transfer)(transfer.inputs, transfer.recipient, transfer.donor, [(whole, whole)])
        [found] = patched_logits(classifier, [(merged, Patch("residual", 0, unit=0))], BUDGET)
        np.testing.assert_allclose(found, transfer.donor.logits, atol=1e-5)
        assert np.abs(found - transfer.recipient.logits.numpy()).max() > 1e-3


def test_patching_a_text_with_itself_changes_nothing(classifier, tokenizer):
    aligned = align(tokenizer, TEXT, TEXT, [])
    run = activations_of(classifier, aligned.original)
    patches = all_patches(classifier, len(aligned.units))
    for transfer in transfers(aligned, run, run).values():
        found = patched_logits(classifier, [(transfer, patch) for patch in patches], BUDGET)
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
    attention, *each = patched_logits(classifier, [(transfer, patch) for patch in patches], BUDGET)
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


def test_the_classes_that_a_flip_raises_and_lowers_are_named_and_their_change_is_that_of_the_first(
    classifier, same_length, runs
):
    before, after = (run.logits.softmax(dim=0).numpy() for run in runs)
    moved = after - before
    table = patch_table(classifier, same_length, *runs, CLASSES, BUDGET)
    assert set(table["rise"]) == {CLASSES[moved.argmax()]} and set(table["fall"]) == {CLASSES[moved.argmin()]}
    whole = table[(table["site"] == "residual") & (table["block"] == 0)]
    first = next(n for n, unit in enumerate(same_length.units) if unit.word != unit.flipped_word)
    for direction, sign in (("flipped into original", 1), ("original into flipped", -1)):
        own = whole[(whole["direction"] == direction) & (whole["unit"] == first)]["change"].item()
        assert own == pytest.approx(sign * moved.max(), abs=1e-4)
