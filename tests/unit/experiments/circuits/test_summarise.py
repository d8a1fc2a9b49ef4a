"""Areas and shares by hand, and what the findings say of a planted circuit."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.circuits.names import KEPT, PATCHING, RANDOM, REPLACED
from emoscope.experiments.circuits.summarise import curves_of, part_table

SAMPLE = pd.DataFrame({"pair": [0, 1], "cluster": ["a", "b"], "total": [1.0, 3.0]})


def by_hand():
    """Two pairs, four nodes: of one ranking, and of two random draws that overshoot and that find nothing."""
    rows = []
    heights = {
        ("masking", 0, KEPT): [0, 0.5, 1],
        ("masking", 0, REPLACED): [1, 0.25, 0],
        (RANDOM, 0, KEPT): [0, 2, 1],
        (RANDOM, 1, KEPT): [0, 0, 1],
    }
    for (ranking, draw, side), shares in heights.items():
        for nodes, share in zip([0, 2, 4], shares, strict=True):
            rows += [(pair, ranking, draw, side, nodes, share * total) for pair, total in ((0, 1.0), (1, 3.0))]
    return pd.DataFrame(rows, columns=["pair", "ranking", "draw", "side", "nodes", "effect"])


def test_areas_by_hand():
    areas = curves_of(SAMPLE, by_hand().sample(frac=1, random_state=0)).areas(np.ones(2))
    assert areas["cpr", "masking"] == pytest.approx(0.5) and areas["cmd", "masking"] == pytest.approx(0.5)
    assert areas["left", "masking"] == pytest.approx(0.375)
    assert areas["cpr", RANDOM] == pytest.approx((1.25 + 0.25) / 2)
    assert areas["cmd", RANDOM] == pytest.approx(0.75), "too much is as wrong as nothing"


def test_pairs_count_by_how_far_they_move():
    table = by_hand()
    table.loc[(table["pair"] == 0) & (table["nodes"] == 2), "effect"] = 0
    curves = curves_of(SAMPLE, table)
    number = curves.columns.index[(curves.columns["ranking"] == "masking") & (curves.columns["nodes"] == 2)][0]
    assert curves.columns.loc[number, "side"] == KEPT
    assert curves.shares(np.ones(2))[number] == pytest.approx(1.5 / 4)
    assert curves.shares(np.array([0.0, 2.0]))[number] == pytest.approx(0.5)


def test_shares_of_parts_are_of_the_mean_total(found):
    parts = found.parts.set_index(["site", "block", "head"])
    exact = found.effects[found.effects["method"] == PATCHING].groupby(["site", "block", "head"])["effect"].mean()
    assert parts[PATCHING].notna().sum() == len(exact) == len(found.checked)
    for node, effect in exact.items():
        assert parts.loc[node, PATCHING] == pytest.approx(effect / found.sample["total"].mean())
    assert parts["largest"].sum() == 6 and parts["random"].sum() == 6
    empty = part_table(found.sample, found.effects, found.checked.iloc[:0])
    assert not empty["largest"].any() and not empty["random"].any()


def test_the_findings_on_a_planted_circuit(found):
    value = found.findings.set_index("name")["value"]
    low = found.findings.set_index("name")["low"]
    assert value["gender.error.integrated_gradients"] < 0.01 < value["gender.error.one_gradient"]
    assert value["gender.rank_correlation.integrated_gradients"] > value["gender.rank_correlation.one_gradient"]
    assert low["gender.gain.integrated_gradients"] > 0.1
    assert value["gender.cmd.random"] - value["gender.cmd.masking"] == pytest.approx(value["gender.gain.masking"])
    assert value["gender.nodes.integrated_gradients"] == len(found.circuit.roles) < value["gender.nodes.random"]
    # a whole attention, drawn by chance, holds a head of the circuit and is not among the six largest
    assert value["gender.missed"] == pytest.approx(found.parts.loc[~found.parts["largest"], PATCHING].abs().max())
