"""What is estimated, patched and kept, on a model in which a circuit was planted."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.circuits.measure import SHARES, masked_effects, rankings, to_check
from emoscope.experiments.circuits.names import GRADIENT, INTEGRATED, KEPT, MASKING, NODE, PATCHING, RANDOM, REPLACED
from emoscope.perturbation.inside.names import NEUTRAL
from emoscope.storage.names import ALL, NONE


def test_flips_are_told_apart_by_their_texts_and_move_the_margin_up(found):
    sample = found.sample
    assert (sample["total"] > 1).all() and (sample["rise"] != sample["fall"]).all()
    assert set(sample["half"]) == {0, 1} and (sample.groupby("cluster")["half"].nunique() == 1).all()


def test_neutral_swaps_of_the_same_texts_move_their_margin_less(found):
    neutral = found.moved[found.moved["kind"] == NEUTRAL]
    assert len(neutral) == len(found.sample) == 24 and set(neutral["cluster"]) == set(found.sample["cluster"])
    assert (neutral["total"] >= 0).all() and neutral["total"].max() < found.sample["total"].min()
    assert (neutral["half"] == NONE).all() and not set(neutral["pair"]) & set(found.curves["pair"])
    assert found.moved["pair"].is_unique


def test_estimates_along_the_way_are_what_patching_finds(found):
    table = found.effects.pivot(index=["pair", *NODE], columns="method", values="effect").dropna()
    assert len(table) == len(found.sample) * len(found.checked)
    # a negation patched alone goes past where the model saturates, which no step on the way between both texts does
    np.testing.assert_allclose(table[INTEGRATED], table[PATCHING], rtol=0.4, atol=0.05)
    missed = (table[GRADIENT].abs() < 0.05) & (table[PATCHING].abs() > 1)
    assert missed.any(), "one gradient does not see what saturates in the text itself"
    assert table[PATCHING].abs().max() > 1


def test_the_largest_and_as_many_by_chance_are_patched():
    sizes = np.array([0.1, 5, 0.2, 4, 0.3, 3, 0, 0, 0, 0])
    rng = np.random.default_rng(0)
    chosen = to_check(sizes, 3, rng)
    assert {number for number, largest, _ in chosen if largest} == {1, 3, 5}
    assert sum(by_chance for *_, by_chance in chosen) == 3
    drawn = np.zeros(10)
    for _ in range(300):
        drawn[[number for number, _, by_chance in to_check(sizes, 3, rng) if by_chance]] += 1
    assert drawn.min() > 50, "the largest are drawn by chance, too, or the sample would not be one of all parts"


def test_both_ends_of_every_curve_are_the_two_texts(found):
    curves = found.curves.merge(found.sample[["pair", "total"]], on="pair")
    nodes = curves["nodes"].max()
    for side, none, every in ((KEPT, 0, 1), (REPLACED, 1, 0)):
        own = curves[curves["side"] == side]
        for count, share in ((0, none), (nodes, every)):
            rows = own[own["nodes"] == count]
            orders = 3 + (39 if side == KEPT else 5)  # three rankings, and random ones
            assert len(rows) == len(found.sample) * orders
            np.testing.assert_allclose(rows["effect"], share * rows["total"], atol=1e-3)
    assert curves["nodes"].nunique() == len({int(np.ceil(share * nodes)) for share in SHARES})


def test_a_pair_is_judged_by_the_order_of_the_other_half():
    estimates = {INTEGRATED: np.array([[3.0, 1, 0], [3, 1, 0], [0, -1, 3], [0, -1, 3]])}
    halves = np.array([0, 0, 1, 1])
    found = rankings(estimates, halves, np.array([0.1, -2, 1]), 2, np.random.default_rng(0))
    first, second = found[INTEGRATED, 0]
    assert list(first) == [2, 1, 0] and list(second) == [0, 1, 2]
    assert list(found[MASKING, 0][0]) == list(found[MASKING, 0][1]) == [1, 2, 0], "by size, whatever the sign"
    assert {key for key in found if key[0] == RANDOM} == {(RANDOM, 0), (RANDOM, 1)}
    assert (MASKING, 0) not in rankings(estimates, halves, None, 1, np.random.default_rng(0))
    assert rankings(estimates, np.zeros(4, int), None, 1, np.random.default_rng(0)) == {}


def test_masking_ranks_by_the_margin_of_all_samples_and_only_if_every_node_was_masked():
    rows = [("mean", 0, 0, 0.5), ("mean", 0, 1, 0.25), ("mlp_mean", 0, -1, 2.0), ("mean", 0, -1, 9.0)]
    summary = pd.DataFrame(rows, columns=["condition", "block", "head", "change"]).assign(measure="margin", group=ALL)
    other = summary.assign(measure="probability", change=-1.0)
    nodes = [("head", 0, 0), ("head", 0, 1), ("feed_forward", 0, -1)]
    assert list(masked_effects(pd.concat([summary, other]), nodes)) == [0.5, 0.25, 2.0]
    assert masked_effects(summary[summary["condition"] == "mean"], nodes) is None


@pytest.mark.parametrize("ranking", [INTEGRATED, MASKING])
def test_the_planted_circuit_is_what_the_curve_finds(found, ranking):
    """No fewer parts than were planted, for gender alone needs one; with as many, all of the difference."""
    kept = found.sizes[(found.sizes["ranking"] == ranking) & (found.sizes["side"] == KEPT)].set_index("nodes")["value"]
    planted = len(found.circuit.roles)
    assert kept[planted] == pytest.approx(1, abs=0.01) and kept[2] < 0.5
