"""The tiny run on a real Slurm, through the profile as shipped; one job is cancelled, one hangs, and nothing is lost.

Targets: `masking` and `tracing`, which between them hold every kind of job that the profile knows: local, on a GPU, in
a group, in shards, retried. The rules of the write-ups ask for the same things and would cost some 20 more Slurm jobs.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml
from pandas.testing import assert_frame_equal

from cluster.slurm import answer, install, jobs, slurm, why_not
from project import copy_project, snakemake

pytestmark = pytest.mark.cluster

TARGETS = ["masking", "tracing"]
MASKS = "mask_mask_all_but_mask_block"  # a group is called after its name and its rules
ON_GPU = {"finetune": 1, "predict": 2, "score_perturbation": 4, "trace_pairs": 2, MASKS: 1}
ON_GPU |= {"masking_reference": 1, "mask_pairs": 1, "check_exactness": 1}
ON_CPU = {"flip_terms": 2}
TIME_LIMIT = 1800  # seconds
PARTITIONS = "partitions:\n  main: {}\n  gpu: {max_gpu: 2}\n"


@dataclass
class Run:
    """A run on Slurm that has ended: the records of its jobs, and the numbers of those that something befell."""

    project: Path
    output: str
    jobs: list[dict[str, str]]
    cancelled: str
    hanged: str

    def attempts(self, number: str) -> list[dict[str, str]]:
        """The records of a job and of those that tried the same again."""
        comment = next(job["Comment"] for job in self.jobs if job["JobId"] == number)
        return [job for job in self.jobs if job["Comment"] == comment]


def rule_of(job: dict[str, str]) -> str:
    """The rule, or the group, that a Slurm job runs."""
    return re.fullmatch(r"rule_(\w+?)(_wildcards_.*)?", job["Comment"])[1]


def is_running(job: dict[str, str]) -> bool:
    """Whether a job has been running for some seconds."""
    return job["JobState"] == "RUNNING" and job["RunTime"] >= "00:00:02"


def tiny_project(folder: Path) -> Path:
    """The project with the tiny configuration, but two shards and a training that lasts seconds."""
    project = copy_project(folder)
    config = yaml.safe_load((project / "tiny.yaml").read_text())
    config["runs"][0]["training"]["epochs"] = 15
    config["shards"] = {"predict": 2, "score": 2}
    (project / "tiny.yaml").write_text(yaml.safe_dump(config))
    return project


@pytest.fixture(scope="module")
def clustered(tmp_path_factory) -> Run:
    """The run on Slurm: its training is cancelled at the first checkpoint, one of its scorings hangs."""
    if reason := why_not():
        pytest.skip(reason)
    install()
    project = tiny_project(tmp_path_factory.mktemp("cluster") / "project")
    profile = project / "profiles" / "slurm"
    (profile / "partitions.yaml").write_text(PARTITIONS)
    settings = (profile / "profile.yaml").read_text()
    (profile / "profile.yaml").write_text(settings.replace("# slurm-partition-config", "slurm-partition-config"))
    # two cores are what a test machine has, and what the other run gets
    command = ["snakemake", *TARGETS, "--workflow-profile", "profiles/slurm", "--max-threads", "2"]
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    environment.pop("PYTHONPATH", None)
    cancelled = hanged = ""
    with slurm(tmp_path_factory.mktemp("slurm")), (project / "output").open("w") as output:
        process = subprocess.Popen(
            [*command, "--configfile", "tiny.yaml"], cwd=project, env=environment, stdout=output, stderr=output
        )
        try:
            end = time.monotonic() + TIME_LIMIT
            while process.poll() is None and time.monotonic() < end:
                # Slurm cannot kill a job that was stopped before it became the command that it runs
                running = {rule_of(job): job["JobId"] for job in jobs() if is_running(job)}
                if not cancelled and list(project.glob("work/*/*/checkpoint-*/trainer_state.json")):
                    cancelled = running["finetune"]
                    answer("scancel", cancelled)
                scoring = running.get("score_perturbation")
                stop = ["scancel", "--full", "--signal=STOP"]
                if not hanged and scoring and answer(*stop, scoring).returncode == 0:
                    hanged = scoring
                    answer("scontrol", "update", f"JobId={hanged}", "TimeLimit=1")
                time.sleep(0.2)
        finally:
            process.kill()
        run = Run(project, (project / "output").read_text(), jobs(), cancelled, hanged)
    assert process.wait() == 0, run.output
    return run


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Path:
    """The same run without Slurm."""
    project = tiny_project(tmp_path_factory.mktemp("local") / "project")
    found = snakemake(project, *TARGETS)
    assert found.returncode == 0, found.stdout
    return project


def test_jobs_that_use_the_gpu_ask_for_one_and_go_where_there_are_some(clustered):
    first = [job for job in clustered.jobs if job == clustered.attempts(job["JobId"])[0]]
    with_gpu = [job for job in first if "TresPerJob" in job]
    assert Counter(map(rule_of, with_gpu)) == ON_GPU
    assert Counter(map(rule_of, first)) == ON_GPU | ON_CPU, "small jobs run outside Slurm"
    for job in clustered.jobs:
        on_gpu = rule_of(job) in ON_GPU
        assert job["Partition"] == ("gpu" if on_gpu else "main")
        assert job.get("TresPerJob") == ("gres:gpu:1" if on_gpu else None), "also of a group: its members take turns"


def test_a_cancelled_training_goes_on_from_its_checkpoint(clustered):
    first, second = clustered.attempts(clustered.cancelled)
    assert (rule_of(first), first["JobState"], second["JobState"]) == ("finetune", "CANCELLED", "COMPLETED")
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("8000M", "16000M")
    assert f"SLURM-job '{clustered.cancelled}' failed, SLURM status is: 'CANCELLED'" in clustered.output
    history = json.loads((clustered.project / "results/tiny-s1/training.json").read_text())
    assert 0 < history["resumed_from_step"] < history["steps"]


def test_a_job_that_hangs_is_ended_and_gets_more_time(clustered):
    first, second = clustered.attempts(clustered.hanged)
    assert (rule_of(first), first["JobState"], second["JobState"]) == ("score_perturbation", "TIMEOUT", "COMPLETED")
    assert second["TimeLimit"] == "02:00:00", "twice the rule's hour"
    assert f"SLURM-job '{clustered.hanged}' failed, SLURM status is: 'TIMEOUT'" in clustered.output


def test_nothing_else_was_tried_twice(clustered):
    ended = Counter(job["JobState"] for job in clustered.jobs)
    assert ended == {"COMPLETED": sum((ON_GPU | ON_CPU).values()), "CANCELLED": 1, "TIMEOUT": 1}


def test_results_are_those_of_a_run_on_this_machine(clustered, local):
    def results(project, kind):
        files = [*project.glob(f"results/**/*.{kind}"), *project.glob(f"data/corpora/**/*.{kind}")]
        return {file.relative_to(project): file for file in files}

    there, here = results(clustered.project, "parquet"), results(local, "parquet")
    assert there.keys() == here.keys() and len(here) > 20
    for name, file in there.items():
        assert_frame_equal(pd.read_parquet(file), pd.read_parquet(here[name]), check_exact=True, obj=str(name))
    there, here = (results(run, "csv") | results(run, "json") for run in (clustered.project, local))
    assert there.keys() == here.keys()
    for name, file in there.items():
        if name.name == "training.json":  # also says how long it took
            one, other = (json.loads(each.read_text()) for each in (file, here[name]))
            behind = [entry["step"] for entry in one["loss"] if entry["step"] > one["resumed_from_step"]]
            spanning = behind[0] if one["resumed_from_step"] else None  # its loss is a mean since the checkpoint
            one, other = ([entry for entry in each["loss"] if entry["step"] != spanning] for each in (one, other))
            assert one == other and len(one) > 10
        else:
            assert file.read_bytes() == here[name].read_bytes(), name
