"""`emoscope doctor`: what this machine has, and what will run how."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from emoscope.errors import first_line

OLDEST = (3, 11)
DISK_GB = 6  # the environment, the default's models and results
MEMORY_GB = 4
MEMORY = Path("/proc/meminfo")
GROUPS = Path("/sys/fs/cgroup")  # where Linux keeps what containers and jobs are given
OWN_GROUPS = Path("/proc/self/cgroup")
GROUP_MEMORY = (  # the limit, what is used, and what of that caches files for nobody, by version of control groups
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
PROJECT = Path(__file__).parents[2] / "pyproject.toml"
INSTALL = "run `make setup`, or `pip install -r envs/requirements.lock`"
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
    yield from packages()
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
    """The cores that this process may use, or as many as it is given the time of; only Linux says."""
    tied = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([tied, *map(int, group_cores())]))


def python() -> Finding:
    well = sys.version_info >= OLDEST
    means = "fine" if well else f"install {'.'.join(map(str, OLDEST))} or later, then `make setup`"
    return Finding(well, "python", platform.python_version(), means)


def packages() -> Iterator[Finding]:
    """What the workflow needs and is not installed, but for torch, which `processors` looks at."""
    try:
        import tomllib
    except ModuleNotFoundError:  # before Python 3.11
        return
    needed = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    names = (re.match(r"[\w.-]+", requirement)[0] for requirement in needed)
    if absent := [name for name in names if name != "torch" and not installed(name)]:
        yield Finding(False, "packages", f"no {', '.join(absent)}", INSTALL)


def installed(package: str) -> bool:
    """Whether a package is installed, whether or not it can be loaded."""
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


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
    """GB that programs could have on this machine and in this container or job, None where the system does not say."""
    return min(filter(lambda free: free is not None, [machine_memory(), *group_memory()]), default=None)


def machine_memory() -> float | None:
    """GB that programs could have on this machine, None where the system does not say.

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


def groups(controller: str) -> Iterator[Path]:
    """The control groups that may limit this process, its own and those around it (man 7 cgroups).

    Version 2 has one tree for all, with no names before its path, version 1 one for each controller. In a container the
    path may be the host's; what holds for all of the container lies on top.
    """
    lines = OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.exists() else []
    for _, names, path in (line.split(":", 2) for line in lines):
        if not names or controller in names.split(","):
            top = GROUPS / controller if names else GROUPS
            yield from (top / place.relative_to("/") for place in (Path(path), *Path(path).parents))


def group_memory() -> Iterator[float]:
    """GB that each control group with a limit leaves to programs."""
    for group in groups("memory"):
        for limit, used, cached in GROUP_MEMORY:
            with suppress(OSError, ValueError, KeyError):  # files of the other version, or no limit
                most, now = (int((group / name).read_text()) for name in (limit, used))
                stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
                yield max(0, most - now + int(stat[cached])) / 1e9


def group_cores() -> Iterator[float]:
    """How many cores' time each control group with a limit is given."""
    for group in groups("cpu"):
        with suppress(OSError, ValueError):
            time, period = map(int, (group / "cpu.max").read_text().split())
            yield time / period
        with suppress(OSError, ValueError):
            time, period = (int((group / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
            if time > 0:  # -1 is no limit
                yield time / period


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
        yield Finding(False, "torch", found, INSTALL)
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
