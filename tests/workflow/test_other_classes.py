"""A user's own classes, few or many, go through every phase of a run: nothing assumes six, or the paper's names."""

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from other_classes import CONFIG, tweets
from project import copy_project, snakemake

CLASSES = {
    3: ["calm", "furious", "so_so"],
    11: [
        *("anger", "anticipation", "disgust", "fear", "joy", "love", "optimism", "pessimism", "sadness", "surprise"),
        "trust",
    ],
}
PAPERS = {"sadness", "joy", "love", "anger", "fear", "surprise"}


@pytest.mark.parametrize(
    "number", [pytest.param(3, marks=pytest.mark.slow), pytest.param(11, marks=pytest.mark.release)]
)
def test_every_phase_works_with_other_classes(tmp_path, number):
    classes = CLASSES[number]
    project = copy_project(tmp_path / "project")
    tweets(classes, 1200).to_csv(project / "mine.csv", index=False)
    (project / "mine.yaml").write_text(CONFIG % ", ".join(classes))
    found = snakemake(project, "all", config="mine.yaml")
    assert found.returncode == 0, found.stdout

    run, reports = project / "results" / "mine-s1", project / "reports"
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["classes"] == classes
    assert metrics["test"]["all"]["accuracy"] > 0.9  # each text names its class
    masks = pd.read_parquet(run / "masking" / "block_1.parquet")
    scores = pd.read_parquet(run / "perturbations" / "gender_scores.parquet")
    assert {name.removeprefix("p_") for name in masks if name.startswith("p_")} == set(classes)
    assert {name.removeprefix("before_") for name in scores if name.startswith("before_")} == set(classes)

    for page in ("performance", "masking", "flips", "synonyms", "words", "fairness"):
        text = BeautifulSoup((reports / "mine-s1" / f"{page}.html").read_text(), "html.parser").main.get_text(" ")
        assert [name for name in classes if name not in text] == [], page
    # of fairness, the last of them
    assert "groups of its own, in its column dialect" in " ".join(text.split()) and "column dialect: <east>" in text
    assert len(list((reports / "mine-s1" / "figures").rglob("*.svg"))) > 10
    claims = pd.read_csv(reports / "claims.csv").set_index("id")
    for name in PAPERS:
        if name not in classes:
            assert claims.loc[f"masking.block0.{name}", "verdict"] == "not testable here"
    assert (reports / "index.html").exists()
    card = (run / "README.md").read_text()
    assert [name for name in classes if f"\n| {name} | " not in card] == []
