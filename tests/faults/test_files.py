"""Files that are damaged, or that change behind the workflow's back."""

import os
import time

import pandas as pd
import pytest

from project import planned, snakemake
from small_project import METRICS, MODEL, assert_completes, assert_same_results

TEST = "data/corpora/calibration/test.parquet"


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "whole", "damage"),
    [
        pytest.param(TEST, TEST, cut, marks=pytest.mark.slow),
        pytest.param(TEST, TEST, flip_a_byte, marks=pytest.mark.release),
        pytest.param(MODEL, "results/small-s1/model", cut, marks=pytest.mark.release),
        pytest.param(MODEL, "results/small-s1/model", flip_a_byte, marks=pytest.mark.slow),
    ],
)
def test_a_file_is_damaged_between_runs(done, unbroken, name, whole, damage):
    damage(done / name)
    (done / METRICS).unlink()
    found = snakemake(done, METRICS, "--forcerun", "predict")
    assert found.returncode == 1
    said = [line for line in found.stdout.splitlines() if line.startswith("emoscope ")]
    assert said and all(f"{name}: damaged (" in line and f"; delete {whole} and run again" in line for line in said)
    assert not (done / METRICS).exists()

    if (done / whole).is_dir():
        for file in (done / whole).iterdir():
            file.unlink()
        (done / whole).rmdir()
    else:
        (done / whole).unlink()
    assert_completes(done)
    assert_same_results(done, unbroken)


@pytest.mark.slow
@pytest.mark.parametrize("age", ["newer", "older"])
def test_a_corpus_file_is_replaced_between_runs(project, age):
    """The file that takes its place may be older than what was made of the first one: mv and tar keep the date."""
    config = (project / "tiny.yaml").read_text()
    (project / "tiny.yaml").write_text(
        config.replace(
            "  calibration: {rows: 400}", "  mine: {source: csv, path: mine.csv, classes: [sad, glad]}"
        ).replace("corpus: calibration", "corpus: mine")
    )
    words = {"sad": "tears and rain", "glad": "sun and songs"}
    rows = [{"text": f"{words[label]} number {n}", "label": label} for n in range(60) for label in words]
    pd.DataFrame(rows).to_csv(project / "mine.csv", index=False)
    audit = "data/corpora/mine/corpus.json"
    assert_completes(project, audit)
    assert planned(project, audit) == {}

    before = (project / "mine.csv").stat().st_mtime
    pd.DataFrame(rows[:100]).to_csv(project / "mine.csv", index=False)
    when = before - 1000 if age == "older" else time.time()
    os.utime(project / "mine.csv", (when, when))
    jobs = planned(project, METRICS)
    assert {"import_corpus", "split_corpus", "finetune", "predict", "evaluate"} <= set(jobs)
    assert_completes(project, audit)
    assert len(pd.read_parquet(project / "data/corpora/mine/corpus.parquet")) == 100
    assert planned(project, audit) == {}
