"""Which planted features flips of gender switch, and which way."""

import pandas as pd
import pytest

from emoscope.experiments.features.names import MODEL, RANDOM_WEIGHTS, STAYS, SWITCHED
from emoscope.experiments.features.page import main_result
from emoscope.experiments.features.switches import active_in, exchanged_first, switch_features
from emoscope.models.features.stored import load_autoencoders
from emoscope.models.loading import load_classifier, random_twin
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import LONGEST, compiled, tokenizer_for
from emoscope.storage.names import NONE
from planted_features import CONFIG, FEATURES, PREDICTION
from planted_gender import flips

MALE = {"man": 1, "answer anger": 1, "woman": -1, "answer sadness": -1}  # first group minus second


def of_the_model(found) -> pd.DataFrame:
    """What flips of gender switch in it, by feature."""
    return found.gender_switched[found.gender_switched["weights"] == MODEL].set_index("feature")


def value(found, name: str) -> float:
    return found.findings.set_index("name").loc[name, "value"]


@pytest.mark.parametrize(("signal", "sign"), MALE.items())
def test_gender_is_switched_by_its_flips(found, signal, sign):
    row = of_the_model(found).loc[FEATURES.index(signal)]
    assert row["verdict"] == SWITCHED and sign * row["value"] > 0.7
    assert row["flips"] == abs(row["value"]) and row["neutral"] == 0
    assert row["pairs"] == 300 - value(found, "gender.left_out") > 200 and row["swaps"] > 100


def test_what_says_the_class_stays(found):
    verdicts = of_the_model(found)["verdict"]
    others = [number for number, signal in enumerate(FEATURES) if signal.startswith(("found", "sure", "negat"))]
    assert (verdicts[others] == STAYS).all()


def test_an_axis_without_flips_has_no_features(found):
    assert found.race_switched.empty and found.race_switches.empty
    assert "gender.switched" in set(found.findings["name"]) and "race.switched" not in set(found.findings["name"])
    said = str(main_result(found.effects, found.cards, found.findings, ["gender", "race"]))
    assert "Flips of gender are shown to switch" in said and "race" not in said
    twin = found.gender_switched[found.gender_switched["weights"] == RANDOM_WEIGHTS]
    count = int((twin["verdict"] == SWITCHED).sum())
    assert count > 0, "another word is another state in any model"
    assert f"(with random weights {count})." in " ".join(said.split())
    assert len(twin) == CONFIG["features"] and twin["pairs"].unique() == 300 - value(found, "gender.left_out")


@pytest.mark.parametrize("side", ["text", "perturbed"])
@pytest.mark.parametrize(("architecture", "hidden"), [("gpt2", [True, False]), ("bert", [False, False])])
def test_what_is_exchanged_at_a_first_token_that_is_not_read_is_hidden(architecture, hidden, side):
    """There no feature is looked for, so that none would be switched."""
    model, tokenizer = compiled(plan(1), architecture), tokenizer_for(architecture)
    first, later = "he saw the lake", "today he saw the lake"
    rows = pd.DataFrame({"text": [first, later], "perturbed": [first, later]})
    rows["spans"] = [[[0, 2, 0, 2]], [[6, 8, 6, 8]]]
    other = "perturbed" if side == "text" else "text"
    rows.loc[0, other] = f"then {first}"
    rows.at[0, "spans"] = [[0, 2, 5, 7] if side == "text" else [5, 7, 0, 2]]
    assert exchanged_first(model, tokenizer, rows).tolist() == hidden
    assert exchanged_first(model, tokenizer, rows.head(0)).tolist() == []


def test_random_weights_are_looked_into_by_their_own_autoencoder(found):
    model, tokenizer = load_classifier(found.folder / "model")
    twin = random_twin(model, CONFIG["seed"])
    (own,), block = load_autoencoders(found.folder / "random_weights.safetensors", twin.device)
    table = found.gender_switches[found.gender_switches["weights"] == RANDOM_WEIGHTS].query("kind == 'flip'")
    pairs = pd.read_parquet(found.folder / "gender.parquet").query("origin == 'natural'")
    some = pairs[pairs["text"].isin(table["cluster"])].drop_duplicates("text").head(20)
    sides = (active_in(twin, tokenizer, some[side].tolist(), block, own, 512) for side in ("text", "perturbed"))
    counts = table.assign(either=table["first"].astype(int) + table["second"])
    counts = counts.drop_duplicates(["cluster", "feature"]).pivot(index="cluster", columns="feature", values="either")
    assert (counts.loc[some["text"]].to_numpy() == sum(side.astype(int) for side in sides)).all()


def test_pairs_that_are_hidden_are_left_out_and_counted(found, tmp_path):
    pairs = flips(200, 6)
    starts = pairs["text"].str.split().str[0] != pairs["perturbed"].str.split().str[0]
    pairs.to_parquet(tmp_path / "pairs.parquet")
    switch_features(
        found.folder / "model", found.folder / "weights.safetensors", found.folder / "random_weights.safetensors",
        tmp_path / "pairs.parquet", CONFIG, PREDICTION, tmp_path / "switches.parquet",
    )  # fmt: skip
    table = pd.read_parquet(tmp_path / "switches.parquet")
    gone = table[table["feature"] == NONE]
    assert starts.any() and set(gone["cluster"]) == set(pairs.loc[starts, "text"])
    assert not set(gone["pair"]) & set(table.loc[table["feature"] != NONE, "pair"])


def test_flips_that_name_no_group_are_left_out_and_no_more_than_asked_for_are_looked_at(found, tmp_path):
    pairs = flips(40, 6)
    pairs.loc[pairs.index < 10, "direction"] = "mixed"
    pairs.to_parquet(tmp_path / "pairs.parquet")
    counts = {}
    for most in (20, 100):
        switch_features(
            found.folder / "model", found.folder / "weights.safetensors",
            found.folder / "random_weights.safetensors", tmp_path / "pairs.parquet",
            CONFIG | {"pairs": most}, PREDICTION, tmp_path / "switches.parquet",
        )  # fmt: skip
        counts[most] = pd.read_parquet(tmp_path / "switches.parquet").query("feature != @NONE")["pair"].nunique()
    assert counts[20] == 20 and counts[100] <= 30


def test_flips_and_neutral_swaps_are_of_the_same_texts_where_there_are_enough(found, tmp_path):
    """Ten of the twenty texts with a swap have no flip that names a group."""
    pairs = flips(40, 6)
    swaps = pairs[pairs.index < 20].assign(origin="natural control", direction="")
    pairs.loc[pairs.index < 10, "direction"] = "mixed"
    pd.concat([pairs, swaps], ignore_index=True).to_parquet(tmp_path / "pairs.parquet")
    switch_features(
        found.folder / "model", found.folder / "weights.safetensors", found.folder / "random_weights.safetensors",
        tmp_path / "pairs.parquet", CONFIG | {"pairs": 5}, PREDICTION, tmp_path / "switches.parquet",
    )  # fmt: skip
    clusters = pd.read_parquet(tmp_path / "switches.parquet").query("feature != @NONE").groupby("kind")["cluster"]
    found = clusters.agg(set)
    assert found["flip"] == found["neutral"] <= set(pairs["cluster"][10:20]) and len(found["flip"]) == 5


def test_what_is_exchanged_beyond_the_context_is_no_flip_that_switches_nothing(found, tmp_path):
    """The same text twice would be evidence that features stay."""
    pairs, before = pd.read_parquet(found.folder / "gender.parquet"), "the " * LONGEST
    pairs = pairs.assign(text=before + pairs["text"], perturbed=before + pairs["perturbed"])
    pairs["spans"] = [[[place + len(before) for place in span] for span in spans] for spans in pairs["spans"]]
    pairs.to_parquet(tmp_path / "far.parquet")
    weights = found.folder / "weights.safetensors", found.folder / "random_weights.safetensors"
    switch_features(found.folder / "model", *weights, tmp_path / "far.parquet", CONFIG, PREDICTION, tmp_path / "found")
    assert pd.read_parquet(tmp_path / "found")["feature"].unique().tolist() == [NONE]
