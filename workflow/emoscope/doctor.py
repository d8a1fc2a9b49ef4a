"""`emoscope doctor`: what this machine has, and what will run how."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from emoscope.errors import first_line

OLDEST = (3, 11)
DISK_GB = 6  # the environment, the default's models and results
MEMORY_GB = 4
MEMORY = Path("/proc/meminfo")
BROWSERS = ("chromedriver", "chromium.chromedriver")


class Finding(NamedTuple):
    """One thing looked at: whether all is well, what was found, and what follows from it."""

    well: bool
    what: str
    found: str
    means: str


def doctor() -> None:
    """Look at this machine and say what will run how; nothing is changed."""
    findings = list(look(Path()))
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{'ok' if finding.well else '!!'}  {finding.what:<{width}}  {finding.found}: {finding.means}")


def look(folder: Path) -> Iterator[Finding]:
    """Everything that decides how, or whether, the workflow runs in a folder."""
    yield system()
    yield python()
    means = f"give Snakemake `--cores {cores()}`; jobs that do not depend on each other share them"
    yield Finding(True, "cores", str(cores()), means)
    yield memory()
    yield disk(folder)
    yield from processors()
    yield browser()
    yield slurm()


def system() -> Finding:
    well = os.name == "posix"  # Linux, macOS, WSL: the rules are written for a Unix shell
    return Finding(
        well, "system", platform.system(), "fine" if well else "open WSL, and install and run emoscope there"
    )


def cores() -> int:
    """The cores that this process may use; only Linux says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def python() -> Finding:
    well = sys.version_info >= OLDEST
    means = "fine" if well else f"install {'.'.join(map(str, OLDEST))} or later, then `make setup`"
    return Finding(well, "python", platform.python_version(), means)


def memory() -> Finding:
    free = free_memory()
    if free is None:
        return Finding(True, "memory", "unknown", f"the default needs {MEMORY_GB} GB")
    well = free >= MEMORY_GB
    means = (
        "enough for the default" if well else f"the default needs {MEMORY_GB} GB; close something, or lower `--cores`"
    )
    return Finding(well, "memory", f"{free:.1f} GB free", means)


def free_memory() -> float | None:
    """GB that programs could have, None where the system does not say.

    What caches files is given back when it is needed, so it counts where the system tells: on Linux, as `MemAvailable`.
    """
    try:
        lines = dict(line.split(":") for line in MEMORY.read_text().splitlines())
        return int(lines["MemAvailable"].removesuffix("kB")) * 1024 / 1e9
    except (KeyError, ValueError, OSError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / 1e9
    well = free >= DISK_GB
    means = (
        "enough for the default" if well else f"the default needs {DISK_GB} GB; `--directory` puts results elsewhere"
    )
    return Finding(well, "disk", f"{free:.0f} GB free", means)


def processors() -> Iterator[Finding]:
    """What models are computed on, and in what precision."""
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError where a library that it needs cannot be loaded
        found = "not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be loaded ({first_line(error)})"
        yield Finding(False, "torch", found, "run `make setup`, or `pip install -r envs/requirements.lock`")
        return
    from emoscope.models.precision import hardware_has_bf16

    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
        yield Finding(True, "GPU", names, f"models run there; add `--resources gpu={torch.cuda.device_count()}`")
    else:
        yield Finding(
            True, "GPU", "none that torch sees", "models run on the processor, which is enough for the default"
        )
    if hardware_has_bf16():
        yield Finding(True, "bf16", "multiplied natively", "wide models are trained in bf16")
    else:
        yield Finding(True, "bf16", "not native", "all is computed in float32; training takes longer")


def browser() -> Finding:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    means = "the browser tests run" if found else "nothing but the browser tests needs one; they are skipped"
    return Finding(True, "browser driver", found or "none", means)


def slurm() -> Finding:
    found = shutil.which("sbatch")
    means = "submit with `--workflow-profile profiles/slurm`" if found else "jobs run on this machine"
    return Finding(True, "Slurm", found or "none", means)
