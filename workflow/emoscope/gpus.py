"""Which GPUs a job computes on. To be called before CUDA is asked for anything: it reads its variable once."""

import importlib
import os
import sys

from emoscope.taken import take

VISIBLE = "CUDA_VISIBLE_DEVICES"
TAKEN = "emoscope gpu {}"
RANK = "LOCAL_RANK"  # in the environment of each process that torchrun starts


def take_gpus(wanted: int) -> None:
    """See so many of the GPUs, which no other job, of whatever run, takes until this process ends; Snakemake counts
    them and does not say which. Where not enough are free, as without `--resources gpu=`, all are seen as before."""
    there = [] if RANK in os.environ else visible()  # what started such a process has taken them for it
    own = take(TAKEN, there, wanted)
    if own and len(own) < len(there):
        os.environ[VISIBLE] = ",".join(own)


def visible() -> list[str]:
    """The GPUs that this process may use, as CUDA names them: those that the user or a cluster has chosen, or all."""
    if VISIBLE in os.environ:
        return [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip()]
    torch = importlib.import_module("torch")  # only of what computes on one
    return [str(number) for number in range(torch.cuda.device_count())]


def use_processes(count: int, arguments: list[str]) -> None:
    """Become so many processes of the command with these arguments, each of which has one of the GPUs that are taken
    for all; nothing if this is one of them."""
    if RANK in os.environ:
        return
    take_gpus(count)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count), "-m", "emoscope"]
    os.execv(sys.executable, [sys.executable, *torchrun, *arguments])
