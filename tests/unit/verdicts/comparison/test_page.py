"""What the comparison page says of runs whose story is known."""

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from compared_runs import MODELS, SETTINGS, masking_summary
from emoscope.storage.names import ALL
from emoscope.verdicts.comparison import figures
from emoscope.verdicts.comparison import page as report
from emoscope.verdicts.comparison.leaders import head_curves, leading_blocks, leading_heads
from emoscope.verdicts.comparison.summarise import profile
from made_up import words


def test_the_headline_tells_what_holds(measures, masks, correlations):
    text = report.main_result(measures, masks, correlations, 0.05).striptags()
    text = " ".join(text.split())
    assert "3 set-ups with 5 runs in all. Test accuracy 0.800; a bag of words reaches 0.700, the most frequent" in text
    assert "the most frequent class 0.300. The first block" in text
    assert "matters most in 2 of 5 runs" in text
    assert "by probability, contradicted in 3 of 5 and reproduced in 2 of 5; by the logit margin" in text
    assert "between two runs (in brackets the lowest and the highest): " in text
    assert re.search(r": \S+ between seeds and \S+ between set-ups \(\S+ to \S+\)", text), (
        "of one pair there is no range"
    )
    assert " p " not in text and "(p" not in text, "neighbouring blocks are alike, which no order drawn by chance keeps"


def test_runs_and_set_ups_that_are_counted_are_the_same_and_exact_matches_are_no_accuracy(
    measures, masks, correlations
):
    warm = measures["group"] == "warm"
    exact = measures.assign(value=measures["value"].mask(warm, 0.123))
    micro = exact[warm & (exact["measure"] == "accuracy")].assign(measure="micro_f1")
    text = words(report.main_result(pd.concat([exact, micro]), masks, correlations, 0.05))
    assert "3 set-ups with 5 runs in all. Test accuracy of the 2 with one label a text 0.800; a bag of words" in text
    micro = exact[exact["measure"] == "accuracy"].assign(measure="micro_f1")
    text = words(report.main_result(pd.concat([exact, micro]), masks, correlations, 0.05))
    assert "3 set-ups with 5 runs in all. Test accuracy 0.123 to 0.800; a bag of words reaches 0.123 to 0.700" in text


def test_the_cheapest_classifiers_stand_beside_the_accuracy(measures):
    table = BeautifulSoup(report.score_table(measures), "html.parser").table
    titles = [cell.text for cell in table.select("th")]
    assert titles[1:5] == ["accuracy", "a bag of words", "the most frequent class", "model minus a bag of words"]
    for row in table.select("tbody tr"):
        shown = [cell.text.split()[0] for cell in row.select("td")[1:5]]
        assert shown == ["0.800", "0.700", "0.300", "+0.100"], "a difference has its sign"
    assert "+10.0 %" in report.rate_table(measures) and "+20.0 %" not in report.rate_table(measures)


def test_round_brackets_are_explained_where_there_are_any(measures):
    lone = measures.assign(seeds=measures["seeds"].where(measures["run"] != ALL, 1), spread=np.nan)
    for table in (report.score_table, report.rate_table, report.class_table):
        assert "round brackets" in table(measures) and "round brackets" not in table(lone)


def test_a_lone_seed_and_random_heads_are_named(correlations):
    text = report.reading(SETTINGS, {"confidence": 0.95}).striptags()
    assert "Only one seed: deep." in text and "Only two seeds: narrow and warm." in text
    text = report.heads_apart(correlations, SETTINGS, MODELS).striptags()
    assert "narrow and deep start from random weights" in text and "share their heads" in text


def test_the_leading_block_is_named_run_by_run(masks):
    leaders = leading_blocks(masks, 0.05)
    assert leaders["block"].to_dict() == {"narrow-s1": 0, "narrow-s2": 0, "deep-s1": 7, "warm-s1": 4, "warm-s2": 4}
    assert leaders.loc["deep-s1", "share"] == pytest.approx(0.2 / 0.221)
    text = report.first_block_reading(masks, SETTINGS, 0.05).striptags()
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
    assert "matters most in 0 of 1 runs" in text and "by probability, not testable here" in text
    assert "none for certain" in report.leader_table(single, 0.05)


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
    table = BeautifulSoup(report.head_table(few, curves, 0.05), "html.parser")
    assert [cell.text for cell in table.select("td")][4:6] == ["2", str(found["noise"])]


def test_of_concentration_nothing_is_said_where_no_head_is_shown_to_cost_anything():
    nothing = silenced_heads(np.zeros(144), shown=False)
    helps = silenced_heads(np.where(np.arange(144) < 2, -3.0, 0), shown=True).assign(verdict="different")
    helps["verdict"] = np.where(helps["value"] > 1, "different", "underpowered")
    for table in (nothing, helps):
        curves = head_curves(table, 0)
        assert curves.empty
        row = BeautifulSoup(report.head_table(table, curves, 0.05), "html.parser").select("td")
        assert [cell.text for cell in row][4:6] == ["n/a", "n/a"]
    none = nothing[:0]
    assert report.head_table(none, head_curves(none, 0), 0.05) == "", "heads were screened"


def test_where_nothing_costs_anything_for_certain_no_block_leads(measures, correlations):
    idle = profile(masking_summary([0.003, 0.002, 0.001]), 3).assign(group="deep", run="deep-s1")
    assert "most in 0 of 1 run" in report.main_result(measures, idle, correlations, 0.05).striptags()
    text = report.first_block_reading(idle, {"deep-s1": SETTINGS["deep-s1"]}, 0.05).striptags()
    assert "deep: what costs most is no block. That only the first block matters is contradicted" in text
    assert "none for certain" in report.leader_table(idle, 0.05)


def test_set_ups_without_a_bias_to_silence_are_named(masks):
    assert report.without_bias(masks) == ""  # none was asked for
    published = masks.query("group != 'deep' and condition == 'described'").assign(condition="published")
    told = report.without_bias(pd.concat([masks, published])).striptags()
    assert "the attention of deep has none" in told


def test_tables_and_figures_show_every_set_up(measures, masks, correlations):
    tables = [
        report.score_table(measures),
        report.rate_table(measures),
        report.gap_table(measures),
        report.class_table(measures),
        report.leader_table(masks, 0.05),
        report.first_block_table(masks, 0.05),
        report.correlation_table(correlations, "blocks"),
    ]
    for table in tables:
        assert all(group in table for group in MODELS)
    assert "P(&lt;joy&gt;)" in tables[2] and "<joy>" not in tables[2]
    assert tables[3].count("&lt;joy&gt;") == 2 and "<joy>" not in tables[3]  # once for recall, once for precision
    assert "Gender, test texts;" in tables[1] and "Synonyms, word by word;" in tables[1], "as on the pages of each run"
    training = {"seconds": 60.0, "parameters": 1000, "resumed_from_step": 0, "precision": "fp32"}
    assert "60 ± 0" in report.setups(SETTINGS, MODELS, dict.fromkeys(SETTINGS, training))
    known = {"trained": "elsewhere", "parameters": 1000}
    adopted = {name: run | {"training": "none"} for name, run in SETTINGS.items()}
    elsewhere = report.setups(adopted, MODELS, dict.fromkeys(SETTINGS, known))
    assert "elsewhere" in elsewhere and "epoch" not in elsewhere and "1,000" in elsewhere
    curves = head_curves(masks, 0)
    assert curves.groupby("run")["carried"].max().tolist() == pytest.approx([1] * 5)
    assert "warm-s2" in report.head_table(masks, curves, 0.05)
    drawn = [
        figures.group_intervals(report.score_panels(measures)),
        figures.group_intervals(report.excess_panels(measures), percent=True, zero=True),
        figures.depth_profiles(report.profile_panels(masks)),
        figures.correlation_maps(report.correlation_panels(correlations, SETTINGS)),
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
