"""The findings of prompting: every number under its name, with its interval."""

import pandas as pd
import pytest


def test_findings_hold_every_number_with_its_interval(summary):
    found = pd.read_csv(summary["findings"]).set_index("name")
    assert not found.index.duplicated().any()
    for name in ("view.2.accuracy", "mood.2.f1.micro_avg", "mood.2.pearson.prediction.joy",
                 "mood.by_view.2.pearson.score.joy.good", "view.by_mood.2.pearson.score.good.fear"):  # fmt: skip
        row = found.loc[name]
        assert row["low"] <= row["value"] <= row["high"], name
        assert row["high"] - row["low"] < 0.6, name
    assert found.loc["view.by_mood.2.pearson.score.good.joy", "low"] > 0
    assert found.loc["view.by_mood.2.pearson.score.good.fear", "high"] < 0
    assert found.loc["mood.joy_alone.2.pearson.difference", "high"] < 0  # its own prompt has less noise
    assert found.loc["view.2.accuracy.above_words", "texts"] == 80
    assert found.loc["mood.constant.f1.micro_avg", "value"] > 0.5, "all labels for all texts"
    assert found.loc["mood.2.f1.macro_avg.above_probe", "high"] < 0, "the probe has less noise than the prompt"
    assert found.loc["composite_head.moved", "value"] == pytest.approx(1e-6)
    assert found.loc["implicit_positions.flipped", "value"] == 1
