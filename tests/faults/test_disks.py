"""A full or a read-only disk: said in one line, nothing half-written is left, and the next run completes."""

import json
import os

import pytest

from project import snakemake
from small_project import HISTORY, METRICS, MODEL, STEPS, assert_completes, assert_same_results

CORPUS = "data/corpora/calibration"


def lines_of(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


def files_below(folder):
    return [file for _, _, names in os.walk(folder) for file in names]


@pytest.mark.slow
def test_the_disk_is_full_while_a_table_is_written(project, small_disk):
    disk = small_disk(CORPUS, "size=16k")
    found = snakemake(project, f"{CORPUS}/corpus.json")
    assert found.returncode == 1
    assert lines_of(found.stdout, "emoscope generate-corpus: ") == [
        f"emoscope generate-corpus: No space left on device, while writing {CORPUS}/corpus.parquet; "
        "nothing half-written is kept: fix that and run again"
    ]
    assert files_below(disk) == []
    small_disk(CORPUS, "size=16m")
    assert_completes(project, f"{CORPUS}/corpus.json")


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["work", "results"])
def test_the_disk_is_full_while_a_model_is_trained_or_saved(project, small_disk, unbroken, folder):
    small_disk(folder, "size=60k")
    found = snakemake(project, METRICS)
    assert found.returncode == 1
    [line] = lines_of(found.stdout, "emoscope finetune: ")
    assert "No space left on device, " in line and f" {folder}/small-s1" in line
    assert not (project / MODEL).parent.exists() and not (project / HISTORY).exists()
    small_disk(folder, "size=16m")
    assert_completes(project)
    assert_same_results(project, unbroken)
    if folder == "results":  # the trained model waits in its last checkpoint
        assert json.loads((project / HISTORY).read_text())["resumed_from_step"] == STEPS


@pytest.mark.slow
def test_the_results_are_read_only(project, small_disk, unbroken):
    small_disk("results", "size=16m")
    small_disk("results", "ro")
    found = snakemake(project, METRICS)
    assert found.returncode == 1
    assert "Read-only file system: 'results/small-s1'" in found.stdout
    assert "Traceback" not in found.stdout
    small_disk("results", "rw")
    assert_completes(project)
    assert_same_results(project, unbroken)


@pytest.mark.slow
def test_the_results_become_read_only_while_a_job_runs(done, small_disk):
    small_disk("results/small-s1/masking", "ro")
    target = "results/small-s1/masking/block_0.parquet"
    found = snakemake(done, target)
    assert found.returncode == 1
    assert "Read-only file system" in found.stdout
    assert not (done / target).exists()
    small_disk("results/small-s1/masking", "rw")
    assert_completes(done, target)
    assert (done / target).exists()
