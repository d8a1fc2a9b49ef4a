"""What `make setup` keeps and what it makes anew, with a Python and a pip that only write down their calls; how `make
archive` names what is no release."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from repositories import committed, git

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then exec {python} "$@"; fi
echo "python $*" >> "$PWD/../calls"
rm -rf .venv && mkdir -p .venv/bin
printf '#!/bin/sh\\n# %s/.venv/bin/python3\\necho "pip $*" >> "%s"\\n' "$(pwd -P)" "$(pwd -P)/../calls" > .venv/bin/pip
chmod +x .venv/bin/pip
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "a clone"
    (folder / "envs").mkdir(parents=True)
    for name in ("Makefile", "envs/requirements.lock"):
        shutil.copyfile(ROOT / name, folder / name)
    (tmp_path / "python").write_text(PYTHON.format(python=sys.executable))
    (tmp_path / "python").chmod(0o755)
    return folder


def setup(folder: Path, python: str = "../python") -> tuple[list[str], str]:
    """The calls of Python and pip that `make setup` made, by their first words, and all that it said."""
    calls = folder.parent / "calls"
    calls.unlink(missing_ok=True)
    found = subprocess.run(
        ["make", "setup", f"PYTHON={python}"],
        cwd=folder,
        env=outside_make(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    made = calls.read_text().splitlines() if calls.exists() else []
    return [" ".join(line.split()[:3]) for line in made], found.stdout


def outside_make() -> dict[str, str]:
    """The environment without what a make that runs these tests puts into it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}


def test_an_environment_is_made_once(clone):
    assert setup(clone)[0] == ["python -m venv", "pip install --quiet", "pip install --quiet"]
    assert setup(clone)[0] == []


def test_another_lock_installs_into_the_same_environment(clone):
    setup(clone)
    (clone / ".venv" / "of the user").touch()
    with (clone / "envs" / "requirements.lock").open("a") as lock:
        lock.write("another==1\n")
    assert setup(clone)[0] == ["pip install --quiet", "pip install --quiet"]
    assert (clone / ".venv" / "of the user").exists() and len([*(clone / ".venv").glob("installed-*")]) == 1


def test_a_clone_that_goes_by_two_names_has_one_environment(clone, monkeypatch):
    setup(clone)
    (clone / ".venv" / "of the user").touch()
    link = clone.with_name("link")
    link.symlink_to(clone, target_is_directory=True)
    monkeypatch.setenv("PWD", str(link))  # as a shell says that went there
    assert setup(link)[0] == []
    with (clone / "envs" / "requirements.lock").open("a") as lock:
        lock.write("another==1\n")
    assert setup(link)[0] == ["pip install --quiet", "pip install --quiet"]
    assert (clone / ".venv" / "of the user").exists()


def test_a_moved_clone_gets_an_environment_of_its_own(clone):
    setup(clone)
    moved = clone.rename(clone.parent / "moved")
    assert setup(moved)[0][0] == "python -m venv"


def test_an_old_python_is_named_before_anything_is_installed(clone):
    old = clone.parent / "old"
    old.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c \"import sys; sys.version_info = (3, 10); sys.version = '3.10.1'\n$2\"\n"
    )
    old.chmod(0o755)
    calls, said = setup(clone, "../old")
    assert calls == [] and "emoscope needs Python 3.11 or later, and ../old is 3.10.1" in said


def test_only_the_commit_with_its_versions_tag_is_packed_under_the_version_alone(clone):
    (clone / "workflow" / "emoscope").mkdir(parents=True)
    (clone / "workflow" / "emoscope" / "__init__.py").write_text('__version__ = "1.2.0"\n')
    short = git(committed(clone), "rev-parse", "--short", "HEAD")
    assert packed(clone) == f"emoscope-1.2.0-{short}"
    git(clone, "tag", "v1.1.0")
    assert packed(clone) == f"emoscope-1.2.0-{short}"
    git(clone, "tag", "v1.2.0")
    assert packed(clone) == "emoscope-1.2.0"
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "After the release")
    assert packed(clone) == f"emoscope-1.2.0-{git(clone, 'rev-parse', '--short', 'HEAD')}"


def packed(folder: Path) -> str:
    """The one folder in the archive that `make archive` says it made, which is called as the archive is."""
    command = ["make", "archive"]
    found = subprocess.run(command, cwd=folder, env=outside_make(), check=True, capture_output=True, text=True)
    name = found.stdout.strip()
    with tarfile.open(folder / name) as archive:
        [top] = {member.name.split("/")[0] for member in archive.getmembers()}
    assert name == f"{top}.tar.gz"
    return top
