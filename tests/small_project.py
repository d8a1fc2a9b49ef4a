"""A project whose classifier is trained in seconds, but in enough steps for something to happen to it."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from project import copy_project, snakemake

CONFIG = Path(__file__).parent / "faults" / "small.yaml"
METRICS = "results/small-s1/metrics.json"
MODEL = "results/small-s1/model/model.safetensors"
HISTORY = "results/small-s1/training.json"
STEPS = 600  # 320 training texts in batches of 16, 30 times


def small_project(folder: Path) -> Path:
    copy_project(folder)
    shutil.copy2(CONFIG, folder / "tiny.yaml")
    return folder


def assert_completes(folder: Path, *targets: str, warm: bool = True) -> None:
    found = snakemake(folder, *(targets or [METRICS]), warm=warm)
    assert found.returncode == 0, found.stdout


def assert_same_results(folder: Path, unbroken: Path) -> None:
    """The model and its metrics, to the byte."""
    for name in (METRICS, MODEL):
        assert (folder / name).read_bytes() == (unbroken / name).read_bytes(), name


def wait_for(condition: Callable[[], object], seconds: float = 120) -> object:
    """Wait until the condition holds and return what it says."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise TimeoutError("what the test waits for did not come")


def step_of(folder: Path) -> int:
    """How far the training has come, by its log."""
    log = folder / "logs/small-s1/finetune.log"
    steps = re.findall(rf"\b(\d+)/{STEPS}\b", log.read_text()) if log.exists() else []
    return int(steps[-1]) if steps else 0


def training_below(process: subprocess.Popen) -> psutil.Process:
    """The process that trains, among the descendants of Snakemake."""
    below = psutil.Process(process.pid).children(recursive=True)
    return next(child for child in below if "finetune" in child.cmdline() and "bash" not in child.name())
