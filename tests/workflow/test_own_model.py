"""A model in a folder of the user's own: what lies there and belongs to it makes anew, nothing else does."""

import os
from pathlib import Path

import pytest
import torch

from project import copy_project, planned
from random_models import change_json, change_weights

CONFIG = """
corpora: {mine: {source: csv, path: mine.csv, classes: [calm, angry]}}
models: {mine: {source: path, path: language}}
runs:
  - {name: mine, corpus: mine, model: mine}
  - {name: adopted, corpus: mine, model: mine, training: none}
companions: []
"""
THEIRS = """
module emoscope:
    snakefile: "Snakefile"
    config: config

use rule * from emoscope
"""
PARTS = ["corpus.parquet", "source.json", "train.parquet", "validation.parquet", "test.parquet", "corpus.json"]


def dated(file: Path, when: int) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    os.utime(file, (when, when))


@pytest.mark.parametrize("snakefile", ["Snakefile", "theirs.smk"])
def test_only_its_own_files_make_anew(tmp_path, snakefile):
    """Of a run that trains it, and of one that takes it as it is; also where emoscope is a part of a workflow."""
    project = copy_project(tmp_path / "project")
    labels = {"id2label": {0: "calm", 1: "angry"}, "label2id": {"calm": 0, "angry": 1}}
    change_json(project / "language" / "config.json", architectures=["GPT2ForSequenceClassification"], **labels)
    change_weights(project / "language", lambda weights: weights | {"score.weight": torch.zeros(2, 16)})
    (project / "mine.yaml").write_text(CONFIG)
    (project / "theirs.smk").write_text(THEIRS)
    (project / "mine.csv").write_text("text,label\n" + "".join(f"so {n},calm\nnot so {n},angry\n" for n in range(9)))
    made = 4_000_000_000  # later than any file of the workflow
    for corpus in ("mine", "mine.adopted-s1"):
        for part in PARTS:
            dated(project / "data" / "corpora" / corpus / part, made)
    for run in ("mine-s1", "adopted-s1"):
        (project / "results" / run / "model").mkdir(parents=True)
        for name in ("model", "training.json"):
            dated(project / "results" / run / name, made)
    targets = ["--snakefile", snakefile]
    targets += [f"results/{run}/training.json" for run in ("mine-s1", "adopted-s1")]
    assert planned(project, *targets, config="mine.yaml") == {}
    (project / "language" / ".config.json.swp").touch()
    dated(project / "language", made + 1000)
    assert planned(project, *targets, config="mine.yaml") == {}
    for name in ("model.safetensors", "tokenizer.json"):
        dated(project / "language" / name, made + 1000)
        assert planned(project, *targets, config="mine.yaml").items() >= {"finetune": 1, "adopt_model": 1}.items()
        dated(project / "language" / name, made - 1000)
