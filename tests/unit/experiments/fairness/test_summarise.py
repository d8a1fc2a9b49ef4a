"""The tables and findings of fairness, from files: groups of flips beside those that a column of the corpus tells."""

import json

import numpy as np
import pandas as pd

from emoscope.experiments.fairness.summarise import summarise_fairness
from emoscope.perturbation.effects import summarise_effects
from emoscope.perturbation.pairs import PAIR_KEY
from emoscope.storage.files import write_table
from made_up import pairs

CLASSES = ["joy", "anger"]
STATISTICS = {"confidence": 0.95, "resamples": 200, "margin": 0.02, "seed": 0}


def summarised(folder, groups: list[str] | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of 60 test texts of which those of the group `north` are always wrong; and findings."""
    made = pairs(60).assign(flags=[[]] * 60, after_joy=0.4, after_anger=0.6)
    made["cluster"] = made["text"]
    texts = made[["id", "text"]].assign(label=np.arange(60) % 2)
    about = {"classes": CLASSES}
    if groups:
        texts, about = texts.assign(group=groups), about | {"group": "dialect"}
    wrong = np.array([name == "north" for name in groups or [""] * 60])
    pred = np.where(wrong, 1 - texts["label"], texts["label"])
    files = {name: folder / f"{name}.parquet" for name in ("predictions", "test", "pairs", "scores", "summary")}
    write_table(texts[["id", "label"]].assign(pred=pred, confidence=0.9), files["predictions"])
    write_table(texts, files["test"])
    after = [name for name in made if name.startswith(("before_", "after_"))]
    write_table(made.drop(columns=after), files["pairs"])
    write_table(made[[*PAIR_KEY, *after]], files["scores"])
    summarise_effects(files["pairs"], files["scores"], STATISTICS, files["summary"])
    (folder / "corpus.json").write_text(json.dumps(about))
    outputs = {name: folder / f"{name}.parquet" for name in ("groups", "changes", "templates")}
    summarise_fairness(
        [files["predictions"]], files["test"], folder / "corpus.json", [files["pairs"]], [files["scores"]],
        [files["summary"]], {"gender": ["male", "female"]}, STATISTICS, **outputs, findings=folder / "findings.csv",
    )  # fmt: skip
    return pd.read_parquet(outputs["groups"]), pd.read_csv(folder / "findings.csv").set_index("name")


def test_groups_of_a_column_stand_behind_those_of_flips(tmp_path):
    table, findings = summarised(tmp_path, ["north", "south", "south", "", "south"] * 12)
    assert list(table["axis"].unique()) == ["gender", "column dialect"]
    accuracy = table[table["measure"] == "accuracy"].set_index("axis").loc["column dialect"]
    assert (accuracy["first_group"], accuracy["first"], accuracy["first_texts"]) == ("north", 0, 12)
    assert (accuracy["second_group"], accuracy["second"], accuracy["second_texts"]) == ("south", 1, 36)
    assert findings.loc["column_dialect.groups.accuracy", "value"] == -1
    assert findings.index.is_unique and "gender.natural.counterfactual_gap.anger" in findings.index
    assert "gender.groups.overconfidence" in findings.index
    assert not findings.index.str.contains("calibration_error").any(), "it has no difference"


def test_without_such_a_column_nothing_changes(tmp_path):
    table, findings = summarised(tmp_path, None)
    assert set(table["axis"]) == {"gender"} and not findings.index.str.startswith("column").any()
