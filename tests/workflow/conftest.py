"""A copy of the project in which every rule has run once on the tiny configuration."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config.yaml", "workflow", "profiles", "envs", "data/reference", "data/lexicons")


def copy_project(folder: Path) -> Path:
    """Copy what makes up the workflow, without anything generated."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    shutil.copy2(ROOT / "tests" / "workflow" / "tiny.yaml", folder / "tiny.yaml")
    (folder / "reports").mkdir()
    return folder


def snakemake(folder: Path, *arguments: str, config: str = "tiny.yaml") -> subprocess.CompletedProcess:
    """Run Snakemake in a folder as a user would; output and errors in one text."""
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    environment.pop("PYTHONPATH", None)
    command = ["snakemake", "--cores", "2", *arguments, "--configfile", config]
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def planned(folder: Path, *arguments: str, config: str = "tiny.yaml") -> dict[str, int]:
    """The jobs that a dry run names: how many of each rule."""
    found = snakemake(folder, "--dry-run", *arguments, config=config)
    assert found.returncode == 0, found.stdout
    if "Nothing to be done" in found.stdout:
        return {}
    table = found.stdout.split("Job stats:")[1].split("total")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE)}


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The tiny run, finished; tests must not change it."""
    folder = copy_project(tmp_path_factory.mktemp("finished") / "project")
    found = snakemake(folder, "all")
    assert found.returncode == 0, found.stdout
    return folder


@pytest.fixture
def edited(finished, tmp_path) -> Callable[[str, Callable[[str], str]], dict[str, int]]:
    """Edit one file of the finished project and say which jobs that plans; the file is put back afterwards."""
    changed: list[tuple[Path, bytes, os.stat_result]] = []

    def edit(name: str, change: Callable[[str], str]) -> dict[str, int]:
        path = finished / name
        before = path.stat()
        changed.append((path, path.read_bytes(), before))
        path.write_text(change(path.read_text()))
        return planned(finished, "all")

    yield edit
    for path, content, before in changed:
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
