"""What only Linux has, taken away: macOS ties no process to cores and hides its free memory; Windows has no flock."""

import errno
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emoscope import doctor, threads
from emoscope.plan import code_inputs
from emoscope.storage import files
from emoscope.threads import VARIABLES, use_threads

ROOT = Path(__file__).parents[2]


@pytest.fixture
def untied(monkeypatch):
    """A system that ties no process to cores, with eight of them."""
    for name in ("sched_getaffinity", "sched_setaffinity"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for name in (*VARIABLES, "MKL_DYNAMIC"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(threads, "tell_loaded_libraries", lambda: None)  # they would keep eight for all other tests


@pytest.mark.parametrize(("wanted", "given"), [(2, "2"), (16, "8")])
def test_threads_are_as_many_where_no_process_is_tied_to_cores(untied, wanted, given):
    use_threads(wanted)
    assert {os.environ[name] for name in VARIABLES} == {given}


def test_the_doctor_counts_cores_and_does_without_what_it_is_not_told(untied, monkeypatch, tmp_path):
    def unknown(name: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", unknown)
    for place in ("MEMORY", "OWN_GROUPS"):
        monkeypatch.setattr(doctor, place, tmp_path / "none")
    found = {finding.what: finding for finding in doctor.look(tmp_path)}
    assert found["cores"].found == "8" and found["memory"].found == "unknown"
    assert found["system"].well and found["memory"].well


def test_on_windows_itself_the_doctor_says_where_to_run(monkeypatch):
    monkeypatch.setattr(os, "name", "nt")
    assert not doctor.system().well and "WSL" in doctor.system().means


def test_without_locks_of_unix_nobody_is_kept_out(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    try:
        importlib.reload(files)
        files.occupy(tmp_path).close()
        files.write_text("said", tmp_path / "a.txt")
    finally:
        monkeypatch.undo()
        importlib.reload(files)
    assert (tmp_path / "a.txt").read_text() == "said"


def test_a_disk_without_locks_keeps_nobody_out(monkeypatch, tmp_path):
    def refuse(lock, how):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    files.occupy(tmp_path).close()


def test_a_disk_without_links_names_the_code_from_where_it_is(monkeypatch, tmp_path):
    def refuse(self, target):
        raise OSError(errno.EPERM, "links are not for you")

    (tmp_path / "here").mkdir()
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert code_inputs.seen_from_here(tmp_path / "checkout") == Path(".snakemake", "emoscope")
    shutil.rmtree(".snakemake")
    monkeypatch.setattr(Path, "symlink_to", refuse)
    assert code_inputs.seen_from_here(tmp_path / "checkout") == Path("..", "checkout")


def test_a_job_on_another_machine_may_have_the_same_number(monkeypatch, tmp_path):
    """On a shared disk, at the same time; or it was killed there, with the link half made."""
    (tmp_path / "here" / ".snakemake").mkdir(parents=True)
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path(".snakemake", f"emoscope.{os.getpid()}").symlink_to(tmp_path / "checkout")
    assert code_inputs.seen_from_here(tmp_path / "checkout") == Path(".snakemake", "emoscope")


def test_make_asks_macos_for_its_cores(tmp_path):
    """Which has no nproc, but sysctl."""
    for name in ("make", "sh", "bash", "cat", "cksum", "cut"):
        (tmp_path / name).symlink_to(shutil.which(name) or pytest.skip(f"{name} is not installed"))
    (tmp_path / "sysctl").write_text('#!/bin/sh\n[ "$*" = "-n hw.ncpu" ] && echo 7\n')
    (tmp_path / "sysctl").chmod(0o755)
    said = subprocess.run(
        [tmp_path / "make", "--dry-run", "run"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert ".venv/bin/snakemake --cores 7 all" in said.stdout.splitlines(), said.stdout + said.stderr
