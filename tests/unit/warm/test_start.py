"""Which workflows get a warm process, and what Snakemake measures of jobs that run in its forks."""

import os
import sys
from pathlib import Path

import pytest
from snakemake import benchmark

from emoscope.warm import start
from emoscope.warm.measured import measure_forks
from small_project import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the warm process is for Linux")
EATING = "import time\nheld = bytearray(300_000_000)\nopen('full', 'w').close()\ntime.sleep(1.5)"


def test_only_a_long_workflow_on_linux_without_a_gpu_gets_one(monkeypatch, tmp_path):
    monkeypatch.delenv(start.VARIABLE, raising=False)
    monkeypatch.setattr(start, "GPUS", (str(tmp_path / "no gpu"),))
    assert start.reason_against(start.FEWEST_JOBS) == ""
    assert "fewer than" in start.reason_against(start.FEWEST_JOBS - 1)
    monkeypatch.setattr(start, "GPUS", (str(tmp_path),))
    assert "GPU" in start.reason_against(100)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Linux" in start.reason_against(100)
    monkeypatch.setenv(start.VARIABLE, "no")
    assert "is set" in start.reason_against(100)


def test_a_workflow_begins_and_ends_one(monkeypatch, tmp_path):
    monkeypatch.delenv(start.VARIABLE, raising=False)
    monkeypatch.setattr(benchmark, "BenchmarkTimer", benchmark.BenchmarkTimer)
    monkeypatch.setattr(start, "GPUS", ())
    monkeypatch.setenv("PYTHONPATH", str(Path(start.__file__).parents[2]))
    start.begin(start.FEWEST_JOBS - 1)
    assert start.VARIABLE not in os.environ and not start.RUNNING
    start.begin(start.FEWEST_JOBS)
    [process] = start.RUNNING
    assert process.poll() is None and os.environ[start.VARIABLE].startswith(f"emoscope-{os.getpid()}-")
    start.end()
    assert process.poll() is not None and start.VARIABLE not in os.environ and not start.RUNNING


@pytest.mark.parametrize("warm", [True, False])
def test_snakemake_measures_the_job_and_not_who_stands_for_it(job, tmp_path, monkeypatch, warm):
    monkeypatch.setattr(benchmark, "BenchmarkTimer", benchmark.BenchmarkTimer)
    record = benchmark.BenchmarkRecord()
    measure_forks()
    process = job(EATING, warm=warm)
    wait_for((tmp_path / "full").exists)
    with benchmark.benchmarked(process.pid, record):
        process.communicate()
    assert process.returncode == 0
    assert 280 < record.max_rss < 600
    assert 280 < record.max_uss < 600


def test_without_that_it_would_not(job, tmp_path):
    """Or the test above shows nothing."""
    record = benchmark.BenchmarkRecord()
    process = job(EATING)
    wait_for((tmp_path / "full").exists)
    with benchmark.benchmarked(process.pid, record):
        process.communicate()
    assert record.max_rss < 100
