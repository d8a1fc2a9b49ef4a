"""Effects over many pairs: what must hold exactly in every pair, whatever it shares a batch with."""

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.experiments.tracing.aggregate import aggregate
from emoscope.experiments.tracing.shares import summarise_shares
from emoscope.models.interventions import changing_input
from emoscope.models.parts import blocks_of, family_of, pooled_token
from emoscope.storage.names import NONE
from made_up import CLASSES
from traced_pair import BUDGET, LONG, SHORT, drawn

KEY = ["measure", "direction", "site", "place", "block", "head"]
INTO = {"flipped into original": (0, 1), "original into flipped": (1, 0)}


@pytest.fixture
def pairs(classifier, tokenizer):
    found = [drawn(classifier, tokenizer, *pair, number) for number, pair in enumerate((SHORT, LONG))]
    assert all(one.places["others"] for one in found)
    return found


def residual(effects, pair, place, block, direction=None):
    rows = effects[(effects["pair"] == pair) & (effects["site"] == "residual") & (effects["place"] == place)]
    rows = rows[rows["block"] == block]
    return rows["effect"] if direction is None else rows.loc[rows["direction"] == direction, "effect"].item()


def test_what_must_hold_of_every_pair(classifier, pairs):
    table, effects = aggregate(classifier, pairs, CLASSES, BUDGET)
    end = len(blocks_of(classifier))
    for row in table.itertuples():
        assert row.total > 1e-3, "the margin that moves most grows"
        own = effects[effects["pair"] == row.pair]
        parts = own[own["measure"] == "attribution"]
        np.testing.assert_allclose(parts["effect"].sum(), row.total, atol=1e-4)
        lens = own[own["measure"] == "lens"].set_index("block")["effect"]
        np.testing.assert_allclose(lens[end], row.total, atol=1e-4)
        # all that differs is at the changed words before the first block, and where it is read behind the last
        for place, first, last in (("changed", 1, 0), ("others", 0, 0), ("pooled", 0, 1)):
            np.testing.assert_allclose(residual(effects, row.pair, place, 0), first * row.total, atol=1e-4)
            np.testing.assert_allclose(residual(effects, row.pair, place, end), last * row.total, atol=1e-4)
    assert (table["kind"] == "flip").all() and list(table["id"]) == [0, 1]
    for row, pair in zip(table.itertuples(), pairs, strict=True):
        with torch.inference_mode():
            before, after = (classifier(**text).logits[0] for text in (pair.aligned.original, pair.aligned.flipped))
        rise, fall = CLASSES.index(row.rise), CLASSES.index(row.fall)
        grown = (after[rise] - after[fall]) - (before[rise] - before[fall])
        assert float(grown) == pytest.approx(row.total, abs=1e-4), "of the classes that it names"


def test_a_pair_moves_as_far_beside_others_as_alone(classifier, pairs):
    """Padding of the shorter text must not be read, patched or pooled."""
    table, effects = aggregate(classifier, pairs, CLASSES, 10_000)
    for number, pair in enumerate(pairs):
        alone, own = aggregate(classifier, [pair], CLASSES, 10_000)
        np.testing.assert_allclose(table["total"][number], alone["total"][0], atol=1e-5)
        together = effects[effects["pair"] == number].set_index(KEY)["effect"].sort_index()
        np.testing.assert_allclose(together, own.set_index(KEY)["effect"].sort_index(), atol=1e-4)


@pytest.mark.parametrize("direction", INTO)
def test_a_patch_is_the_donors_residual_in_the_recipients_run(classifier, pairs, direction):
    table, effects = aggregate(classifier, pairs, CLASSES, BUDGET)
    block, number = 1, 1
    texts = [pairs[number].aligned.original, pairs[number].aligned.flipped]
    recipient, donor = (texts[side] for side in INTO[direction])
    rise, fall = (CLASSES.index(table[name][number]) for name in ("rise", "fall"))
    changed = [token for unit in pairs[number].places["changed"] for token in pairs[number].aligned.units[unit].tokens]
    assert 0 < len(changed) < len(recipient["input_ids"][0])

    def margin(text):
        logits = classifier(**text).logits[0]
        return float(logits[rise] - logits[fall])

    with torch.inference_mode():
        hidden = classifier(**donor, output_hidden_states=True).hidden_states[block]

        def change(values):
            values = values.clone()
            values[0, changed] = hidden[0, changed]
            return values

        start, goal = margin(recipient), margin(donor)
        with changing_input(blocks_of(classifier)[block], change):
            by_hand = (margin(recipient) - start) * np.sign(goal - start)
    found = residual(effects, number, "changed", block, direction)
    np.testing.assert_allclose(found, by_hand, atol=1e-4)
    others = [residual(effects, number, "changed", 1, way) for way in INTO] + [
        residual(effects, number, "changed", 2, direction)
    ]
    assert len({round(value, 4) for value in others}) == 3, "neither the directions nor the blocks are alike"


def test_heads_are_patched_into_the_original_and_together_make_the_attention_of_one_head_blocks(classifier, pairs):
    _, effects = aggregate(classifier, pairs, CLASSES, BUDGET)
    heads = effects[(effects["measure"] == "patching") & (effects["site"] == "head")]
    assert set(heads["direction"]) == {"flipped into original"} and (heads["head"] != NONE).all()
    assert heads.groupby("pair")["effect"].nunique().gt(6).all(), "no two heads do the same"
    wholes = effects[effects["site"].isin(["attention", "feed_forward"]) & (effects["measure"] == "patching")]
    assert set(wholes["direction"]) == set(INTO)


def test_a_text_changed_into_itself_moves_nothing(classifier, tokenizer):
    table, effects = aggregate(classifier, [drawn(classifier, tokenizer, SHORT[0], SHORT[0], [])], CLASSES, BUDGET)
    assert table["total"].item() == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(effects["effect"], 0, atol=1e-5)


def test_no_pair_gives_empty_tables(classifier):
    table, effects = aggregate(classifier, [], CLASSES, BUDGET)
    assert isinstance(table, pd.DataFrame) and table.empty and effects.empty


def test_only_a_model_that_reads_first_is_read_at_the_first_token(classifier, pairs):
    for pair in pairs:
        first = pair.aligned.units[pair.places["pooled"][0]].tokens[0] == 0
        assert first == family_of(classifier).pools_first
        assert pooled_token(classifier, pair.aligned.original["input_ids"]) in (
            pair.aligned.units[pair.places["pooled"][0]].tokens
        )


@pytest.mark.parametrize("methods", [["patching"], ["attribution"], ["lens", "attribution"], []])
def test_only_what_is_exact_is_measured_and_the_rest_stays_the_same(classifier, pairs, methods):
    table, whole = aggregate(classifier, pairs, CLASSES, BUDGET)
    again, effects = aggregate(classifier, pairs, CLASSES, BUDGET, methods)
    pd.testing.assert_frame_equal(table, again)
    expected = whole[whole["measure"].isin(methods)].sort_values(["pair", *KEY]).reset_index(drop=True)
    found = effects.sort_values(["pair", *KEY]).reset_index(drop=True)
    assert set(effects["measure"]) == {*methods}
    if methods:
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    shares = summarise_shares(table, effects, {"alpha": 0.05, "resamples": 100, "seed": 0})
    assert set(shares["measure"]) == {*methods}
