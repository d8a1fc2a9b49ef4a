"""Runs side by side: depths, intervals over seeds, rank correlations, and what the page says of them."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from emoscope.storage.names import ALL, WHOLE_BLOCK
from emoscope.verdicts.comparison import figures
from emoscope.verdicts.comparison import page as report
from emoscope.verdicts.comparison.summarise import (
    SCORES,
    at_depths_of,
    correlate,
    depths,
    head_curves,
    leading_blocks,
    only_first_matters,
    over_seeds,
    performance,
    perturbed,
    profile,
    rank_correlation,
    with_groups,
)

numbers = st.floats(-1, 1, width=32)
profiles = arrays(float, st.integers(1, 30), elements=numbers)


# ---------------------------------------------------------------------------------------------------------------------
# Relative depth


@given(st.integers(1, 60))
def test_depths_lie_evenly_inside_the_model(blocks):
    found = depths(blocks)
    assert (found > 0).all() and (found < 1).all() and len(found) == blocks
    np.testing.assert_allclose(found + found[::-1], 1)


@given(profiles)
def test_a_profile_at_its_own_depths_is_itself(values):
    np.testing.assert_allclose(at_depths_of(values, len(values)), values, atol=1e-12)


@given(profiles, st.data())
def test_a_shallower_model_sees_no_more_than_there_is(values, data):
    found = at_depths_of(values, data.draw(st.integers(1, len(values))))
    assert found.min() >= values.min() - 1e-12 and found.max() <= values.max() + 1e-12


def test_half_as_many_blocks_see_the_mean_of_two():
    np.testing.assert_allclose(at_depths_of(np.arange(12.0) ** 2, 6), (np.arange(12.0) ** 2).reshape(6, 2).mean(axis=1))


@given(st.integers(1, 30), st.integers(1, 30))
def test_what_grows_with_depth_does_so_in_every_model(deep, shallow):
    shallow = min(shallow, deep)
    np.testing.assert_allclose(at_depths_of(3 * depths(deep), shallow), 3 * depths(shallow))


# ---------------------------------------------------------------------------------------------------------------------
# Intervals over seeds


def seeds(values, half=0.1, group="a") -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    return pd.DataFrame({"group": group, "value": values, "low": values - half, "high": values + half})


def pooled(table: pd.DataFrame) -> pd.Series:
    return over_seeds(table, ["group"], 0.05).iloc[0]


@given(numbers, st.floats(0, 1))
def test_one_seed_keeps_its_interval_and_equal_seeds_narrow_it_no_further(value, half):
    for count in (1, 4):
        found = pooled(seeds([value] * count, half))
        np.testing.assert_allclose([found["low"], found["high"]], [value - half, value + half], atol=1e-9)
        assert found["seeds"] == count
    assert np.isnan(pooled(seeds([value]))["spread"])


@given(st.lists(numbers, min_size=2, max_size=6), st.floats(0, 1))
def test_the_interval_is_no_narrower_than_either_of_its_sources(values, half):
    found = pooled(seeds(values, half))
    assert found["value"] == pytest.approx(np.mean(values))
    chance = stats.t.isf(0.025, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    assert found["high"] - found["value"] >= max(half, chance) - 1e-9
    assert found["spread"] == pytest.approx(np.std(values, ddof=1))
    again = pooled(seeds(values[::-1], half))
    np.testing.assert_allclose(again.drop("group").astype(float), found.drop("group").astype(float), atol=1e-12)


@pytest.mark.parametrize(("texts", "between"), [(1.0, 0.0), (1.0, 1.0), (0.2, 1.0)])
def test_the_interval_covers_the_truth_as_often_as_it_says(texts, between):
    rng, trials, count = np.random.default_rng(0), 2_000, 3
    shared = rng.normal(0, texts, (trials, 1))  # what the choice of texts does to all seeds alike
    values = shared + rng.normal(0, between, (trials, count))
    table = seeds(values.ravel(), stats.norm.isf(0.025) * texts, np.repeat(np.arange(trials), count))
    found = over_seeds(table, ["group"], 0.05)
    assert 0.94 <= ((found["low"] <= 0) & (found["high"] >= 0)).mean() <= 0.999


def test_groups_do_not_mix_and_shares_stay_possible():
    table = pd.concat([seeds([0.98, 0.99]), seeds([0.2, 0.4], group="b"), seeds([np.nan], group="c")])
    table = table.assign(run=["a-s1", "a-s2", "b-s1", "b-s2", "c-s1"], measure="accuracy")
    found = with_groups(table, ["measure"], 0.05)
    assert len(found) == 5 + 2
    whole = found[found["run"] == ALL].set_index("group")
    np.testing.assert_allclose(whole["value"], [0.985, 0.3])
    assert (whole["low"] >= 0).all() and (whole["high"] <= 1).all()


# ---------------------------------------------------------------------------------------------------------------------
# Rank correlations


@given(arrays(float, (2, 8), elements=numbers))
def test_the_correlation_is_spearmans(pair):
    found = rank_correlation(*pair, seed=0)
    if np.ptp(pair[0]) and np.ptp(pair[1]):
        assert found.value == pytest.approx(stats.spearmanr(*pair).statistic, abs=1e-9)
        assert 0 < found.p <= 1
    else:
        assert np.isnan(found.value) and np.isnan(found.p)


def test_p_counts_the_orders_that_are_as_extreme():
    assert rank_correlation(np.arange(5.0), np.arange(5.0) ** 3, 0) == (pytest.approx(1), pytest.approx(2 / 120))
    one, other = np.array([3.0, 1, 4, 1.5, 9, 2.6]), np.array([2.0, 7, 1, 8, 2.5, 8.5])
    exact = stats.permutation_test(
        (other,), lambda x: stats.spearmanr(one, x).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    assert rank_correlation(one, other, 0).p == pytest.approx(exact.pvalue, abs=0.01)
    long = np.random.default_rng(0).normal(size=(2, 40))
    assert rank_correlation(*long, 0).p == pytest.approx(stats.spearmanr(*long).pvalue, abs=0.03)
    assert rank_correlation(long[0], long[0], 0).p == pytest.approx(1e-4)


def test_too_few_blocks_say_nothing():
    assert np.isnan(rank_correlation(np.arange(3.0), np.arange(3.0), 0)).all()


# ---------------------------------------------------------------------------------------------------------------------
# Masks


def summary(falls, heads: int = 2, seed: int = 0) -> pd.DataFrame:
    """A masking summary in which block b costs falls[b], of the margin four times as much; heads share it."""
    rng, rows = np.random.default_rng(seed), []
    for block, fall in enumerate(falls):
        for head in (WHOLE_BLOCK, *range(heads)):
            for condition in ("described", "mean") if head == WHOLE_BLOCK else ("zero",):
                for measure in ("probability", "first_class", "margin", "accuracy"):
                    scale = 4 if measure == "margin" else 1
                    change = -scale * (fall if head == WHOLE_BLOCK else fall * rng.uniform() / heads)
                    rows.append((block, head, condition, ALL, measure, change, 0.02 * scale))
    names = ["block", "head", "condition", "group", "measure", "change", "equivalence_margin"]
    table = pd.DataFrame(rows, columns=names)
    large = table["change"].abs() > table["equivalence_margin"]
    return table.assign(
        low=table["change"] - 0.01,
        high=table["change"] + 0.01,
        p_equivalence=np.where(large, 1.0, 1e-4),
        p_adjusted=np.where(large, 1e-4, 0.5),
        verdict=np.where(large, "different", "equivalent"),
    )


FALLS = {
    "narrow-s1": [0.5, 0.003, 0.001, 0.002, 0.0],
    "narrow-s2": [0.6, 0.003, 0.002, 0.001, 0.0],
    "deep-s1": [0.0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.2],
    "warm-s1": [0.0, 0.1, 0.01, 0.02, 0.3],
    "warm-s2": [0.01, 0.1, 0.0, 0.02, 0.3],
}
SETTINGS = {
    run: {"name": run.split("-")[0], "seed": int(run[-1]), "corpus": "texts", "model": run.split("-")[0]}
    | {"training": {"epochs": 2}}
    for run in FALLS
}
MODELS = {
    "narrow": {"source": "scratch", "blocks": 5},
    "deep": {"source": "scratch", "blocks": 8},
    "warm": {"source": "path", "path": "warm", "blocks": 5},
}
COMPARED = {
    run: {"group": run.split("-")[0], "blocks": len(falls), "weights": {"path": "warm"} if "warm" in run else None}
    for run, falls in FALLS.items()
}


@pytest.fixture(scope="module")
def masks() -> pd.DataFrame:
    parts = [
        profile(summary(falls, seed=number), len(falls)).assign(group=COMPARED[run]["group"], run=run)
        for number, (run, falls) in enumerate(FALLS.items())
    ]
    return with_groups(pd.concat(parts, ignore_index=True), ["block", "head", "condition", "measure", "depth"], 0.05)


@pytest.fixture(scope="module")
def correlations(masks) -> pd.DataFrame:
    return correlate(masks[masks["run"] != ALL], COMPARED, 0)


@pytest.fixture(scope="module")
def measures() -> pd.DataFrame:
    rows = [
        {"topic": topic, "origin": origin, "measure": measure, "value": value, "low": value - 0.1, "high": value + 0.1}
        | {"group": about["group"], "run": run}
        for run, about in COMPARED.items()
        for topic, origin, measure, value in (
            *(("performance", *key, 0.8) for key in product(("all", "distinct"), ("accuracy", "auc_ovr", "macro_f1"))),
            *(("performance", "all", f"{score}_<joy>", 0.95) for score in ("recall", "precision")),
            ("gender", "natural", "changed", 0.2),
            ("gender", "natural", "excess_changed", 0.1),
            ("gender", "natural", "gap_<joy>", 0.1),
            ("synonyms", "word", "words_flagged", 0.5),
        )
    ]
    return with_groups(pd.DataFrame(rows), ["topic", "origin", "measure"], 0.05)


def test_blocks_are_compared_between_all_runs_and_heads_where_they_are_the_same(correlations):
    blocks = correlations[(correlations["part"] == "blocks") & (correlations["measure"] == "margin")]
    described = blocks[blocks["condition"] == "described"].set_index(["first", "second"])
    assert len(described) == 10
    assert described.loc[("narrow-s1", "deep-s1"), "points"] == 5
    assert described.loc[("narrow-s1", "narrow-s2"), "value"] == pytest.approx(0.9)
    assert described.loc[("narrow-s1", "deep-s1"), "value"] == pytest.approx(-0.9)
    heads = correlations[correlations["part"] == "heads"]
    assert set(zip(heads["first"], heads["second"], strict=True)) == {("warm-s1", "warm-s2")}
    assert (heads["points"] == 10).all()


@pytest.mark.parametrize(
    ("falls", "verdict"),
    [
        ([0.5, 0.0, 0.0], "reproduced"),
        ([0.5, 0.0, 0.2], "contradicted"),
        ([0.0, 0.0, 0.0], "contradicted"),
        ([0.0, 0.0, 0.2], "contradicted"),
    ],
)
def test_only_the_first_block_matters(falls, verdict):
    rows = profile(summary(falls), len(falls)).query("head == @WHOLE_BLOCK and condition == 'described'")
    for _, of in rows.groupby("measure"):
        assert only_first_matters(of, 0.05) == verdict
        unsure = of.assign(p_equivalence=np.where(of["block"] == 1, 0.4, of["p_equivalence"]))
        assert only_first_matters(unsure, 0.05) == ("underpowered" if verdict == "reproduced" else verdict)


def test_scores_of_classes_stand_beside_those_of_all():
    of = {"rows": 3, "recall": 0.5, "recall_interval": [0.4, 0.6], "precision": 1.0, "precision_interval": [0.9, 1.0]}
    whole = {name: value for score in SCORES for name, value in ((score, 0.8), (f"{score}_interval", [0.7, 0.9]))}
    found = performance({"test": {"all": {**whole, "per_class": {"joy": of, "fear": of}}}}).set_index("measure")
    assert found.loc["recall_fear", ["value", "low", "high"]].tolist() == [0.5, 0.4, 0.6]
    assert list(found.index) == [*SCORES, "recall_joy", "precision_joy", "recall_fear", "precision_fear"]
    groups = with_groups(found.reset_index().assign(group="a", run="a-s1", high=1.2), ["measure"], 0.05)
    assert groups.loc[groups["run"] == ALL, "high"].eq(1).all()


def test_flagged_words_become_a_share_of_words():
    table = pd.DataFrame(
        [
            ("published", "", "changed", 0.1, 0.0, 0.2, ""),
            ("published", "", "distance", 0.1, 0.0, 0.2, ""),
            ("word", "glad", "changed", 0.5, 0.0, 1.0, "flagged"),
            ("word", "sad", "changed", 0.0, 0.0, 1.0, "not flagged"),
        ],
        columns=["origin", "term", "measure", "value", "low", "high", "verdict"],
    )
    found = perturbed(table, 0.05).set_index(["origin", "measure"])
    assert list(found.index) == [("published", "changed"), ("word", "words_flagged")]
    assert found.loc[("word", "words_flagged"), "value"] == 0.5


# ---------------------------------------------------------------------------------------------------------------------
# The page


def test_the_headline_tells_what_holds(measures, masks, correlations):
    text = report.main_result(measures, masks, correlations, 0.05).striptags()
    assert "3 set-ups with 5 runs" in text and "test accuracy 0.800" in text
    assert "matters most in 2 of 5 runs" in text
    assert "by probability, contradicted in 3 of 5 and reproduced in 2 of 5; by the logit margin" in text


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


def test_where_nothing_costs_anything_for_certain_no_block_leads(measures, correlations):
    idle = profile(summary([0.003, 0.002, 0.001]), 3).assign(group="deep", run="deep-s1")
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
    training = {"seconds": 60.0, "parameters": 1000, "resumed_from_step": 0, "precision": "fp32"}
    assert "60 ± 0" in report.setups(SETTINGS, MODELS, dict.fromkeys(SETTINGS, training))
    curves = head_curves(masks)
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
