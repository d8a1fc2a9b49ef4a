"""What Snakemake's `benchmark:` measures of a job that runs in a fork of the warm process: the fork, too.

Snakemake adds up the process that it started and those below it; the fork lies below the warm process instead.
"""

import re
from pathlib import Path

import psutil
from snakemake import benchmark


class Process(psutil.Process):
    """A process whose children include the forks that they stand for."""

    def children(self, recursive: bool = False) -> list[psutil.Process]:
        below = super().children(recursive)
        forks = [fork for process in (self, *below) for fork in forks_of(process.pid)]
        return [*below, *forks, *(process for fork in forks for process in fork.children(recursive))]


class Timer(benchmark.BenchmarkTimer):
    """Snakemake's, but for which processes it asks."""

    def __init__(self, pid: int, *rest) -> None:
        super().__init__(pid, *rest)
        self.main = Process(pid)


def forks_of(client: int) -> list[Process]:
    """The fork that a process stands for, by the name that it has given itself; empty if it stands for none."""
    try:
        name = Path(f"/proc/{client}/comm").read_text()
        return [Process(int(number)) for number in re.findall(r"^warm (\d+)$", name, flags=re.MULTILINE)]
    except (OSError, psutil.Error):  # it has ended
        return []


def measure_forks() -> None:
    """Let Snakemake, in whose process this is called, measure jobs with their forks."""
    benchmark.BenchmarkTimer = Timer
