"""Induction in numbers: halves, pairs, and intervals where nothing was hit."""

import re

import numpy as np
import pandas as pd
import pytest

from emoscope.writeups.induction.page import best_heads, pair_table, silenced_table
from emoscope.writeups.induction.readings import beside_random_pairs, best_heads_of, best_random_pairs, random_sets
from emoscope.writeups.induction.summarise import (
    BEYOND,
    LINES,
    half_findings,
    halves_of,
    head_findings,
    head_intervals,
    mlp_findings,
    mlps_of,
    pair_findings,
    pairs_of,
    positions_of,
    silenced_findings,
    silenced_of,
)

STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}


def test_a_half_without_any_hit_still_has_an_interval():
    numbers = np.repeat(np.arange(10), 4)
    table = pd.DataFrame({"length": 2, "sequence": numbers, "position": [1, 2, 3, 4] * 10, "log_prob": -1.0})
    halves = halves_of(table.assign(hit=[False, False, True, False] * 10), STATISTICS)
    first = halves.query("half == 'first' and measure == 'accuracy'").iloc[0]
    assert first["value"] == 0 and 0.2 < first["high"] < 0.5, "ten sequences, however many tokens"


def test_few_sequences_have_no_intervals():
    numbers = np.repeat(np.arange(4), 4)
    table = pd.DataFrame({"length": 2, "sequence": numbers, "position": [1, 2, 3, 4] * 4, "log_prob": -1.0})
    halves = halves_of(table.assign(hit=[False, False, True, False] * 4), STATISTICS)
    assert halves[["low", "high"]].isna().all(axis=None) and halves["value"].notna().all()
    assert halves.query("half == 'second' and measure == 'accuracy'")["value"].item() == 0.5


def test_findings_set_the_main_pair_beside_the_random_ones():
    key = {"previous_block": 0, "previous_head": 1, "block": 2, "head": 3, "key_head": 1, "measure": "embedding"}
    rows = [
        pd.DataFrame({"pair": pair, "kind": kind, **key, "candidates": 40, "hit": hit, "rank": [0.0, 0.5]})
        for pair, (kind, hit) in enumerate([("main", [True, True]), ("random", [True, False]), ("random", [False] * 2)])
    ]
    found = {finding.name: finding for finding in pair_findings(pairs_of(pd.concat(rows), STATISTICS))}
    assert found["composition_embedding"].value == 1
    assert found["composition_embedding_random"].value == 0.5
    assert "mean is 0.25" in found["composition_embedding_random"].note
    assert found["composition_embedding_rank"].value == 0.25


def test_the_second_half_begins_behind_the_first():
    """Halves of two: the tokens at positions 3 and 4 repeat those at 1 and 2."""
    table = pd.DataFrame({"length": 2, "sequence": [0] * 4 + [1] * 4, "position": [1, 2, 3, 4] * 2})
    table = table.assign(log_prob=[-5.0, -7.0, -1.0, -2.0, -5.0, -7.0, -3.0, -2.0], hit=[False, True, True, True] * 2)
    halves = halves_of(table, STATISTICS).set_index(["half", "measure"])
    assert halves.loc[("first", "log_prob"), "value"] == -6
    assert halves.loc[("second", "log_prob"), "value"] == -2
    assert halves.loc[("first", "accuracy"), "value"] == 0.5
    assert halves.loc[("second", "accuracy"), "value"] == 1
    assert halves.loc[("known", "log_prob"), ["value", "tokens"]].tolist() == [-2, 2], "without the first of the second"
    by_position = positions_of(table, STATISTICS).set_index(["measure", "position"])["value"]
    assert by_position["log_prob"].tolist() == [-5, -7, -2, -2]
    assert by_position["accuracy"].tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("length", [2, 8, 10, 50])
def test_whoever_copies_all_that_can_be_known_is_always_right(length):
    """Of ten tokens, one cannot be known: an accuracy of 0.9 on the second half is then all there is."""
    position = np.tile(np.arange(1, 2 * length + 1), 9)
    table = pd.DataFrame({"length": length, "sequence": np.repeat(np.arange(9), 2 * length), "position": position})
    table = table.assign(log_prob=-1.0, hit=position > length + 1)
    found = {finding.name: finding for finding in half_findings(halves_of(table, STATISTICS))}
    assert found["second_accuracy"].value == pytest.approx(1 - 1 / length)
    assert found["known_accuracy"].value == found["known_accuracy"].high == 1 and found["known_accuracy"].low > 0.5
    assert found["known_accuracy"].note == f"{9 * (length - 1)} tokens, halves of {length}, without the first."


def test_other_lengths_are_named_and_the_first_is_the_main_one():
    parts = [
        pd.DataFrame({"length": length, "sequence": [0, 0, 1, 1], "position": [1, length + 1] * 2, "log_prob": -1.0})
        for length in (5, 3)
    ]
    table = pd.concat([*parts, *(part.assign(position=part["position"] + 1) for part in parts)])
    table = table.assign(hit=[False, True, False, True, False, True, False, False] * 2)
    found = {finding.name: finding.value for finding in half_findings(halves_of(table, STATISTICS))}
    assert found["first_accuracy"] == 0 and found["second_accuracy"] == 1 and found["second_accuracy_3"] == 0.5
    assert "second_log_prob_3" not in found and "first_accuracy_3" not in found


def head_scores(weights: str, length: int, **lines: np.ndarray) -> pd.DataFrame:
    """Scores of 2 blocks of 2 heads on three sequences; every line is (block, head)."""
    block, head, sequence = np.indices((2, 2, 3)).reshape(3, -1)
    values = {name: np.repeat(lines.get(name, np.zeros((2, 2))).ravel(), 3) for name in LINES}
    key = {"weights": weights, "length": length, "sequence": sequence, "block": block, "head": head}
    return pd.DataFrame(key | values)


def test_the_best_head_is_the_trained_models_at_the_main_length():
    own, twin = np.array([[0.1, 0.2], [0.9, 0.3]]), np.array([[0.0, 0.05], [0.01, 0.02]])
    table = head_intervals(
        pd.concat([
            head_scores("trained", 50, induction=own, previous=own.T, stripe=own),
            head_scores("trained", 10, induction=1 - own),
            head_scores("0", 50, induction=twin),
        ]),
        STATISTICS,
    )  # fmt: skip
    found = {finding.name: finding for finding in head_findings(table)}
    assert found["induction_score"].value == pytest.approx(0.9)
    assert (found["induction_block"].value, found["induction_head"].value) == (1, 0)
    assert (found["previous_block"].value, found["previous_head"].value) == (0, 1)
    assert found["random_induction_score"].value == pytest.approx(0.05)
    assert "of 4 heads of 1 models" in found["random_induction_score"].note
    assert best_heads_of(table, "induction").index.tolist() == [(1, 0), (1, 1), (0, 1), (0, 0)]
    assert '<th scope="col">induction head</th>' in best_heads(table, 4), "(1, 0) is no number to sort by"


def test_changes_without_heads_are_paired_by_sequence_and_after_minus_before():
    rows = [
        {"sequence": sequence, "kind": kind, "heads": heads, "draw": draw}
        | {"loss": 1 + sequence + rise, "accuracy": 0.9 - fall}
        for kind, heads, draw, rise, fall in (
            ("none", 0, 0, 0, 0), ("induction", 1, 0, 2, 0.5),
            ("random", 1, 0, 0.2, 0.1), ("random", 1, 1, 0.6, 0.6), ("random", 1, 2, 0.2, 0.2),
        )
        for sequence in range(8)
    ]  # fmt: skip
    summary = silenced_of(pd.DataFrame(rows), STATISTICS)
    wide = summary.set_index(["measure", "kind", "draw"])
    assert wide.loc[("loss", "none", 0), "value"] == pytest.approx(4.5)
    assert wide.loc[("loss", "induction", 0), ["value", "low", "high"]].tolist() == pytest.approx([2, 2, 2])
    assert wide.loc[("accuracy", "induction", 0), "value"] == pytest.approx(-0.5)
    found = {finding.name: finding for finding in silenced_findings(summary)}
    assert found["accuracy_without_1_induction"].value == pytest.approx(-0.5)
    random = found["accuracy_without_1_random"]
    assert random.value == pytest.approx(-0.3) and random.note == "Mean of 3 draws, from -0.600 to -0.100."
    assert np.isnan([random.low, random.high]).all(), "the range of some draws is no interval"
    beyond = found["accuracy_without_1_beyond_random"]
    assert (beyond.value, beyond.low < -0.2 < beyond.high) == (pytest.approx(-0.5 + 0.3), True)
    assert beyond.note == "Beyond the mean change with as many random heads silenced, 1."
    sets = random_sets(summary[(summary["measure"] == "accuracy") & (summary["kind"] != "none")]).loc[1]
    assert (sets["as_costly"], sets["draws"]) == (1, 3)  # -0.6 costs at least as much as -0.5, the others do not


def test_what_random_heads_do_is_taken_from_the_same_sequences_and_as_many_heads():
    """Sequences that differ widely in how much any heads do: beside one another they say the same."""
    rows = [
        {"sequence": sequence, "kind": kind, "heads": heads, "draw": draw, "loss": 0.0}
        | {"accuracy": 0.95 - (kind != "none") * (fall + sequence / 10)}
        for kind, heads, draw, fall in (
            ("none", 0, 0, 0), ("induction", 1, 0, 0.1), ("induction", 2, 0, 0.2), ("induction", 3, 0, 0.25),
            ("random", 1, 0, 0.1), ("random", 1, 1, 0.0), ("random", 2, 0, 0.25),
            *(("previous", heads, 0, 0.25) for heads in (1, 2, 3)),
        )
        for sequence in range(8)
    ]  # fmt: skip
    summary = silenced_of(pd.DataFrame(rows), STATISTICS)
    beyond = summary[(summary["kind"] == BEYOND) & (summary["measure"] == "accuracy")].set_index("heads")["value"]
    assert beyond.to_dict() == pytest.approx({1: -0.05, 2: 0.05}), "of three heads there are no random sets"
    table = silenced_table(summary, [1, 2, 3, 16])
    text = " ".join(re.sub("<[^>]*>", " ", table).split())
    assert "Beside the best 3 of both kinds, this model has not as many others" in text
    assert "16 at once are more than it has heads" in text and text.endswith("n/a n/a n/a")
    assert "no random sets" not in silenced_table(summary[summary["heads"] < 3], [1, 2])
    alone = silenced_of(pd.DataFrame(rows).query("kind != 'random'"), STATISTICS)
    assert BEYOND not in set(alone["kind"])
    assert "Beside the best 1, 2 and 3 of both kinds" in silenced_table(alone, [1, 2, 3])


def pairs_table() -> pd.DataFrame:
    """One main, one best and three random pairs; of ten tokens so many are hit, and so high is the mean rank."""
    key = {"previous_block": 0, "previous_head": 1, "block": 2, "head": 3, "key_head": 1, "measure": "embedding"}
    kinds = [("main", 6, 0.1), ("best", 10, 0.0), ("random", 7, 0.4), ("random", 1, 0.1), ("random", 0, 0.7)]
    parts = [
        pd.DataFrame({"pair": pair, "kind": kind, **key, "candidates": 40, "rank": rank, "hit": np.arange(10) < hits})
        for pair, (kind, hits, rank) in enumerate(kinds)
    ]
    return pairs_of(pd.concat(parts), STATISTICS)


def test_the_main_pair_is_set_beside_the_random_ones_and_no_others():
    pairs = pairs_table()
    assert pairs["top1"].tolist() == pytest.approx([0.6, 1, 0.7, 0.1, 0])
    assert pairs["rank"].tolist() == pytest.approx([0.1, 0, 0.4, 0.1, 0.7])
    beside = beside_random_pairs(pairs).loc["embedding"]
    assert (beside["top1"], beside["random"], beside["reached"], beside["ranked"]) == (0.6, 3, 1, 1)
    best = best_random_pairs(pairs).loc["embedding"]
    assert (best["top1"], best["pairs"]) == (0.7, 3)
    assert best["mean"] == pytest.approx(0.8 / 3)


def test_a_main_pair_is_said_to_be_tried_on_more_tokens_only_if_it_is():
    pairs = pairs_table()
    assert "more tokens" not in pair_table(pairs) and '<th scope="col">induction head</th>' in pair_table(pairs)
    more = pairs.assign(tokens=pairs["tokens"].where(pairs["kind"] != "main", 8192))
    assert "on more tokens than the others by its embeddings: 8,192." in " ".join(pair_table(more).split())


def test_the_largest_change_is_the_one_furthest_from_zero_and_the_loss_there_is_a_finding_of_its_own():
    rows = [
        {"sequence": sequence, "block": block, "offset": offset, "change": change, "own": own}
        for block, offset, change, own in (
            (0, 0, 5.0, 6.0), (0, 3, 0.02, 0.1), (0, -1, 0.3, np.nan),
            (1, 0, 0.0, 0.0), (1, 3, -0.04, 0.9), (1, -1, -0.7, np.nan),
        )
        for sequence in range(8)
    ]  # fmt: skip
    found = {finding.name: finding for finding in mlp_findings(mlps_of(pd.DataFrame(rows), STATISTICS), 0.05)}
    values = {name: finding.value for name, finding in found.items()}
    assert values == pytest.approx(
        {"mlp_seam": 5, "mlp_one_position": -0.04, "mlp_own_position": 0.9, "mlp_everywhere": -0.7}
    )
    assert (found["mlp_own_position"].low, found["mlp_own_position"].high) == pytest.approx((0.9, 0.9))
    assert found["mlp_own_position"].note == "Block 1, offset 3, the largest of 2."
    assert found["mlp_seam"].note == "Block 0, the largest of 2."
