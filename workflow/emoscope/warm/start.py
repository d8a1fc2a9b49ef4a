"""Start the warm process for a workflow, and end it. Imported by the Snakefile: nothing heavy in here."""

import contextlib
import os
import secrets
import subprocess
import sys
from pathlib import Path

from emoscope.warm.client import VARIABLE

FEWEST_JOBS = 10  # below, importing everything costs more than it spares
GPUS = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # whose libraries do not survive a fork
MODULES = (
    *("torch", "transformers", "transformers.trainer", "transformers.models.auto.modeling_auto", "accelerate"),
    *("transformers.models.gpt2.modeling_gpt2", "transformers.models.bert.modeling_bert"),
    *("transformers.models.llama.modeling_llama", "pandas", "pyarrow.parquet", "scipy.stats", "scipy.special"),
    *("sklearn.metrics", "lemminflect", "seaborn", "matplotlib.pyplot", "papermill", "nbconvert"),
    *("IPython.display", "ipykernel.kernelapp", "ipykernel.ipkernel", "bs4", "jinja2", "threadpoolctl"),
)
RUNNING: list[subprocess.Popen] = []  # at most one


def reason_against(jobs: int) -> str:
    """Why a workflow with so many jobs gets no warm process on this machine; empty if it gets one."""
    if VARIABLE in os.environ:
        return f"{VARIABLE} is set"
    if sys.platform != "linux":
        return "only Linux lets a process that has loaded these libraries fork"
    if any(Path(device).exists() for device in GPUS):
        return "a GPU's libraries do not survive a fork"
    return f"fewer than {FEWEST_JOBS} jobs" if jobs < FEWEST_JOBS else ""


def start(environment: dict[str, str], modules: tuple[str, ...] = MODULES) -> tuple[subprocess.Popen, str]:
    """Start a warm process for jobs with this environment, by the Python that they will run; and its name, for them.

    It ends when the thread that called this ends, or before. Until it has imported the modules, nobody is there.
    """
    name = f"emoscope-{os.getpid()}-{secrets.token_hex(8)}"
    command = ["python", "-m", "emoscope.warm.server", name, str(os.getpid()), *modules]
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    return subprocess.Popen(command, env=environment, **quiet), name


def begin(jobs: int) -> None:
    """Give the workflow that runs in this process, with so many jobs, its warm process, unless something speaks
    against it."""
    if not reason_against(jobs):
        with contextlib.suppress(OSError):  # then jobs run by themselves
            server, os.environ[VARIABLE] = start(dict(os.environ))
            RUNNING.append(server)
    if VARIABLE in os.environ:  # its own, or one that was there
        from emoscope.warm.measured import measure_forks

        measure_forks()


def end() -> None:
    """End what `begin` has started."""
    for server in RUNNING:
        server.kill()
        server.wait()
        del os.environ[VARIABLE]
    RUNNING.clear()
