"""Copies of the project to run Snakemake in."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from random_models import save_language_model

ROOT = Path(__file__).parents[1]
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
    save_language_model(folder / "language")
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
