"""Texts with several labels, or none, go through every phase of a run, thresholds chosen on a validation part."""

import json
from random import Random

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from project import copy_project, planned, snakemake

LABELS = ["anger", "fear", "joy", "love", "sadness", "surprise", "hope"]
CONFIG = """
corpora:
  mine:
    source: csv
    path: mine
    text: tweet
    labels: [anger, fear, joy, love, sadness, surprise, hope]
    splits: {train: train.csv, validation: dev.csv, test: test.csv}
    split: {method: given}
models: {scratch: {blocks: 2, heads: 2, width: 32, vocabulary: 400, context: 64}}
runs:
  - name: mine
    corpus: mine
    model: scratch
    thresholds: validation
    training: {epochs: 8, batch_size: 32, learning_rate: 1.0e-2, balance: weights, keep: best}
samples: {per_class: 5}
flips: {averaged_pairs: 10, traced_pairs: 1}
words: {cut: 60, steps: 8, orders: 1}
attention: {texts: 3}
masking: {heads: screened, screened_heads: 1}
statistics: {resamples: 200}
companions: []
"""


def tweets(rows: int, seed: int) -> pd.DataFrame:
    """Texts that name their labels, later ones being rarer, and people, and words with synonyms and neutral twins."""
    draw = Random(seed)
    people = ["he", "she", "my brother", "my sister", "the black man", "my friend"]
    ends = ["on the bus", "in the train", "all the time", "and people know it", "after a little tea", "at work today"]
    truth = [[draw.random() < 0.5 / (1 + place) for place in range(len(LABELS))] for _ in range(rows)]
    named = [" and ".join(name for name, own in zip(LABELS, row, strict=True) if own) or "nothing" for row in truth]
    texts = [f"{draw.choice(people)} said i feel {names} {draw.choice(ends)} {draw.choice(ends)}" for names in named]
    return pd.DataFrame({"tweet": texts, **dict(zip(LABELS, np.array(truth).T.astype(int), strict=True))})


@pytest.mark.slow
def test_every_phase_works_with_several_labels_a_text(tmp_path):
    project = copy_project(tmp_path / "project")
    (project / "mine").mkdir()
    for seed, (part, rows) in enumerate({"train": 900, "dev": 150, "test": 250}.items()):
        tweets(rows, seed).to_csv(project / "mine" / f"{part}.csv", index=False)
    (project / "mine.yaml").write_text(CONFIG)
    found = snakemake(project, "all", config="mine.yaml")
    assert found.returncode == 0, found.stdout

    run, reports = project / "results" / "mine-s1", project / "reports"
    chosen = json.loads((run / "thresholds.json").read_text())
    assert chosen["chosen"] == "validation" and chosen["texts"] == 150 and list(chosen["thresholds"]) == LABELS
    judged = json.loads((run / "training.json").read_text())["validation"]
    assert judged["texts"] == 150 and len(judged["loss"]) == 8
    assert f"| kept | the weights after epoch {judged['kept_epoch']:g} of 8, " in (run / "README.md").read_text()
    metrics = json.loads((run / "metrics.json").read_text())["test"]["all"]
    assert metrics["micro_f1"] > 0.8, "each text names its labels"
    predictions = pd.concat(map(pd.read_parquet, (run / "predictions").glob("*.parquet")))
    reached = predictions[[f"p_{name}" for name in LABELS]].to_numpy() >= np.float32(
        list(chosen["thresholds"].values())
    )
    assert [list(given) for given in predictions["pred"]] == [list(np.flatnonzero(row)) for row in reached]
    samples = pd.read_parquet(run / "samples.parquet")
    assert all(row.group in row.pred for row in samples.itertuples())

    for page in ("performance", "masking", "flips", "synonyms", "tracing"):
        text = BeautifulSoup((reports / "mine-s1" / f"{page}.html").read_text(), "html.parser").main.get_text(" ")
        assert "may have several labels, or none" in " ".join(text.split()), page
        assert "Table 1:" not in text and "Table 2:" not in text
    for page in ("performance", "masking", "flips", "synonyms"):
        text = BeautifulSoup((reports / "mine-s1" / f"{page}.html").read_text(), "html.parser").main.get_text(" ")
        assert [name for name in LABELS if name not in text] == [], page
    masking = BeautifulSoup((reports / "mine-s1" / "masking.html").read_text(), "html.parser").main.get_text(" ")
    assert "of 4 heads only 2 were masked" in " ".join(masking.split())
    heads = pd.concat(map(pd.read_parquet, (run / "masking").glob("block_*.parquet")))[
        ["block", "head"]
    ].drop_duplicates()
    assert (heads["head"] >= 0).sum() == 2
    claims = pd.read_csv(reports / "claims.csv").set_index("id")
    assert claims.loc["masking.first_block_leads", "untested"] == "one label"
    card = (run / "README.md").read_text()
    assert "macro F1" in card and "top_k=None" in card

    config = project / "mine.yaml"
    config.write_text(CONFIG.replace("thresholds: validation", "thresholds: {joy: 0.4}"))
    jobs = planned(project, "all", config="mine.yaml")
    assert jobs["choose_thresholds"] == 1 and "finetune" not in jobs
    config.write_text(CONFIG.replace("thresholds: validation", "thresholds: {glee: 0.4}"))
    refused = snakemake(project, "all", "--dry-run", config="mine.yaml")
    assert "runs[0].thresholds: 'glee' is no label of 'mine'; known: anger, fear" in refused.stdout
