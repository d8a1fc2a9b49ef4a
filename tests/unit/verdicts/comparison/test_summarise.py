"""Runs side by side: depths, intervals over seeds and rank correlations."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from compared_runs import COMPARED, FALLS, masking_summary
from emoscope.storage.names import ALL, WHOLE_BLOCK
from emoscope.verdicts.comparison.scores import SCORES, performance
from emoscope.verdicts.comparison.summarise import (
    at_depths_of,
    compare_masks,
    compare_runs,
    correlate,
    depths,
    only_first_matters,
    over_seeds,
    perturbed,
    profile,
    rank_correlation,
    with_groups,
)

numbers = st.floats(-1, 1, width=32)

profiles = arrays(float, st.integers(1, 30), elements=numbers)


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
    rows = profile(masking_summary(falls), len(falls)).query(f"head == {WHOLE_BLOCK} and condition == 'described'")
    for _, of in rows.groupby("measure"):
        assert only_first_matters(of, 0.05) == verdict
        unsure = of.assign(p_equivalence=np.where(of["block"] == 1, 0.4, of["p_equivalence"]))
        assert only_first_matters(unsure, 0.05) == ("underpowered" if verdict == "reproduced" else verdict)
        second = of["block"] == 2
        not_beyond = of.assign(
            p_equivalence=np.where(second, 1, of["p_equivalence"]), p_beyond=of["p_beyond"].mask(second, 0.5)
        )
        expected = "underpowered" if falls[0] else "contradicted"
        assert only_first_matters(not_beyond, 0.05) == expected, "not shown to lie within is not shown to lie beyond"


@pytest.mark.parametrize("fall", [0.5, 0.0])
def test_of_a_single_block_it_cannot_be_told_whether_it_alone_matters(fall):
    rows = profile(masking_summary([fall]), 1).query(f"head == {WHOLE_BLOCK} and condition == 'described'")
    assert {only_first_matters(of, 0.05) for _, of in rows.groupby("measure")} == {"not testable here"}


def baselines(words: float, constant: float, model: float = 0.8) -> dict:
    """The part of `metrics.json` on the cheapest classifiers."""
    bounds = {"accuracy_interval": [0, 1], "difference_interval": [-1, 1]}
    cheap = {"words": words, "constant": constant, "every_label": 0}
    return {name: {"all": {"accuracy": value, "difference": model - value} | bounds} for name, value in cheap.items()}


def test_scores_of_classes_stand_beside_those_of_all():
    of = {"rows": 3, "recall": 0.5, "recall_interval": [0.4, 0.6], "precision": 1.0, "precision_interval": [0.9, 1.0]}
    whole = {name: value for score in SCORES for name, value in ((score, 0.8), (f"{score}_interval", [0.7, 0.9]))}
    metrics = {"test": {"all": {**whole, "per_class": {"joy": of, "fear": of}}}, "baselines": baselines(0.6, 0.3)}
    found = performance(metrics).set_index("measure")
    assert found.loc["recall_fear", ["value", "low", "high"]].tolist() == [0.5, 0.4, 0.6]
    cheap = ["accuracy.words", "accuracy.constant", "accuracy.above_words"]
    assert list(found.index) == [*SCORES, "recall_joy", "precision_joy", "recall_fear", "precision_fear", *cheap]
    assert found.loc[cheap, "value"].tolist() == [0.6, 0.3, pytest.approx(0.2)]
    assert found.loc["accuracy.above_words", ["low", "high"]].tolist() == [-1, 1], "which is no share"
    wide = found.reset_index().assign(group="a", run="a-s1", low=-1.2, high=1.2)
    groups = with_groups(wide, ["measure"], 0.05).query("run == @ALL").set_index("measure")
    assert groups["high"].eq(1).all() and groups["low"].drop("accuracy.above_words").eq(0).all()


def test_flagged_words_become_a_share_of_the_words_in_texts_enough_to_tell():
    columns = ["origin", "term", "measure", "value", "low", "high", "verdict", "detectable"]
    rows = [
        ("published", "", "changed", 0.1, 0.0, 0.2, "", 0.1),
        ("published", "", "distance", 0.1, 0.0, 0.2, "", np.nan),
        ("word", "glad", "changed", 0.5, 0.0, 1.0, "flagged", 0.2),
        ("word", "sad", "changed", 0.0, 0.0, 1.0, "not flagged", 0.2),
        ("word", "bad", "changed", 1.0, 0.5, 1.0, "flagged", 0.5),  # in few texts, as others not flagged would be
        ("word", "mad", "changed", 0.0, 0.0, 1.0, "cannot tell", 0.5),
        ("word", "sad", "distance", 0.0, 0.0, 1.0, "", 0.1),
    ]
    table = pd.DataFrame(rows, columns=columns)
    found = perturbed(table, 0.05).set_index(["origin", "measure"])
    assert list(found.index) == [("published", "changed"), ("word", "words_flagged")]
    assert found.loc[("word", "words_flagged"), "value"] == 0.5
    few = table[~table["term"].isin(["glad", "sad"])]
    assert set(perturbed(few, 0.05)["origin"]) == {"published"}


@pytest.mark.parametrize(("heads", "compared"), [("all", True), ("screened", False)])
def test_heads_are_compared_unless_each_run_masked_others(tmp_path, heads, compared):
    files = [tmp_path / f"{run}.parquet" for run in FALLS]
    for number, (falls, file) in enumerate(zip(FALLS.values(), files, strict=True)):
        masking_summary(falls, seed=number).to_parquet(file)
    masks, correlations = tmp_path / "masks.parquet", tmp_path / "correlations.parquet"
    runs, statistics = {run: COMPARED[run] for run in FALLS}, {"confidence": 0.95, "seed": 0}
    compare_masks(runs, files, statistics, heads, masks, correlations)
    found = pd.read_parquet(masks)["head"] != WHOLE_BLOCK
    assert found.any() == compared and not found.all()
    assert (pd.read_parquet(correlations)["part"] == "heads").any() == compared


def test_every_run_has_its_own_numbers_whatever_it_is_called(tmp_path):
    runs, axes = {"zebra-s1": {"group": "zebra"}, "ant-s1": {"group": "ant"}}, ["race", "gender"]
    metrics, changes = [], []
    for number, run in enumerate(runs, 1):
        scores = {name: number / 10 for name in SCORES} | {f"{name}_interval": [0, 1] for name in SCORES}
        metrics.append(tmp_path / f"{run}.json")
        found = {"test": {"all": {**scores, "per_class": {}}}, "baselines": baselines(number / 20, 0)}
        metrics[-1].write_text(json.dumps(found))
        for place, axis in enumerate(axes, 1):
            row = {"origin": "natural", "measure": "changed", "term": "", "value": number / 10 + place / 100}
            changes.append(tmp_path / f"{run}_{axis}.parquet")
            pd.DataFrame([row | {"low": 0.0, "high": 1.0, "verdict": "", "detectable": np.nan}]).to_parquet(changes[-1])
    compare_runs(runs, axes, metrics, changes, {"confidence": 0.95}, tmp_path / "found.parquet")
    found = pd.read_parquet(tmp_path / "found.parquet").set_index(["run", "topic", "measure"])["value"]
    for number, run in enumerate(runs, 1):
        assert found[run, "performance", SCORES[0]] == number / 10
        assert found[run, "performance", "accuracy.words"] == number / 20
        for place, axis in enumerate(axes, 1):
            assert found[run, axis, "changed"] == pytest.approx(number / 10 + place / 100)


def test_a_block_whose_loss_helps_is_not_important():
    falls = np.array([0.5, 0.2, 0.1, 0.05, 0.0])
    runs = {name: {"group": name, "weights": None} for name in ("worse", "better")}
    parts = [profile(masking_summary(sign * falls), 5) for sign in (1, -1)]
    masks = pd.concat([part.assign(run=run, group=run) for run, part in zip(runs, parts, strict=True)])
    found = correlate(masks, runs, 0).query("part == 'blocks' and measure == 'margin'")
    assert found["value"].tolist() == pytest.approx([-1, -1])


@pytest.mark.parametrize(("p", "verdict"), [(0.02, "contradicted"), (0.03, "underpowered")])
def test_two_other_blocks_have_two_chances_to_contradict(p, verdict):
    rows = profile(masking_summary([0.5, 0.0, 0.0]), 3).query(f"head == {WHOLE_BLOCK} and condition == 'described'")
    rows = rows[rows["measure"] == "margin"]
    second = rows["block"] == 2
    rows = rows.assign(p_equivalence=rows["p_equivalence"].mask(second, 1), p_beyond=rows["p_beyond"].mask(second, p))
    assert only_first_matters(rows, 0.05) == verdict
