"""Residual summaries find what the tables hold."""

import numpy as np
import pandas as pd
import pytest

from emoscope.writeups.residual import summarise as residual_summary

STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}


def test_the_summary_finds_what_the_tables_hold():
    rows = [
        {"id": text, "position": position, "depth": depth, "norm": 100.0 if position == 0 else 2.0}
        | {"p_prediction": depth / 4, "rank_prediction": 5.0 - depth, "p_next": depth / 8, "rank_next": 8.0}
        for text in range(12)
        for position in range(3)
        for depth in range(5)
    ]
    lens = pd.DataFrame(rows)
    lens.loc[lens["position"] == 2, ["p_next", "rank_next"]] = np.nan
    curves = residual_summary.depth_curves(lens, STATISTICS)
    chosen = curves.set_index(["measure", "of", "depth"])["value"]
    assert chosen["probability", "prediction", 2] == pytest.approx(0.5)
    assert chosen["probability", "next", 4] == pytest.approx(0.5)
    assert chosen["rank", "prediction", 1] == pytest.approx(4)
    assert chosen["first", "prediction", 4] == 1
    norms = residual_summary.position_norms(lens, STATISTICS)
    found = {
        finding.name: finding
        for finding in [*residual_summary.lens_findings(curves, lens), *residual_summary.norm_findings(norms)]
    }
    assert found["lens.half_settled"].value == 4
    assert found["lens.prediction.probability.depth4"].note == "12 texts", "as the page quotes it"
    assert found["norm.first"].value == pytest.approx(100)
    assert found["norm.others"].value == pytest.approx(2)


def test_recovered_loss_is_relative_to_the_ablation():
    losses = {"original": 2.0, "autoencoder": 3.0, "mean": 6.0, "zero": 12.0}
    patched = pd.DataFrame([
        {"condition": condition, "id": text, "tokens": 10, "loss": 10 * loss + text}
        for condition, loss in losses.items()
        for text in range(8)
    ])  # fmt: skip
    found = {finding.name: finding.value for finding in residual_summary.loss_findings(patched, STATISTICS)}
    assert found["recovered.autoencoder.zero"] == pytest.approx(0.9)
    assert found["recovered.autoencoder.mean"] == pytest.approx(0.75)
    assert found["loss.original"] == pytest.approx(2.35)


def test_what_is_explained_is_summed_over_texts_and_the_gain_is_paired():
    """Two texts in three; the third has ten times the spread, so that it weighs ten times as much."""
    spread = np.array([1.0, 1.0, 10.0] * 4)
    shares = {"autoencoder": 0.1, "token pair": 0.05, "token": 0.3, "random tokens": 0.5}
    own = pd.concat([
        pd.DataFrame({"id": range(12), "dictionary": name, "tokens": 2, "spread": spread, "error": share * spread})
        .assign(active=np.nan if "token" in name and "random" not in name else 6.0)
        for name, share in shares.items()
    ])  # fmt: skip
    own.loc[(own["dictionary"] == "autoencoder") & (own["spread"] == 10), "error"] = 0.0
    twin = own[own["dictionary"] == "autoencoder"].assign(error=0.2 * spread).iloc[::-1]  # in another order
    found = {finding.name: finding for finding in residual_summary.reconstruction_findings(own, twin, STATISTICS)}
    values = {name: finding.value for name, finding in found.items()}
    expected = {
        "explained.autoencoder": 1 - 0.2 / 12, "explained.token pair": 0.95, "explained.token": 0.7,
        "explained.random tokens": 0.5, "explained.autoencoder.random weights": 0.8,
        "gain.token pair": 0.05 - 0.2 / 12, "gain.token": 0.3 - 0.2 / 12, "gain.random tokens": 0.5 - 0.2 / 12,
        "gain.autoencoder.random weights": 0.2 - 0.2 / 12,
        "active.autoencoder": 3, "active.random tokens": 3, "active.autoencoder.random weights": 3,
    }  # fmt: skip
    assert values == pytest.approx(expected)
    width = found["gain.token"].high - found["gain.token"].low
    assert 0 < width == pytest.approx(found["explained.autoencoder"].high - found["explained.autoencoder"].low)
    assert found["explained.token"].note == "12 held-out texts, 24 tokens"
    for measure in ("explained", "gain"):
        assert found[f"{measure}.autoencoder.random weights"].note.endswith("24 tokens, one draw of random weights")


def test_associations_count_after_correction_and_features_by_what_activates_them():
    features = pd.DataFrame({"feature": range(4), "rate": [0.0, 5e-5, 0.3, 0.0], "held_out": [0.2, 0.0, 0.3, 0.0]})
    associations = pd.DataFrame({"feature": [0, 0, 1, 2], "label": ["joy", "love"] * 2, "auc": [0.9, 0.8, 0.2, 0.95]})
    associations = associations.assign(p=[0.001, 0.01, 0.02, 0.2], p_adjusted=[0.004, 0.02, 0.06, 0.2])
    shuffles = pd.DataFrame({"shuffle": range(4), "found": [0, 0, 1, 3], "largest": [0.6, 0.7, 0.65, 0.65]})
    listed = residual_summary.feature_findings(features, associations, shuffles, 0.05)
    found = {finding.name: finding for finding in listed}
    assert (found["features.dead"].value, found["features.rare"].value) == (0.5, 0.25)
    assert (found["labels.found"].value, found["labels.features_found"].value) == (2, 1)
    assert found["labels.largest_auc"].value == 0.95
    assert found["labels.found.shuffled"][1:4] == (1, 0, 3)
    assert found["labels.largest_auc.shuffled"][1:4] == pytest.approx((0.65, 0.6, 0.7))
