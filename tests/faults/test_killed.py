"""Whatever is killed, the next run goes on from there and ends with the same bytes as one that nothing happened to."""

import json
import os
import random
import signal

import pytest

from project import planned, snakemake, start_snakemake
from small_project import (
    HISTORY,
    METRICS,
    MODEL,
    STEPS,
    assert_completes,
    assert_same_results,
    step_of,
    training_below,
    wait_for,
)

pytestmark = pytest.mark.slow


def until_step(project, step):
    """Start a run and wait until its training has come this far."""
    process = start_snakemake(project, METRICS)
    wait_for(lambda: step_of(project) >= step or process.poll() is not None)
    assert process.poll() is None, (project / "said.txt").read_text()
    return process


def assert_no_half_model(project):
    assert not (project / MODEL).parent.exists()
    assert not (project / METRICS).exists()


def test_the_training_is_killed_at_a_random_step(project, unbroken):
    step = random.randrange(STEPS // 10, STEPS - 50)
    process = until_step(project, step)
    training_below(process).kill()
    assert process.wait() == 1
    said = (project / "said.txt").read_text()
    assert "Killed" in said, f"killed at step {step}: {said}"
    assert_no_half_model(project)
    assert_completes(project)
    history = json.loads((project / HISTORY).read_text())
    assert 0 < history["resumed_from_step"] <= STEPS and history["steps"] == STEPS
    assert_same_results(project, unbroken)


def test_snakemake_is_killed_and_its_job_lives_on(project, unbroken):
    process = until_step(project, STEPS // 10)
    orphan = training_below(process)
    orphan.suspend()
    process.kill()
    process.wait()
    assert_no_half_model(project)

    locked = snakemake(project, METRICS)
    assert locked.returncode == 1
    assert "Directory cannot be locked" in locked.stdout and "--unlock" in locked.stdout
    assert snakemake(project, "--unlock").returncode == 0
    second = snakemake(project, METRICS)
    assert second.returncode == 1
    assert "emoscope finetune: work/small-s1/" in second.stdout
    assert "another process is at work in it; wait for it or end it, then run again" in second.stdout
    assert_no_half_model(project)

    orphan.resume()
    wait_for(lambda: gone(orphan))
    assert_completes(project)
    assert_same_results(project, unbroken)


def gone(process):
    return not process.is_running() or process.status() == "zombie"


def test_snakemake_is_killed_and_its_job_ends_before_the_next(project):
    """Its model counts as half made; it can be taken over, and later settings are compared with its own."""
    process = until_step(project, STEPS // 10)
    orphan = training_below(process)
    process.kill()
    process.wait()
    wait_for(lambda: gone(orphan))
    model = (project / MODEL).stat()
    assert snakemake(project, "--unlock").returncode == 0
    assert "finetune" in planned(project, METRICS)
    assert snakemake(project, "--touch", "results/small-s1/model").returncode == 0
    assert_completes(project)
    assert (project / MODEL).stat().st_ino == model.st_ino and json.loads((project / HISTORY).read_text())["steps"]
    other_settings(project)
    assert "finetune" in planned(project, METRICS)


def test_a_training_that_outlived_its_snakemake_writes_nothing_over_new_settings(project):
    process = until_step(project, STEPS // 10)
    orphan = training_below(process)
    orphan.suspend()
    process.kill()
    process.wait()
    assert snakemake(project, "--unlock").returncode == 0
    other_settings(project)
    refused = snakemake(project, METRICS)
    assert refused.returncode == 1
    assert "work/small-s1: another process is at work in it; wait for it or end it, then run again" in refused.stdout
    orphan.resume()
    wait_for(lambda: gone(orphan))
    assert_no_half_model(project)
    assert_completes(project)
    first = json.loads((project / HISTORY).read_text())["loss"][0]
    assert first["learning_rate"] <= 1e-3 and not json.loads((project / HISTORY).read_text())["resumed_from_step"]


def other_settings(project):
    config = project / "tiny.yaml"
    config.write_text(config.read_text().replace("learning_rate: 3.0e-3", "learning_rate: 1.0e-3"))


def test_ctrl_c(project, unbroken):
    process = until_step(project, STEPS // 5)
    trains = training_below(process)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    assert process.wait() == 1
    wait_for(lambda: not trains.is_running())
    assert (
        "emoscope finetune: interrupted; run again to finish it" in (project / "logs/small-s1/finetune.log").read_text()
    )
    assert_no_half_model(project)
    assert_completes(project)
    assert json.loads((project / HISTORY).read_text())["resumed_from_step"] > 0
    assert_same_results(project, unbroken)


def test_two_runs_at_once(project, unbroken):
    first = until_step(project, 1)
    second = snakemake(project, METRICS)
    assert second.returncode == 1
    assert "Directory cannot be locked" in second.stdout
    assert first.wait() == 0, (project / "said.txt").read_text()
    assert_same_results(project, unbroken)
