"""Findings of masking: of the block and class that they name, and of the right sign."""

import pandas as pd
import pytest
from scipy import stats

from emoscope.experiments.masking.findings import findings_of
from emoscope.verdicts.claims.judge import judge

MARGIN = 0.02
BLOCKS, CLASSES = (0, 1, 2), ("sadness", "joy", "all")
PAIRS = pd.DataFrame({
    **dict(zip(("first_block", "first_head", "second_block", "second_head"), ([1], [2], [3], [4]), strict=True)),
    "change": -0.7, "low": -0.9, "high": -0.5, "verdict": "redundant",
}).merge(pd.DataFrame({"measure": ["accuracy", "margin"], "x": [1, 2]}), how="cross")  # fmt: skip
PAIRS.loc[PAIRS["measure"] == "accuracy", "change"] = 0.3


def summary() -> pd.DataFrame:
    """A row for every block, class, condition and measure, each with a change of its own: of measure probability, under
    `described`, -(10 x block + number of the class) / 100."""
    rows = [
        {"block": block, "head": -1, "condition": condition, "measure": measure, "group": group}
        | {"change": -(10 * block + number + shift) / 100, "low": -0.9, "high": 0.9, "texts": 100, "p_adjusted": 1.0}
        | {
            "p_equivalence": 0.01 * (1 + block),
            "p_beyond": 0.9 - 0.1 * block,
            "detectable": 1.0,
            "detectable_alone": 0.01 * block,
            "equivalence_margin": MARGIN,
            "verdict": "equivalent",
        }
        for block in BLOCKS
        for number, group in enumerate(CLASSES)
        for condition, measure, shift in (
            ("described", "probability", 0),
            ("described", "accuracy", -50 * block),
            ("published", "first_class", 100),
        )
    ]
    return pd.DataFrame(rows)


def found(table: pd.DataFrame) -> dict:
    return {finding.name: finding for finding in findings_of(table, table, PAIRS, "sadness", alpha=0.05)}


def test_every_block_and_class_has_its_own_change():
    findings = found(summary())
    for block in BLOCKS:
        for number, group in enumerate(CLASSES):
            one = findings[f"block_change.{block}.{group}"]
            assert one.value == pytest.approx(-(10 * block + number) / 100)
            assert (one.within, one.beyond) == pytest.approx((0.01 * (1 + block), 0.9 - 0.1 * block))
            assert one.code == pytest.approx(one.value - 1), "the authors' procedure"
            assert (one.texts, one.fewest) == (100, 188), "so many have to stay as they are to show that most do"
            assert "P(sadness)" in one.note
        assert findings[f"change_without_others.{block}"].value == pytest.approx(-(10 * block + 2) / 100)
        assert findings[f"change_without_others.{block}.joy"].value == pytest.approx(-(10 * block + 1) / 100)


def test_a_block_is_held_against_the_others():
    findings = found(summary())
    assert findings["largest_change_of_other_blocks.0"].value == pytest.approx(-0.21)
    assert findings["largest_change_of_other_blocks.2"].value == pytest.approx(-0.11)
    assert findings["largest_change_of_other_blocks.0"].code == pytest.approx(-1.21), "of the same block and class"
    lead = {block: findings[f"probability_lead.{block}"] for block in BLOCKS}
    assert lead[2].value == pytest.approx(0.10) and lead[0].value == pytest.approx(-0.20), (
        "the costliest leads, no other"
    )
    assert (lead[2].low, lead[2].high) == pytest.approx((-1.8, 1.8)), "the worst of both intervals"
    lead = {block: findings[f"accuracy_lead.{block}"].value for block in BLOCKS}
    assert lead[0] == pytest.approx(0.40) and lead[2] == pytest.approx(-0.80), "accuracy is not probability"


@pytest.mark.parametrize(
    ("p_equivalence", "p_beyond", "verdict"),
    [
        ((0.9, 0.01, 0.04), 0.9, "reproduced"),
        ((0.9, 0.01, 0.06), 0.9, "underpowered"),
        ((0.9, 0.01, 0.999), 0.03, "underpowered"),  # of two cells
        ((0.9, 0.01, 0.999), 0.02, "contradicted"),
    ],
)
def test_many_blocks_have_no_effect_only_if_each_is_shown_to_have_none(p_equivalence, p_beyond, verdict):
    table = summary()
    table["p_equivalence"] = table["block"].map(dict(enumerate(p_equivalence)))
    table["p_beyond"] = table["block"].map({0: 0.001, 1: 1.0, 2: p_beyond})
    finding = found(table[table["group"] != "sadness"])["largest_change_of_other_blocks.0"]
    assert judge({"judge": "no effect"}, finding, [], MARGIN, 0.05)[0] == verdict
    assert finding.detectable == pytest.approx(0.02)


def test_every_condition_of_every_block_has_its_change_of_accuracy_and_probability():
    table = summary()
    means = table[table["condition"] == "described"].assign(
        condition="mlp_mean", change=lambda rows: rows["change"] / 2
    )
    every = pd.concat([table, means, means.assign(head=1, change=9.0)])
    findings = found(every)
    for block in BLOCKS:
        assert findings[f"accuracy_change.described.{block}"].value == pytest.approx((40 * block - 2) / 100)
        assert findings[f"probability_change.described.{block}"].value == pytest.approx(-(10 * block + 2) / 100)
        half = findings[f"accuracy_change.mlp_mean.{block}"]
        assert half.value == pytest.approx((40 * block - 2) / 200) and half.low == -0.9 and half.texts == 100
        assert f"accuracy_change.published.{block}" not in findings


def test_what_is_left_without_the_others_is_told_for_every_condition():
    table, rest = summary(), summary().assign(change=lambda rows: rows["change"] / 3, condition="resample")
    findings = {one.name: one for one in findings_of(table, rest, PAIRS, "sadness", alpha=0.05)}
    for block in BLOCKS:
        name = f"probability_change_without_others.resample.{block}"
        assert findings[name].value == pytest.approx(-(10 * block + 2) / 300)


def test_the_authors_procedure_stands_beside_the_largest_change_of_other_blocks():
    table = summary()
    table.loc[table["measure"] == "first_class", ["low", "high"]] = [-0.4, 0.6]
    others = found(table)["largest_change_of_other_blocks.0"]
    assert others.code == pytest.approx(-1.21), "of the other blocks, of one class, and by its own measure"
    assert (others.code_low, others.code_high) == (-0.4, 0.6) and others.value == pytest.approx(-0.21)
    without = found(table[table["condition"] == "described"])["largest_change_of_other_blocks.0"]
    assert without.code != without.code, "nothing where it was not repeated"


def test_the_interaction_of_a_pair_is_of_the_margin():
    one = found(summary())["interaction.1.2.3.4"]
    assert (one.value, one.low, one.high, one.note) == (-0.7, -0.9, -0.5, "redundant")


def test_a_run_of_one_block_has_no_others():
    names = found(summary().query("block == 0"))
    assert not [name for name in names if "other_blocks" in name or "lead" in name]


def test_the_interval_of_a_lead_lies_on_the_side_of_its_value():
    table = summary()
    table["low"], table["high"] = table["change"] - 0.03, table["change"] + 0.01
    for measure, value in (("probability", 0.1), ("accuracy", -0.8)):
        one = found(table)[f"{measure}_lead.2"]
        assert (one.low, one.value, one.high) == pytest.approx((value - 0.04, value, value + 0.04))


def test_a_lead_is_over_the_worst_of_all_other_blocks():
    """One of them costs less on average, but its interval meets that of the block that is said to lead."""
    table = summary()
    table["low"], table["high"] = table["change"] - 0.01, table["change"] + 0.01
    own = found(table)["probability_lead.2"]
    table.loc[(table["block"] == 0) & (table["measure"] == "probability"), "low"] = -0.9
    met = found(table)["probability_lead.2"]
    assert own.low > 0 > met.low and met.value == own.value


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_of_many_changes_has_the_interval_of_a_largest_one(sign):
    """It was chosen for its size, out of four."""
    table = summary().assign(p_adjusted=0.01)
    table["change"] *= -sign
    table["low"], table["high"] = table["change"] - 0.1, table["change"] + 0.1
    one = found(table)["largest_change_of_other_blocks.0"]
    wider = stats.norm.isf(0.025 / 4) / stats.norm.isf(0.025)
    low, high = sorted([sign * (0.21 - 0.1 * wider), sign * 0.31])
    assert (one.value, one.low, one.high) == pytest.approx((sign * 0.21, low, high))
