"""How many threads a job computes with, and how these wait. To be called before numpy and torch are imported."""

import os
import sys

from emoscope.taken import take

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
TAKEN = "emoscope core {}"


def wait_asleep() -> None:
    """Let OpenMP's threads sleep while they wait for one another, unless the user has chosen otherwise.

    By default they spin, and so hold the cores that those they wait for would need: beside one other busy process, a
    training then does a fraction of its steps (docs/performance.md). The order of sums, and so every result, stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def use_threads(wanted: int) -> None:
    """Compute with `wanted` threads, or as many as the machine has cores, on the cores that the job was given.

    The last digits of a sum depend on how many threads share it. Snakemake gives a job fewer cores where `--cores` is
    small; the same number of threads takes turns on as many, so that `--cores` decides the time and not the result.
    """
    tied = hasattr(os, "sched_setaffinity")  # only Linux ties processes to cores
    cores = sorted(os.sched_getaffinity(0)) if tied else range(os.cpu_count() or 1)
    threads = min(wanted, len(cores))
    given = int(os.environ.get("OMP_NUM_THREADS", threads))
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)), MKL_DYNAMIC="FALSE")  # MKL would adapt to the cores
    if tied and given < threads and (own := take(TAKEN, cores, given)):
        os.sched_setaffinity(0, own)  # without enough free ones, the system shares them out better
    tell_loaded_libraries()


def tell_loaded_libraries() -> None:
    """Let libraries that have read their number of threads already, as in a fork of a process, compute with
    OMP_NUM_THREADS."""
    threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    if others := sys.modules.get("threadpoolctl"):
        others.threadpool_limits(threads)  # of numpy and scipy
