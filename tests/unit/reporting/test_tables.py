"""The pure functions between the tables: samples, metrics, masking summaries, effects, traces."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from emoscope.experiments.masking.samples import most_confident
from emoscope.experiments.masking.summarise import paper_table, summarise
from emoscope.experiments.tracing.measure import strongest
from emoscope.models.logits import columns, prediction_table
from emoscope.perturbation.effects import summarise as summarise_effects

CLASSES = ["sadness", "joy", "love"]
STATISTICS = {"confidence": 0.95, "margin": 0.02, "resamples": 200, "seed": 0}


def predictions(rows, seed=0, scale=4.0):
    rng = np.random.default_rng(seed)
    texts = pd.DataFrame({"id": range(rows), "label": rng.integers(0, 3, rows).astype("int8")})
    return prediction_table(texts, rng.normal(scale=scale, size=(rows, 3)).astype("float32"), CLASSES)


def test_predictions_are_the_softmax_of_the_logits():
    table = predictions(50)
    np.testing.assert_allclose(table.filter(regex="^p_").sum(axis=1), 1, atol=1e-6)
    logits = table.filter(regex="^logit_").to_numpy()
    assert (table["pred"] == logits.argmax(axis=1)).all()
    np.testing.assert_allclose(table["confidence"], softmax(logits, axis=1).max(axis=1), rtol=1e-6)


@pytest.mark.parametrize("by", ["predicted", "label"])
def test_the_most_confident_of_each_class(by):
    table = predictions(200).assign(text="x")
    chosen = most_confident(table, 10, by)
    column = "pred" if by == "predicted" else "label"
    assert (chosen["group"] == chosen[column]).all()
    for number, group in chosen.groupby("group"):
        left = table[(table[column] == number) & ~table["id"].isin(group["id"])]
        assert len(group) == 10 and group["confidence"].min() >= left["confidence"].max()


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
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    summary = summarise(samples, masked_like(samples, -3.0), **STATISTICS)
    first = summary.query("block == 0 and condition == 'described' and group == 'sadness'").set_index("measure")
    assert first.loc["probability", "high"] < 0
    assert first.loc["margin", "change"] == pytest.approx(-3.0, abs=1e-4)
    assert first.loc["probability", "p_adjusted"] < 0.01
    untouched = summary.query("block == 1")
    assert (untouched["change"].abs() < 1e-6).all()
    assert (untouched.query("measure == 'probability'")["verdict"] == "equivalent").all()
    joy = summary.query("block == 0 and condition == 'described' and group == 'joy'").set_index("measure")
    assert joy.loc["probability", "change"] >= 0 >= joy.loc["first_class", "change"]


def test_a_masks_verdict_follows_from_the_numbers_beside_it():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    summary = summarise(samples, masked_like(samples, -0.3), **STATISTICS)
    assert {"equivalent", "different", "underpowered"} == set(summary["verdict"])
    shown = summary["p_equivalence"] <= 0.05
    assert (summary["verdict"] == "equivalent").equals(shown)
    assert (summary["verdict"] == "different").equals(~shown & (summary["p_adjusted"] <= 0.05))
    margins = summary.groupby("measure")["equivalence_margin"].first()
    assert margins["margin"] == pytest.approx(4 * margins["probability"])
    assert (summary["detectable"] >= 0).all()


def test_a_few_texts_of_which_none_turned_prove_nothing_about_accuracy():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 60, "predicted")
    accuracy = summarise(samples, masked_like(samples, 0.0), **STATISTICS).query("measure == 'accuracy'")
    each, together = (accuracy[accuracy["group"] == group].iloc[0] for group in ("joy", "all"))
    assert each["change"] == together["change"] == 0
    assert each["verdict"] == "underpowered" and each["detectable"] > 0.02
    assert each["low"] == -each["high"] < -0.02
    assert together["verdict"] == "equivalent" and together["texts"] == 180


def test_the_papers_table_takes_each_procedures_own_measure():
    samples = most_confident(predictions(400, scale=2.0).assign(text=lambda t: t["id"].astype(str)), 40, "predicted")
    summary = summarise(samples, masked_like(samples, 3.0), **STATISTICS)
    table = paper_table(summary)
    assert list(table.columns) == CLASSES
    assert table.loc[("described", 0), "joy"] < 0 < table.loc[("published", 0), "joy"]


def test_predictions_of_other_samples_are_refused():
    samples = most_confident(predictions(100).assign(text="x"), 5, "predicted")
    with pytest.raises(ValueError, match="not those of the samples"):
        summarise(samples, masked_like(samples, 1.0).assign(id=lambda t: t["id"].to_numpy()[::-1]), **STATISTICS)


def pairs(rows, effect, seed=0):
    rng = np.random.default_rng(seed)
    before = rng.dirichlet([5, 5, 5], rows)
    male = rng.random(rows) < 0.5
    after = before + np.where(male, -1, 1)[:, None] * np.array([effect, -effect, 0])
    return pd.DataFrame({
        "id": range(rows), "axis": "gender", "origin": "natural", "term": "", "label": 0,
        "text": [f"text {n}" for n in range(rows)], "cluster": range(rows), "flags": [[] for _ in range(rows)],
        "direction": np.where(male, "male to female", "female to male"),
        **columns("before", CLASSES, before), **columns("after", CLASSES, np.clip(after, 1e-9, None)),
    })  # fmt: skip


def test_a_gap_between_groups_is_found_with_its_sign_though_changes_cancel():
    summary = summarise_effects(pairs(300, 0.05), **STATISTICS).set_index("measure")
    assert summary.loc["gap_sadness", "low"] == pytest.approx(0.05, abs=0.01)
    assert summary.loc["gap_joy", "value"] == pytest.approx(-0.05, abs=0.01)
    assert summary.loc["gap_sadness", "verdict"] == "different"
    assert summary.loc["gap_love", "verdict"] == "equivalent"
    assert abs(summary.loc["change_sadness", "value"]) < 0.02


def test_a_few_pairs_are_underpowered_not_equivalent():
    rng = np.random.default_rng(1)
    few = pairs(4, 0.0)
    few[[f"after_{name}" for name in CLASSES]] = rng.dirichlet([5, 5, 5], 4)
    assert summarise_effects(few, **STATISTICS).set_index("measure").loc["change_joy", "verdict"] == "underpowered"


def test_uncertain_pairs_are_left_out_and_counted():
    table = pairs(20, 0.01)
    table["flags"] = [["uncertain"] if n % 2 else [] for n in range(20)]
    summary = summarise_effects(table, **STATISTICS)
    assert (summary["left_out"] == 10).all()
    assert (summary.query("measure == 'distance'")["pairs"] == 10).all()
    assert set(strongest(table, 50)["id"]) == set(range(0, 20, 2))
