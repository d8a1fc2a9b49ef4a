"""A small project for faults to happen in, what an unbroken run of it gives, and disks that can be filled."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from small_project import assert_completes, small_project


@pytest.fixture
def project(tmp_path) -> Path:
    return small_project(tmp_path / "project")


@pytest.fixture(scope="session")
def unbroken(made_once) -> Path:
    """The project after a run that nothing happened to."""
    return made_once("unbroken", lambda folder: assert_completes(small_project(folder)))


@pytest.fixture
def done(unbroken, tmp_path) -> Path:
    """A copy of that, whose files can be written in place."""
    return Path(shutil.copytree(unbroken, tmp_path / "project"))


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Callable[[str, str], Path]]:
    """Mount a disk of a given size on a folder of the test's project; mounting it again changes it."""
    mounted: list[Path] = []

    def mount(name: str, options: str) -> Path:
        folder = tmp_path / "project" / name
        again = folder in mounted
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"{'remount,' if again else ''}{options}", "tmpfs", str(folder)]
        if os.geteuid() or subprocess.run(command).returncode:
            pytest.skip("mounting a small disk needs root")
        if not again:
            mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
