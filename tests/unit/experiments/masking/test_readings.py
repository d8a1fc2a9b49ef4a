"""What is read off the summaries of masks: the costliest block, the strongest heads, signs, and composition."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.masking.readings import (
    composition_effect,
    costliest_block,
    signs_as_predicted,
    strongest_heads,
)
from emoscope.storage.names import ALL, WHOLE_BLOCK

STATISTICS = {"confidence": 0.95, "resamples": 500, "seed": 0, "margin": 0.02}


def test_the_costliest_block_is_judged_on_all_texts_and_by_the_papers_text():
    names = ["block", "head", "condition", "group", "measure", "change"]
    shown = {"p_beyond": 0.01, "low": -1.0, "high": 0.0, "equivalence_margin": 0.03}
    rows = [
        (0, WHOLE_BLOCK, "described", ALL, "accuracy", -0.1),
        (1, WHOLE_BLOCK, "described", ALL, "accuracy", -0.2),
        (2, WHOLE_BLOCK, "described", "joy", "accuracy", -0.9),
        (2, WHOLE_BLOCK, "mean", ALL, "accuracy", -0.9),
        (2, WHOLE_BLOCK, "described", ALL, "margin", -0.9),
        (2, 0, "described", ALL, "accuracy", -0.9),
    ]
    found = costliest_block(pd.DataFrame(rows, columns=names).assign(**shown), 0.05)
    assert found.row["block"] == 1 and not found.leads and found.margin == 0.03


@pytest.mark.parametrize(("lows", "leads"), [((-0.3, -0.05), True), ((-0.3, -0.2), False), ((np.nan, np.nan), False)])
def test_a_block_leads_only_if_intervals_show_that_it_costs_more_than_the_other(lows, leads):
    changes = np.array([-0.2, -0.02])
    rows = pd.DataFrame({"block": [0, 1], "change": changes, "low": lows, "high": 2 * changes - lows})
    told = rows.assign(head=WHOLE_BLOCK, condition="described", group=ALL, measure="accuracy", p_beyond=0.001)
    found = costliest_block(told.assign(equivalence_margin=0.02), 0.05)
    assert (found.row["block"], found.leads) == (0, leads)


def test_heads_are_strong_in_either_direction():
    rows = [(0, 0, -0.3), (0, 1, 0.5), (1, 0, 0.0), (1, WHOLE_BLOCK, 9.0)]
    heads = pd.DataFrame(rows, columns=["block", "head", "change"])
    summary = heads.assign(condition="zero", group=ALL, measure="margin")
    assert strongest_heads(summary, 2) == [(0, 1), (0, 0)]
    assert strongest_heads(summary[:0], 2) == []


def test_table_1_falls_for_the_first_class_and_rises_for_all_others():
    code = pd.DataFrame({"group": ["sadness", "joy", "love", "fear", "anger"], "change": [-0.3, 0.2, -0.2, 0.001, 0.3]})
    code = code.assign(p_adjusted=[0.01, 0.01, 0.01, 0.01, 0.2])
    code["verdict"] = ["different", "different", "different", "equivalent", "underpowered"]
    assert signs_as_predicted(code, "sadness", 0.05) == (2, 3), "what is large and not shown may have any sign"
    assert signs_as_predicted(code[:0], "sadness", 0.05) == (0, 0)


@pytest.fixture
def masked():
    """Forty texts; two silenced blocks turn the prediction of the first twenty, in one block of two."""
    samples = pd.DataFrame({"id": range(40), "text": [f"text {k}" for k in range(40)], "label": 0, "pred": 0})
    blocks = [
        samples[["id"]].assign(p_joy=np.where((samples["id"] < 20) & (block == 0), 0.1, 0.9), block=block)
        for block in (0, 1)
    ]
    masks = pd.concat(blocks).assign(head=WHOLE_BLOCK, condition="described", p_fear=0.5)
    other = masks.assign(condition="published", p_joy=0.0)  # not what the paper's text describes
    return samples, pd.concat([masks, other, masks.assign(head=0, p_joy=0.0)], ignore_index=True)


def test_what_texts_of_composition_lose_beyond_the_others_is_found(masked):
    found = composition_effect(*masked, composed=[*range(20), 99], statistics=STATISTICS)
    assert found["value"] == pytest.approx(-0.5) and (found["composed"], found["texts"]) == (20, 40)
    assert found["low"] <= found["value"] <= found["high"] < 0 and found["verdict"] == "found"
    others = composition_effect(*masked, composed=range(20, 40), statistics=STATISTICS)
    assert others["low"] > 0 and others["verdict"] == "missed"


@pytest.mark.parametrize("composed", [list(range(7)), list(range(33))])
def test_too_few_texts_of_one_kind_have_no_interval(masked, composed):
    found = composition_effect(*masked, composed=composed, statistics=STATISTICS)
    assert found["value"] < 0 and np.isnan([found["low"], found["high"]]).all() and found["verdict"] == "cannot tell"
    enough = composition_effect(*masked, composed=[*range(8)], statistics=STATISTICS)
    assert np.isfinite([enough["low"], enough["high"]]).all()


def test_copies_of_a_text_are_one(masked):
    samples, masks = masked
    copied = samples.assign(text=["the same" if number < 20 else f"text {number}" for number in samples["id"]])
    found = composition_effect(copied, masks, composed=[*range(20)], statistics=STATISTICS)
    assert found["value"] == pytest.approx(-0.5) and (found["composed"], found["texts"]) == (1, 21)
    assert np.isnan([found["low"], found["high"]]).all(), "one text has no interval"


@pytest.mark.parametrize("composed", [[], list(range(40))])
def test_without_a_text_to_compare_with_there_is_no_effect(masked, composed):
    assert composition_effect(*masked, composed=composed, statistics=STATISTICS) is None
