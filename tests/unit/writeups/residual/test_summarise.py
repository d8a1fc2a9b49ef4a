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
