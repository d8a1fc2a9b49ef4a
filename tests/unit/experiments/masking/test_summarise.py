"""Masking summaries find what was changed and nothing else."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from emoscope.experiments.masking.measures import average_masking
from emoscope.experiments.masking.samples import most_confident
from emoscope.experiments.masking.summarise import paper_table, summarise, summarise_masking
from emoscope.models.logits import columns
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bounded import bounded_test
from made_up import CLASSES, predictions

STATISTICS = {"confidence": 0.95, "margin": 0.02, "resamples": 200, "seed": 0}


def masked_like(samples, shift):
    """Predictions of the samples with one logit moved; block 1 is left as it was."""
    parts = []
    for block, moved in ((0, shift), (1, 0.0)):
        logits = samples.filter(regex="^logit_").to_numpy().copy()
        logits[:, 0] += moved
        scores = {**columns("p", CLASSES, softmax(logits, axis=1)), **columns("logit", CLASSES, logits)}
        for condition in ("described", "published"):
            parts.append(
                pd.DataFrame({"id": samples["id"], "block": block, "head": -1, "condition": condition, **scores})
            )
    return pd.concat(parts, ignore_index=True)


def test_masking_summary_finds_what_was_changed_and_nothing_else():
    samples = most_confident(predictions(800, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 100, "predicted")
    summary = summarise(samples, masked_like(samples, -3.0), STATISTICS)
    first = summary.query("block == 0 and condition == 'described' and group == 'sadness'").set_index("measure")
    assert first.loc["probability", "high"] < 0
    assert first.loc["margin", "change"] == pytest.approx(-3.0, abs=1e-4)
    assert first.loc["probability", "p_adjusted"] < 0.01
    untouched = summary.query("block == 1")
    assert (untouched["change"].abs() < 1e-6).all()
    untouched = untouched.query("measure == 'probability'").groupby("group")["verdict"].agg(set)
    assert untouched["all"] == {"equivalent"}
    assert untouched["joy"] == {"underpowered"}, "if 2 % of texts lost everything, 100 might show none"
    joy = summary.query("block == 0 and condition == 'described' and group == 'joy'").set_index("measure")
    assert joy.loc["probability", "change"] >= 0 >= joy.loc["first_class", "change"]


def test_the_plain_means_are_the_summarys_of_the_margin(tmp_path):
    """Of each mask in its own row, over the texts of all classes."""
    samples = most_confident(predictions(200, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 20, "predicted")
    masked = masked_like(samples, -3.0)
    samples.to_parquet(tmp_path / "samples")
    for block, rows in masked.groupby("block"):
        rows.to_parquet(tmp_path / f"block_{block}")
    average_masking(tmp_path / "samples", [tmp_path / f"block_{block}" for block in (1, 0)], tmp_path / "changes")
    found = pd.read_parquet(tmp_path / "changes").set_index(["block", "head", "condition"])["change"]
    summary = summarise(samples, masked, STATISTICS).query("measure == 'margin' and group == 'all'")
    wanted = summary.set_index(["block", "head", "condition"])["change"]
    np.testing.assert_allclose(found.loc[wanted.index], wanted, atol=1e-9)
    assert len(found) == len(wanted) == 4 and wanted.min() < -0.1


def test_a_masks_verdict_follows_from_the_numbers_beside_it():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    summary = summarise(samples, masked_like(samples, -0.3), STATISTICS)
    assert {"equivalent", "different", "underpowered"} == set(summary["verdict"])
    both = summary["p_beyond"] + summary["p_equivalence"]
    assert (both > 0.9).all() and (both > 1.2).any(), "what is not shown to lie within is not shown to lie beyond"
    shown = summary["p_equivalence"] <= 0.05
    assert (summary["verdict"] == "equivalent").equals(shown)
    assert (summary["verdict"] == "different").equals(~shown & (summary["p_adjusted"] <= 0.05))
    margins = summary.groupby("measure")["equivalence_margin"].first()
    assert margins["margin"] == pytest.approx(4 * margins["probability"])
    assert (summary["detectable"] >= 0).all()


def test_logits_have_four_times_the_margin_of_probabilities():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    moved = summarise(samples, masked_like(samples, -0.05), STATISTICS).query("block == 0 and measure == 'margin'")
    own = moved[moved["group"] == "sadness"].iloc[0]
    assert own["change"] == pytest.approx(-0.05, abs=1e-4) and own["verdict"] == "equivalent"


def test_a_few_texts_of_which_none_turned_prove_nothing_about_accuracy():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 80, "predicted")
    accuracy = summarise(samples, masked_like(samples, 0.0), STATISTICS).query("measure == 'accuracy'")
    each, together = (accuracy[accuracy["group"] == group].iloc[0] for group in ("joy", "all"))
    assert each["change"] == together["change"] == 0
    assert each["verdict"] == "underpowered" and each["detectable"] > 0.02
    assert min(each["low"], -each["high"]) < -0.02
    assert together["verdict"] == "equivalent" and together["texts"] == 240


def test_a_probability_cannot_change_beyond_what_the_samples_leave_it():
    """Samples of 0.95 or more cannot gain 0.05, so that few show that a small fall is a fall."""
    table = predictions(800, scale=2.0).assign(text=lambda t: t["id"].astype(str))
    samples = most_confident(table, 60, "predicted")
    rows = summarise(samples, masked_like(samples, -0.5), STATISTICS).query("block == 0 and measure == 'probability'")
    row, own = rows[rows["group"] == "sadness"].iloc[0], samples.loc[samples["group"] == 0, "p_sadness"]
    assert row["high"] <= 1 - own.min() + 1e-6 and row["verdict"] == "different"


def test_what_rounding_changes_counts_as_no_change():
    """All samples are as sure as numbers of 32 bits can be: none can rise, and every fall would be one for certain."""
    samples = predictions(120).assign(text=lambda t: t["id"].astype(str), group=0, label=0, pred=0)
    scores = {**columns("p", CLASSES, np.eye(3)[[0] * 120]), **columns("logit", CLASSES, 20 * np.eye(3)[[0] * 120])}
    samples = samples.assign(**scores)
    for fall, verdict in ((6e-8, "underpowered"), (1e-3, "different")):
        fallen = samples[["id", *scores]].assign(p_sadness=1 - fall, block=0, head=-1, condition="described")
        rows = summarise(samples, fallen, STATISTICS).query("measure == 'probability' and group == 'sadness'")
        assert rows["verdict"].item() == verdict
        assert rows["change"].item() == pytest.approx(-fall, rel=0.01)  # the paper's table shows such numbers, too


def test_the_papers_table_takes_each_procedures_own_measure():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    summary = summarise(samples, masked_like(samples, 3.0), STATISTICS)
    table = paper_table(summary)
    assert list(table.columns) == CLASSES
    assert table.loc[("described", 0), "joy"] < 0 < table.loc[("published", 0), "joy"]


def test_classes_may_be_called_like_the_columns_beside_them(tmp_path):
    named = dict(zip(CLASSES, ["block", "condition", "head"], strict=True))
    columns = {f"{prefix}_{old}": f"{prefix}_{new}" for prefix in ("p", "logit") for old, new in named.items()}
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    masked = masked_like(samples, 3.0).rename(columns=columns)
    inputs = {"samples": samples.rename(columns=columns), "masked": masked, "pairs": masked[:0]}
    for name, table in inputs.items():
        table.to_parquet(tmp_path / name)
    names = ("summary", "all_but_summary", "pair_summary", "table1", "table2", "findings")
    written = {name: tmp_path / f"{name}.csv" for name in names}
    read = {"samples": tmp_path / "samples", "blocks": [tmp_path / "masked"], "all_but": tmp_path / "masked"}
    summarise_masking(**read, pairs=tmp_path / "pairs", statistics=STATISTICS, **written)
    found = pd.read_csv(written["table1"], header=None)
    assert found.loc[0].tolist() == ["condition", "block", "block", "condition", "head"]
    assert found.loc[1, :1].tolist() == ["described", "0"] and float(found.loc[1, 3]) < 0 < float(found.loc[3, 3])


def test_the_effect_of_several_draws_is_the_mean_of_their_effects():
    """Not the effect of the mean prediction: one draw of three turns every prediction, a third of accuracy is lost."""
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    samples = samples.assign(label=samples["pred"]).query("group == 0")
    draws = [masked_like(samples, shift).query("condition == 'described'") for shift in (0.0, -30.0, 0.0)]
    masked = pd.concat([part.assign(draw=draw) for draw, part in enumerate(draws)], ignore_index=True)
    both = masked.sort_values(["block", "draw"], kind="stable")  # as one job after the other writes them
    summary = summarise(samples, both, STATISTICS).query("group == 'all' and block == 0").set_index("measure")
    assert summary.loc["accuracy", "change"] == pytest.approx(-1 / 3)
    assert summary.loc["margin", "change"] == pytest.approx(-10, abs=1e-4)
    assert summary.loc["accuracy", "texts"] == 40, "draws are no further texts"


def test_the_papers_table_holds_what_was_done_to_attention_alone():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    masked = masked_like(samples, 3.0)
    mlps = masked[masked["condition"] == "described"].assign(condition="mlp_zero")
    table = paper_table(summarise(samples, pd.concat([masked, mlps], ignore_index=True), STATISTICS))
    assert set(table.index.get_level_values("condition")) == {"described", "published"}


def test_predictions_of_other_samples_are_refused():
    samples = most_confident(predictions(100).assign(text="x"), 5, "predicted")
    with pytest.raises(ValueError, match="not those of the samples"):
        summarise(samples, masked_like(samples, 1.0).assign(id=lambda t: t["id"].to_numpy()[::-1]), STATISTICS)


def test_the_p_of_masks_is_adjusted_for_all_blocks_and_classes_of_a_condition():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    table = summarise(samples, masked_like(samples, -0.3), STATISTICS)
    for _, rows in table.groupby(["condition", "measure"]):
        assert len(rows) == 2 * 4, "two blocks, three classes and all"
        np.testing.assert_allclose(rows["p_adjusted"], benjamini_hochberg(rows["p"].to_numpy()))
    assert (table["p_adjusted"] > table["p"]).any()


def test_heads_that_a_screen_left_out_count_in_the_family():
    """Of 120 heads that change nothing the 6 largest are masked: none is found; over these alone some would be."""
    rng = np.random.default_rng(3)
    samples = most_confident(predictions(80, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 80, "predicted")
    samples = samples.assign(group=0)  # one class
    noise = rng.normal(0, 0.5, (120, len(samples)))
    largest = np.argsort(-np.abs(noise.mean(axis=1)))[:6]
    parts = []
    for head in largest:
        logits = samples.filter(regex="^logit_").to_numpy().copy()
        logits[np.arange(len(samples)), samples["group"]] += noise[head]
        scores = {**columns("p", CLASSES, softmax(logits, axis=1)), **columns("logit", CLASSES, logits)}
        parts.append(pd.DataFrame({"id": samples["id"], "block": 0, "head": head, "condition": "zero", **scores}))
    whole = masked_like(samples, -0.3).query("condition == 'described'")
    masked = pd.concat([whole, *parts], ignore_index=True)
    alone, screened = summarise(samples, masked, STATISTICS), summarise(samples, masked, STATISTICS, heads=120)
    together = "measure == 'margin' and group == 'all' and head >= 0"
    assert (alone.query(together)["p_adjusted"] <= 0.05).any()
    assert not (screened.query("measure == 'margin' and head >= 0")["p_adjusted"] <= 0.05).any()
    blocks = screened.query("head == -1 and measure == 'probability'")
    pd.testing.assert_series_equal(
        blocks["p_adjusted"], alone.query("head == -1 and measure == 'probability'")["p_adjusted"]
    )


def test_what_would_show_is_told_at_the_level_of_the_verdict():
    """Of two masked blocks and of two of a hundred screened heads, each in all texts and in those of three classes."""
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    blocks = masked_like(samples, -0.3).query("condition == 'described'")
    masked = pd.concat([blocks, blocks.assign(head=blocks["block"], condition="zero")], ignore_index=True)
    found = summarise(samples, masked, STATISTICS, heads=100).set_index(["condition", "measure", "group", "block"])
    count = blocks["block"].nunique()
    own, after = samples["group"] == 0, blocks[blocks["block"] == 0].set_index("id")["p_sadness"]
    values = after.loc[samples.loc[own, "id"]].to_numpy() - samples.loc[own, "p_sadness"].to_numpy()
    bounds = -samples.loc[own, "p_sadness"].max(), 1 - samples.loc[own, "p_sadness"].min()
    for condition, tests in (("described", count * 4), ("zero", 100 * 4)):
        row = found.loc[(condition, "probability", "sadness", 0)]
        for name, alpha in (("detectable", 0.05 / tests), ("detectable_alone", 0.05)):
            wanted = bounded_test(values, np.arange(len(values)), 0.02, bounds, alpha).detectable
            assert row[name] == pytest.approx(wanted, rel=1e-3), (condition, name)
    logits = found.xs("margin", level="measure").xs(0, level="block")
    assert (logits["detectable"] > logits["detectable_alone"]).all()
