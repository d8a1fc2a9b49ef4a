"""A user's own classes, few or many, go through every phase of a run: nothing assumes six, or the paper's names."""

import json
from random import Random

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from project import copy_project, snakemake

CLASSES = {
    3: ["calm", "furious", "so_so"],
    11: [
        *("anger", "anticipation", "disgust", "fear", "joy", "love", "optimism", "pessimism", "sadness", "surprise"),
        "trust",
    ],
}
PAPERS = {"sadness", "joy", "love", "anger", "fear", "surprise"}
CONFIG = """
corpora: {mine: {source: csv, path: mine.csv, text: tweet, label: emotion, group: dialect, classes: [%s]}}
models: {scratch: {blocks: 2, heads: 2, width: 16, vocabulary: 400, context: 64}}
runs:
  - name: mine
    corpus: mine
    model: scratch
    training: {epochs: 4, batch_size: 32, learning_rate: 1.0e-2, balance: weights}
samples: {per_class: 5}
statistics: {resamples: 200}
companions: []
"""


def tweets(classes: list[str], rows: int) -> pd.DataFrame:
    """Texts that name their class, later ones being rarer, and people, and words with synonyms and neutral twins."""
    draw = Random(0)
    people = ["he", "she", "my brother", "my sister", "the black man", "my friend"]
    ends = ["on the bus", "in the train", "all the time", "and people know it", "after a little tea", "at work today"]
    labels = draw.choices(classes, [1 / (2 + place) for place in range(len(classes))], k=rows)
    texts = [f"{draw.choice(people)} said i feel {name} {draw.choice(ends)} {draw.choice(ends)}" for name in labels]
    dialects = [draw.choice(["north", "south", "<east>", ""]) for _ in range(rows)]
    return pd.DataFrame({"tweet": texts, "emotion": labels, "dialect": dialects})


@pytest.mark.slow
@pytest.mark.parametrize("number", CLASSES)
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
