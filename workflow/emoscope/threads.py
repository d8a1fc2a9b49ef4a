"""How many threads a job computes with, and how these wait. To be called before numpy and torch are imported."""

import os
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
TAKEN = "emoscope core {}"  # what a process calls a socket by which others see that it has a core for itself


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
    if tied and given < threads and (own := take_cores(cores, given)):
        os.sched_setaffinity(0, own)
    tell_loaded_libraries()


def take_cores(cores: Iterable[int], wanted: int) -> list[int]:
    """So many of the cores, which this process then has until it ends: no other one, of whatever run, is given them.
    None if there are not enough, since the system then shares them out better.
    """
    taken: dict[int, socket.socket] = {}
    for core in cores:
        with suppress(OSError):  # another process has it, or sockets are not allowed
            claim = socket.socket(socket.AF_UNIX)
            claim.bind("\0" + TAKEN.format(core))  # Linux's names without a file, which end with their process
            taken[core] = claim
        if len(taken) == wanted:
            break
    for claim in taken.values():
        claim.detach() if len(taken) == wanted else claim.close()  # what is detached stays open
    return list(taken) if len(taken) == wanted else []


def tell_loaded_libraries() -> None:
    """Let libraries that have read their number of threads already, as in a fork of a process, compute with
    OMP_NUM_THREADS."""
    threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    if others := sys.modules.get("threadpoolctl"):
        others.threadpool_limits(threads)  # of numpy and scipy
