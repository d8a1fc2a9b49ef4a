"""Which planted features flips of gender switch, and which way."""

import pandas as pd
import pytest

from emoscope.experiments.features.flips import switch_features
from emoscope.experiments.features.names import STAYS, SWITCHED
from emoscope.experiments.features.page import main_result
from planted_features import CONFIG, FEATURES, PREDICTION
from planted_gender import flips

MALE = {"man": 1, "answer anger": 1, "woman": -1, "answer sadness": -1}  # first group minus second


@pytest.mark.parametrize(("signal", "sign"), MALE.items())
def test_gender_is_switched_by_its_flips(found, signal, sign):
    row = found.gender_switched.set_index("feature").loc[FEATURES.index(signal)]
    assert row["verdict"] == SWITCHED and sign * row["value"] > 0.7
    assert row["flips"] == abs(row["value"]) and row["neutral"] == 0
    assert row["pairs"] == 300 and row["swaps"] > 100


def test_what_says_the_class_stays(found):
    verdicts = found.gender_switched.set_index("feature")["verdict"]
    others = [number for number, signal in enumerate(FEATURES) if signal.startswith(("found", "sure", "negat"))]
    assert (verdicts[others] == STAYS).all()


def test_an_axis_without_flips_has_no_features(found):
    assert found.race_switched.empty and found.race_switches.empty
    assert "gender.switched" in set(found.findings["name"]) and "race.switched" not in set(found.findings["name"])
    said = str(main_result(found.effects, found.cards, found.findings, ["gender", "race"]))
    assert "Flips of gender are shown to switch" in said and "race" not in said


def test_flips_that_name_no_group_are_left_out_and_no_more_than_asked_for_are_looked_at(found, tmp_path):
    pairs = flips(40, 6)
    pairs.loc[pairs.index < 10, "direction"] = "mixed"
    pairs.to_parquet(tmp_path / "pairs.parquet")
    counts = {}
    for most in (20, 100):
        switch_features(
            found.folder / "model", found.folder / "weights.safetensors", tmp_path / "pairs.parquet",
            CONFIG | {"pairs": most}, PREDICTION, tmp_path / "switches.parquet",
        )  # fmt: skip
        counts[most] = pd.read_parquet(tmp_path / "switches.parquet")["pair"].nunique()
    assert counts[20] == 20 and counts[100] <= 30


def test_flips_and_neutral_swaps_are_of_the_same_texts_where_there_are_enough(found, tmp_path):
    """Ten of the twenty texts with a swap have no flip that names a group."""
    pairs = flips(40, 6)
    swaps = pairs[pairs.index < 20].assign(origin="natural control", direction="")
    pairs.loc[pairs.index < 10, "direction"] = "mixed"
    pd.concat([pairs, swaps], ignore_index=True).to_parquet(tmp_path / "pairs.parquet")
    switch_features(
        found.folder / "model", found.folder / "weights.safetensors", tmp_path / "pairs.parquet",
        CONFIG | {"pairs": 10}, PREDICTION, tmp_path / "switches.parquet",
    )  # fmt: skip
    clusters = pd.read_parquet(tmp_path / "switches.parquet").groupby("kind")["cluster"].agg(set)
    assert clusters["flip"] == clusters["neutral"] == set(pairs["cluster"][10:20])
