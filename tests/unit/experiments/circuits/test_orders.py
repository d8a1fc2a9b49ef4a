"""Orders in which parts are kept, and which of them are patched."""

import numpy as np
import pandas as pd

from emoscope.experiments.circuits.names import INTEGRATED, MASKING, RANDOM
from emoscope.experiments.circuits.orders import counts_of, effect_rows, masked_effects, rankings, to_check


def test_shares_of_parts_are_rounded_up_and_each_count_is_tried_once():
    assert counts_of((0, 0.01, 0.02, 0.3, 0.5, 1), 7) == [0, 1, 3, 4, 7]


def test_every_effect_has_a_row_with_its_pair_method_and_part():
    by_method = {"one": np.array([[1.0, 2.0], [3.0, 4.0]]), "other": np.array([[5.0, 6.0]])}
    assert effect_rows(by_method, [("head", 0), ("head", 1)]) == [
        (0, "one", "head", 0, 1.0),
        (0, "one", "head", 1, 2.0),
        (1, "one", "head", 0, 3.0),
        (1, "one", "head", 1, 4.0),
        (0, "other", "head", 0, 5.0),
        (0, "other", "head", 1, 6.0),
    ]


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
    changes = pd.DataFrame(rows, columns=["condition", "block", "head", "change"])
    nodes = [("head", 0, 0), ("head", 0, 1), ("feed_forward", 0, -1)]
    assert list(masked_effects(changes, nodes)) == [0.5, 0.25, 2.0]
    assert masked_effects(changes[changes["condition"] == "mean"], nodes) is None
