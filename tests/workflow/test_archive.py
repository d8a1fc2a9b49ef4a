"""A release archive is whole: with neither a repository nor git, it plans, runs and names its commit."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emoscope import __version__
from project import ROOT
from repositories import git, released

PART = ["tests/unit/storage", *(f"tests/unit/plan/test_{name}.py" for name in ("checkout", "code_inputs", "records"))]
PART += [
    f"tests/unit/test_{name}.py"
    for name in ("catalog", "ci", "commands", "docs", "environments", "light_commands", "rooms")
]
PAGE = "import json; from emoscope.storage.provenance import page_facts; print(json.dumps(page_facts({}, {})))"


@pytest.fixture(scope="module")
def tagged(tmp_path_factory) -> Path:
    return released(tmp_path_factory.mktemp("released"))


@pytest.fixture(scope="module")
def unpacked(tagged, tmp_path_factory) -> Path:
    made = subprocess.run(["make", "archive"], cwd=tagged, check=True, capture_output=True, text=True).stdout.strip()
    assert made == f"emoscope-{__version__}.tar.gz"
    outside = tmp_path_factory.mktemp("elsewhere")
    shutil.unpack_archive(tagged / made, outside)
    return outside / f"emoscope-{__version__}"


@pytest.fixture(scope="module")
def environment(unpacked, tmp_path_factory) -> dict[str, str]:
    """Every program of this machine but git, and Python with the archive's package before the installed one."""
    programs = tmp_path_factory.mktemp("programs")
    for folder in reversed([Path(sys.executable).parent, *map(Path, os.environ["PATH"].split(os.pathsep))]):
        for program in folder.glob("*"):
            if not program.name.startswith("git"):
                (programs / program.name).unlink(missing_ok=True)
                (programs / program.name).symlink_to(program)
    (programs / "python").unlink()  # a link would hide the environment that it belongs to
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python").chmod(0o755)
    return {**os.environ, "PATH": str(programs), "PYTHONPATH": f"{unpacked / 'workflow'}:{unpacked}"}


def run(unpacked: Path, environment: dict[str, str], *command: str) -> str:
    assert shutil.which("git", path=environment["PATH"]) is None
    found = subprocess.run(
        [sys.executable, *command],
        cwd=unpacked,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert found.returncode == 0, found.stdout
    return found.stdout


@pytest.mark.slow
def test_what_runs_from_the_archive_names_version_and_commit(tagged, unpacked, environment):
    facts = json.loads(run(unpacked, environment, "-P", "-c", PAGE).splitlines()[-1])
    assert facts["commit"] == git(tagged, "rev-parse", "HEAD")
    assert f"emoscope {__version__}," in facts["rendered with"]


@pytest.mark.slow
def test_the_archive_plans_and_starts_the_default(unpacked, environment):
    run(unpacked, environment, "-m", "snakemake", "--cores", "1", "data/corpora/calibration/test.parquet")
    planned = run(unpacked, environment, "-m", "snakemake", "--cores", "1", "--dry-run", "all")
    assert "finetune" in planned and "generate_corpus" not in planned


@pytest.mark.release
def test_what_the_archive_holds_passes_its_own_tests(unpacked, environment):
    said = run(unpacked, environment, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *PART)
    assert int(re.search(r"(\d+) passed", said)[1]) > 350, said
    assert not [why for why in re.findall(r"^SKIPPED .*", said, flags=re.M) if "git" not in why]


def test_a_version_is_the_same_wherever_it_stands():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (\S+)$", citation, flags=re.M) == [__version__]
    [day] = re.findall(r"^date-released: (\d{4}-\d\d-\d\d)$", citation, flags=re.M)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## (\d\S*) \((.*)\)$", changes, flags=re.M)
    assert released[0] == (__version__, day)
    assert f'tag="v{__version__}"' in (ROOT / "config" / "README.md").read_text(encoding="utf-8")
