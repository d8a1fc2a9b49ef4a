"""Git for tests; those that need it are skipped where there is none, as beside an unpacked release."""

import shutil
import subprocess
from pathlib import Path

import pytest

from emoscope import __version__

ROOT = Path(__file__).parents[1]


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def committed(folder: Path) -> Path:
    """Make a folder a repository with one commit of all that lies there."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All of it")
    return folder


def released(folder: Path) -> Path:
    """Make a folder a repository with all that is to be released, under the version's tag."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is to be released is not known")
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(committed(folder), "tag", f"v{__version__}")
    return folder
