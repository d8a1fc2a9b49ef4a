"""Copies of the project to run Snakemake in."""

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from emoscope.warm.client import VARIABLE
from emoscope.warm.start import MODULES, start
from random_models import save_language_model
from warm_process import listens

ROOT = Path(__file__).parents[1]
HANDED_OVER = "from emoscope.warm.client import hand_over; hand_over('forked_snakemake'); import forked_snakemake"
SAID = """
import json, os
include: "{root}/workflow/Snakefile"
with open("environment.json", "w") as said:
    json.dump(dict(os.environ), said)
"""
HALF_WRITTEN = shutil.ignore_patterns("*.pyc.*")  # what was compiled once is copied, but not while it is written
PARTS = ("Snakefile", "config.yaml", "workflow", "profiles", "envs", "data/reference", "data/lexicons")


def copy_project(folder: Path) -> Path:
    """Copy what makes up the workflow, without anything generated."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=HALF_WRITTEN)
        else:
            shutil.copy2(source, target)
    shutil.copy2(ROOT / "tests" / "workflow" / "tiny.yaml", folder / "tiny.yaml")
    (folder / "reports").mkdir()
    save_language_model(folder / "language")
    return folder


def hard_links(project: Path, folder: Path) -> Path:
    """A copy of a project that a test may change, as long as it writes no file in place: both share them, but for what
    Snakemake keeps, which it does write in place."""
    shutil.copytree(project, folder, copy_function=_link, ignore=HALF_WRITTEN)
    return folder


def _link(source: str, target: str) -> None:
    (shutil.copy2 if ".snakemake" in Path(source).parts else os.link)(source, target)


def snakemake(
    folder: Path, *arguments: str, config: str = "tiny.yaml", warm: bool = True
) -> subprocess.CompletedProcess:
    """Run Snakemake in a folder as a user would; output and errors in one text.

    Jobs, or Snakemake itself if it only plans, are forked from a process in which the heavy imports are done, unless
    `warm` is false: a test that is about processes, threads or signals wants the real thing.
    """
    plans = warm and "--dry-run" in arguments
    return subprocess.run(
        [*(["python", "-c", HANDED_OVER] if plans else ["snakemake"]), *_options(arguments, config)],
        cwd=folder,
        env=_environment() | (_warm_to_plan() if plans else _warm() if warm else {}),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def start_snakemake(
    folder: Path, *arguments: str, config: str = "tiny.yaml", own_warm: bool = False
) -> subprocess.Popen:
    """The same, as from a terminal of its own, without waiting; what it says goes to `said.txt` in the folder.

    Every job is a process of its own, unless `own_warm` lets the run start a warm process, as it does for a user.
    """
    environment = _environment()
    if own_warm:
        del environment[VARIABLE]
    with (folder / "said.txt").open("w") as said:
        return subprocess.Popen(
            ["snakemake", *_options(arguments, config)],
            cwd=folder,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs of a shell ignore it
        )


def _options(arguments: tuple[str, ...], config: str) -> list[str]:
    return ["--cores", "2", *arguments, "--configfile", config]


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = ("PYTHONPATH", "PYTEST_CURRENT_TEST")  # the latter differs from test to test
    return {name: value for name, value in os.environ.items() if name not in own} | {"PATH": path, VARIABLE: "no"}


@cache
def _warm() -> dict[str, str]:
    """Start one warm process for all runs, whose own would cost each some seconds; the variable that names it."""
    return _started(_environment_of_jobs())


@cache
def _warm_to_plan() -> dict[str, str]:
    """The same for Snakemake itself, and what else it needs in the environment to find that process."""
    needed = {"PYTHONPATH": f"{ROOT / 'workflow'}{os.pathsep}{ROOT / 'tests'}", "PYTHONSAFEPATH": "1"}
    return needed | _started(_environment() | needed, ("snakemake.cli",))


def _started(environment: dict[str, str], modules: tuple[str, ...] = MODULES) -> dict[str, str]:
    server, name = start(environment, modules)
    atexit.register(server.kill)
    while not listens(name):
        assert server.poll() is None, "the process that jobs are forked from did not start"
        time.sleep(0.05)
    return {VARIABLE: name}


def _environment_of_jobs() -> dict[str, str]:
    """What the Snakefile and plugins of Snakemake make of the environment: only where it is theirs do jobs fork."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Snakefile").write_text(SAID.format(root=ROOT))
        found = subprocess.run(["snakemake", "--list-rules"], cwd=folder, env=_environment(), capture_output=True)
        assert found.returncode == 0, found.stderr.decode()
        return json.loads((Path(folder) / "environment.json").read_text())


def planned(folder: Path, *arguments: str, config: str = "tiny.yaml") -> dict[str, int]:
    """The jobs that a dry run names: how many of each rule."""
    found = snakemake(folder, "--dry-run", *arguments, config=config)
    assert found.returncode == 0, found.stdout
    if "Nothing to be done" in found.stdout:
        return {}
    table = found.stdout.split("Job stats:")[1].split("total")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE)}
