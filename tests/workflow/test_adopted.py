"""A classifier that one project trained is taken as it is by another: the same answers, to the byte."""

import json
import os
import re
import shutil
from random import Random

import pandas as pd
import pytest
import torch
import yaml
from bs4 import BeautifulSoup
from transformers import BertForSequenceClassification

from project import ROOT, copy_project, planned, snakemake
from random_models import FAMILIES, change_json

PUBLISHED = {"accuracy": 0.99, "source": "its card"}
SAME = [
    "predictions/1-of-1.parquet",
    "samples.parquet",
    *(f"masking/block_{block}.parquet" for block in (0, 1)),
    "perturbations/gender_scores.parquet",
    "perturbations/race_scores.parquet",
]


@pytest.mark.slow
def test_an_adopted_classifier_gives_the_same_answers(finished, tmp_path):
    project = copy_project(tmp_path / "project")
    shutil.copytree(finished / "results/tiny-s1/model", project / "theirs")
    (project / "theirs/README.md").write_text("its own card\n")
    settings = yaml.safe_load((project / "tiny.yaml").read_text())
    settings["models"]["theirs"] = {"source": "path", "path": "theirs", "blocks": 2}
    run = {"name": "theirs", "corpus": "calibration", "model": "theirs", "training": "none", "published": PUBLISHED}
    (project / "tiny.yaml").write_text(yaml.safe_dump(settings | {"runs": [run], "companions": []}))
    found = snakemake(project, "all")
    assert found.returncode == 0, found.stdout
    first, second = finished / "results/tiny-s1", project / "results/theirs-s1"
    for name in SAME:
        assert (second / name).read_bytes() == (first / name).read_bytes(), name
    for file in (project / "theirs").iterdir():
        if file.name != "checksums.json":
            assert (second / "model" / file.name).read_bytes() == file.read_bytes(), file.name
    assert json.loads((second / "training.json").read_text())["trained"] == "elsewhere"

    pages = [*(project / "reports/theirs-s1").glob("*.html"), project / "reports/claims.html"]
    assert len(pages) == 9
    for page in pages:
        text = BeautifulSoup(page.read_text(), "html.parser").main.get_text(" ")
        assert "theirs was trained elsewhere" in text and "not known" in text, page
    claim = pd.read_csv(project / "reports/claims.csv").set_index("id").loc["published.theirs-s1.accuracy"]
    assert float(claim["published"]) == 0.99 and claim["verdict"] == "contradicted" and claim["source"] == "its card"
    card = (second / "README.md").read_text()
    assert "trained elsewhere" in card and "the texts it was trained on" in card and "`model/README.md`" in card
    assert planned(project) == {}


@pytest.mark.slow
def test_the_readmes_lines_work_as_they_stand(tmp_path, tokenizer):
    """Those of "Your own classifier", on a small random model with a label that the texts lack, up to its metrics."""
    text = (ROOT / "README.md").read_text().split("## Your own classifier", 1)[1]
    lines = re.search(r"```yaml\n(.*?)```", text, flags=re.DOTALL)[1]
    entries = yaml.safe_load(lines)
    model, corpus = entries["models"]["mine"], entries["corpora"]["texts"]
    project = copy_project(tmp_path / "project")
    theirs, labels = FAMILIES["bert"](len(tokenizer)).config, ("LABEL_0", "neutral", "LABEL_1", "LABEL_2")
    theirs.num_labels = len(labels)
    torch.manual_seed(0)
    BertForSequenceClassification(theirs).save_pretrained(project / model["path"])
    tokenizer.save_pretrained(project / model["path"])
    change_json(project / model["path"] / "config.json", id2label=dict(zip("0123", labels, strict=True)))
    draw = Random(0)
    rows = [(f"i feel {draw.choice('abcdef')} {number}", draw.choice(corpus["classes"])) for number in range(90)]
    pd.DataFrame(rows, columns=[corpus["text"], corpus["label"]]).to_csv(project / corpus["path"], index=False)
    (project / "mine.yaml").write_text(lines)
    found = snakemake(project, "results/mine-s1/metrics.json", config="mine.yaml")
    assert found.returncode == 0, found.stdout
    metrics = json.loads((project / "results/mine-s1/metrics.json").read_text())
    assert metrics["classes"] == ["calm", "neutral", "angry", "sad"]
    about = json.loads((project / "data/corpora/texts.mine/corpus.json").read_text())
    assert about["left_out"] == {} and about["class_counts"]["neutral"] == 0 < about["class_counts"]["sad"]
    assert planned(project, "all", config="mine.yaml")["render_report"] == 8

    assert planned(project, "results/mine-s1/metrics.json", config="mine.yaml") == {}
    weights = project / model["path"] / "model.safetensors"
    before, content = weights.stat(), weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns - 10**12))  # as a folder moved to its place
    again = planned(project, "results/mine-s1/metrics.json", config="mine.yaml")
    assert {"match_labels", "adopt_model", "predict", "evaluate"} <= again.keys() and "import_corpus" not in again
