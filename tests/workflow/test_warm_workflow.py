"""A run whose jobs are forks of its own warm process: whatever is killed, it ends or goes on, and nothing is left."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from emoscope.warm import start
from project import ROOT, copy_project, snakemake, start_snakemake
from small_project import assert_completes, wait_for

TARGET = "masking"  # enough jobs for a warm process
ASKING = """
include: "{root}/workflow/Snakefile"
rule asking:
    output: "said.txt"
    shell: '''python -c "from emoscope.warm.client import hand_over; hand_over('this'); print('none')" > {{output}}'''
"""
MINUTES = 10  # after which a run counts as hanging
pytestmark = pytest.mark.skipif(bool(start.reason_against(start.FEWEST_JOBS)), reason="no warm process on this machine")


class Run:
    """Snakemake at work, its warm process, and a fork of that which is stopped in the middle of its job.

    Which job that is depends on when the warm process is ready: those before it run by themselves.
    """

    def __init__(self, project: Path) -> None:
        self.project = project
        self.process = start_snakemake(project, TARGET, own_warm=True)
        self.snakemake = psutil.Process(self.process.pid)
        self.seen: set[psutil.Process] = {self.snakemake}

    def stop_a_job(self) -> None:
        self.fork, words = wait_for(self.stopped, 300)
        [self.server] = [child for child in self.snakemake.children() if "emoscope.warm.server" in child.cmdline()]
        assert self.server in self.fork.parents(), "the job is no fork of the warm process"
        self.output = self.project / words[words.index("--output") + 1]

    def stopped(self) -> tuple[psutil.Process, list[str]] | None:
        """A fork that is stopped, and the command line of the process that stands for it, if one is at work."""
        assert self.process.poll() is None, self.said()
        below = self.snakemake.children(recursive=True)  # also the warm process, those that watch over jobs, and jobs
        self.seen.update(below)
        for child in below:
            with suppress(OSError, psutil.Error):  # it has ended
                name, words = Path(f"/proc/{child.pid}/comm").read_text(), child.cmdline()
                if (found := re.fullmatch(r"warm (\d+)\n", name)) and "--output" in words:
                    fork = psutil.Process(int(found[1]))
                    fork.suspend()
                    if fork.status() == psutil.STATUS_STOPPED:
                        self.seen.add(fork)
                        return fork, words
        return None

    def ends(self) -> int:
        """The exit code of a run that does not hang; all that belonged to it is gone."""
        code = self.process.wait(60 * MINUTES)
        wait_for(lambda: not any(map(alive, self.seen)), 60)
        return code

    def said(self) -> str:
        return (self.project / "said.txt").read_text()


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def run(tmp_path) -> Iterator[Run]:
    started = Run(copy_project(tmp_path / "project"))
    try:
        started.stop_a_job()
        yield started
    finally:
        for process in filter(alive, started.seen):
            process.kill()


@pytest.mark.release
def test_a_killed_fork_is_a_failed_job_and_the_next_run_goes_on(run):
    run.fork.kill()
    assert run.ends() == 1
    assert "Killed" in run.said()
    assert not run.output.exists(), "what is half written counts as done"
    assert_completes(run.project, TARGET)
    assert run.output.exists()


@pytest.mark.slow
def test_a_killed_warm_process_costs_no_job(run):
    run.server.kill()
    wait_for(lambda: not alive(run.server))
    run.fork.resume()
    assert run.ends() == 0, run.said()
    assert run.output.exists() and list((run.project / "reports").rglob("masking.html"))


@pytest.mark.release
def test_the_warm_process_ends_with_a_killed_snakemake_and_the_next_run_goes_on(run):
    run.process.kill()
    run.process.wait()
    wait_for(lambda: not alive(run.server), 60)
    assert not run.output.exists()
    run.fork.resume()  # it lives on, as jobs of a killed Snakemake do
    wait_for(lambda: not any(map(alive, run.seen)), 60 * MINUTES)
    assert snakemake(run.project, "--unlock").returncode == 0
    assert_completes(run.project, TARGET)
    assert run.output.exists()


@pytest.mark.slow
def test_jobs_of_other_tests_are_forks(tmp_path):
    """Also if a plugin of Snakemake sets variables, as that of S3 does: or these tests would take twice as long."""
    (tmp_path / "Snakefile").write_text(ASKING.format(root=ROOT))
    (tmp_path / "mine.yaml").write_text("companions: []\n")
    found = snakemake(tmp_path, "said.txt", config="mine.yaml")
    assert found.returncode == 0, found.stdout
    assert (tmp_path / "said.txt").read_text().startswith("The Zen of Python"), "as `this` says when it is run"
