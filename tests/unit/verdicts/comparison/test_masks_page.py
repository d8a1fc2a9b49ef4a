"""What the comparison page says of masked blocks and heads, in runs whose story is known."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from compared_runs import MODELS, SETTINGS, masking_summary
from emoscope.verdicts.comparison import figures, masks_page
from emoscope.verdicts.comparison import page as report
from emoscope.verdicts.comparison.leaders import head_curves, leading_blocks, leading_heads
from emoscope.verdicts.comparison.summarise import profile
from made_up import words


def test_heads_that_start_from_random_weights_are_told_apart(correlations):
    text = masks_page.heads_apart(correlations, SETTINGS, MODELS).striptags()
    assert "narrow and deep start from random weights" in text and "share their heads" in text


def test_the_leading_block_is_named_run_by_run(masks):
    leaders = leading_blocks(masks, 0.05)
    assert leaders["block"].to_dict() == {"narrow-s1": 0, "narrow-s2": 0, "deep-s1": 7, "warm-s1": 4, "warm-s2": 4}
    assert leaders.loc["deep-s1", "share"] == pytest.approx(0.2 / 0.221)
    text = masks_page.first_block_reading(masks, SETTINGS, 0.05).striptags()
    assert (
        "narrow: what costs most is block 0 in 2 of 2. That only the first block matters is reproduced in 2 of 2"
        in text
    )
    assert "deep: what costs most is block 7. That only the first block matters is contradicted by probability" in text


def test_a_block_whose_interval_meets_that_of_another_does_not_lead(masks):
    met = masks.copy()
    met.loc[(met["run"] == "narrow-s1") & (met["block"] == 3) & (met["measure"] == "margin"), "low"] = -3.0
    before, after = (leading_blocks(table, 0.05)["certain"] for table in (masks, met))
    assert before.all() and after.drop("narrow-s1").all() and not after["narrow-s1"]


def test_the_only_block_of_a_run_does_not_lead(masks, measures, correlations):
    single = profile(masking_summary([0.5]), 1).assign(group="deep", run="deep-s1")
    text = words(report.main_result(measures, single, correlations, 0.05))
    assert (
        "is shown to matter most in 0 of 1 runs; in 1 no block is shown to. That" in text
        and "by probability, not testable here" in text
    )
    assert "none for certain" in masks_page.leader_table(single, 0.05)


def test_a_block_that_is_shown_to_cost_next_to_nothing_does_not_lead(masks):
    little = masks.copy()
    little.loc[(little["run"] == "narrow-s1") & (little["block"] == 0) & (little["measure"] == "margin"), "verdict"] = (
        "equivalent"
    )
    led = leading_blocks(little, 0.05)["certain"]
    assert led.drop("narrow-s1").all() and not led["narrow-s1"]


@pytest.mark.parametrize(("reach", "leads"), [(0.3, False), (0.0001, True), (np.nan, False)])
def test_a_head_that_is_not_told_from_the_others_does_not_lead(reach, leads):
    heads = pd.DataFrame({"value": [-1.0, -1.001, -1.002, -1.003], "head": range(4)})
    heads = heads.assign(low=heads["value"] - reach, high=heads["value"] + reach, block=0, group="a", run="a-s1")
    heads = heads.assign(condition="zero", measure="margin", p_adjusted=0.001, verdict="different")
    found = leading_heads(heads, head_curves(heads, 0), 0.05).loc["a-s1"]
    assert (found["head"], found["certain"]) == (3, leads)
    alone = leading_heads(heads[:1], head_curves(heads[:1], 0), 0.05)
    assert not alone["certain"].any(), "there is no other to be told from"


def silenced_heads(cost: np.ndarray, shown: bool, errors: np.ndarray | float = 0.05) -> pd.DataFrame:
    """A run whose single heads cost so much, with normal errors of such sizes and intervals that say so."""
    errors = np.broadcast_to(errors, cost.shape)
    value = -cost + np.random.default_rng(1).normal(size=cost.shape) * errors
    table = pd.DataFrame({"value": value, "low": value - 1.96 * errors, "high": value + 1.96 * errors})
    table = table.assign(group="a", run="a-s1", block=0, head=range(len(cost)), condition="zero", measure="margin")
    verdict = np.where(shown & (cost > 0), "different", "underpowered")
    return table.assign(p_adjusted=np.where(verdict == "different", 0.001, 1.0), verdict=verdict)


def test_noise_looks_concentrated_and_stands_beside_what_heads_carry():
    few = silenced_heads(np.where(np.arange(144) < 2, 3.0, 0), shown=True)
    curves = head_curves(few, 0)
    found = leading_heads(few, curves, 0.05).loc["a-s1"]
    assert found["half"] == 2 and 16 <= found["noise"] <= 22, "of 144 heads that cost nothing 18 seem to carry half"
    assert curves["noise"].is_monotonic_increasing and curves["noise"].iloc[[0, -1]].tolist() == pytest.approx([0, 1])
    pd.testing.assert_frame_equal(curves, head_curves(few, 0))
    wide = np.where(np.arange(144) < 14, 1, 0.05)
    uneven = silenced_heads(np.where(np.arange(144) < 2, 3.0, 0), shown=True, errors=wide)
    noise = leading_heads(uneven, head_curves(uneven, 0), 0.05).loc["a-s1", "noise"]
    assert noise < 8, "heads of which less is known seem to carry more"
    table = BeautifulSoup(masks_page.head_table(few, curves, 0.05), "html.parser")
    assert [cell.text for cell in table.select("tbody > tr > *")][4:6] == ["2", str(found["noise"])]


def test_of_concentration_nothing_is_said_where_no_head_is_shown_to_cost_anything():
    nothing = silenced_heads(np.zeros(144), shown=False)
    helps = silenced_heads(np.where(np.arange(144) < 2, -3.0, 0), shown=True).assign(verdict="different")
    helps["verdict"] = np.where(helps["value"] > 1, "different", "underpowered")
    for table in (nothing, helps):
        curves = head_curves(table, 0)
        assert curves.empty
        row = BeautifulSoup(masks_page.head_table(table, curves, 0.05), "html.parser").select("tbody > tr > *")
        assert [cell.text for cell in row][4:6] == ["n/a", "n/a"]
    none = nothing[:0]
    assert masks_page.head_table(none, head_curves(none, 0), 0.05) == "", "heads were screened"


def test_where_nothing_costs_anything_for_certain_no_block_leads(measures, correlations):
    idle = profile(masking_summary([0.003, 0.002, 0.001]), 3).assign(group="deep", run="deep-s1")
    assert "most in 0 of 1 run" in report.main_result(measures, idle, correlations, 0.05).striptags()
    text = masks_page.first_block_reading(idle, {"deep-s1": SETTINGS["deep-s1"]}, 0.05).striptags()
    assert "deep: what costs most is no block. That only the first block matters is contradicted" in text
    assert "none for certain" in masks_page.leader_table(idle, 0.05)


def test_set_ups_without_a_bias_to_silence_are_named(masks):
    assert masks_page.without_bias(masks) == ""  # none was asked for
    published = masks.query("group != 'deep' and condition == 'described'").assign(condition="published")
    told = masks_page.without_bias(pd.concat([masks, published])).striptags()
    assert "the attention of deep has none" in told


def test_tables_and_figures_of_masks_show_every_set_up(masks, correlations):
    tables = [
        masks_page.leader_table(masks, 0.05),
        masks_page.first_block_table(masks, 0.05),
        masks_page.correlation_table(correlations, "blocks"),
    ]
    for table in tables:
        assert all(group in table for group in MODELS)
    curves = head_curves(masks, 0)
    assert curves.groupby("run")["carried"].max().tolist() == pytest.approx([1] * 5)
    assert "warm-s2" in masks_page.head_table(masks, curves, 0.05)
    drawn = [
        figures.depth_profiles(masks_page.profile_panels(masks)),
        figures.correlation_maps(masks_page.correlation_panels(correlations, SETTINGS)),
        figures.concentration(curves, "share"),
    ]
    assert all(figure.axes for figure in drawn)


@pytest.mark.parametrize("groups", [14, 60])
def test_a_map_of_many_groups_has_colours_and_no_numbers(groups):
    names = [f"set-up {number}" for number in range(groups)]
    drawn = figures.correlation_maps({"blocks": pd.DataFrame(0.5, index=names, columns=names)})
    axes = drawn.axes[0]
    assert len(axes.texts) == (groups**2 if groups <= 14 else 0)
    assert drawn.get_size_inches().max() <= 14 and len(axes.get_yticklabels()) == groups


def test_many_correlations_are_folded(masks, correlations):
    few = masks_page.correlation_table(correlations, "blocks")
    rows = correlations.query("part == 'blocks' and condition == 'described'")
    many = pd.concat([rows.assign(first_group=f"g{number}") for number in range(40)])
    assert not few.startswith("<details>") and masks_page.correlation_table(many, "blocks").startswith("<details>")
