"""What is estimated, patched and kept, on a model in which a circuit was planted."""

import numpy as np
import pytest

from emoscope.experiments.circuits.measure import SHARES
from emoscope.experiments.circuits.names import GRADIENT, INTEGRATED, KEPT, MASKING, NODE, PATCHING, REPLACED
from emoscope.perturbation.inside.names import NEUTRAL
from emoscope.storage.names import NONE


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


def test_both_ends_of_every_curve_are_the_two_texts(found):
    curves = found.curves.merge(found.sample[["pair", "total"]], on="pair")
    nodes = curves["size"].max()
    for side, none, every in ((KEPT, 0, 1), (REPLACED, 1, 0)):
        own = curves[curves["side"] == side]
        for count, share in ((0, none), (nodes, every)):
            rows = own[own["size"] == count]
            orders = 3 + (39 if side == KEPT else 5)  # three rankings, and random ones
            assert len(rows) == len(found.sample) * orders
            np.testing.assert_allclose(rows["effect"], share * rows["total"], atol=1e-3)
    assert curves["size"].nunique() == len({int(np.ceil(share * nodes)) for share in SHARES})


@pytest.mark.parametrize("ranking", [INTEGRATED, MASKING])
def test_the_planted_circuit_is_what_the_curve_finds(found, ranking):
    """No fewer parts than were planted, for gender alone needs one; with as many, all of the difference."""
    kept = found.sizes[(found.sizes["ranking"] == ranking) & (found.sizes["side"] == KEPT)].set_index("size")["value"]
    planted = len(found.circuit.roles)
    assert kept[planted] == pytest.approx(1, abs=0.01) and kept[2] < 0.5
