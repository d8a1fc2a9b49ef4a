"""What `emoscope doctor` says of machines that lack something."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch

from emoscope import doctor

Usage = namedtuple("Usage", "total used free")
ROOT = Path(__file__).parents[2]
BARE = """
import sys
sys.modules.update(dict.fromkeys(["numpy", "pandas", "pyarrow", "torch"]))
from emoscope.cli import main
main(["doctor"])
"""


@pytest.fixture(autouse=True)
def no_groups(monkeypatch, tmp_path):
    """Whatever the container that the tests run in may use."""
    monkeypatch.setattr(doctor, "OWN_GROUPS", tmp_path / "none")


@pytest.fixture
def groups(monkeypatch, tmp_path):
    """Writes the files of control groups, by their paths; the first argument is what the process is told of its own."""

    def write(own: str, files: dict[str, str]) -> None:
        monkeypatch.setattr(doctor, "GROUPS", tmp_path / "groups")
        monkeypatch.setattr(doctor, "OWN_GROUPS", tmp_path / "own")
        doctor.OWN_GROUPS.write_text(own)
        for name, text in files.items():
            (doctor.GROUPS / name).parent.mkdir(parents=True, exist_ok=True)
            (doctor.GROUPS / name).write_text(text + "\n")

    return write


def test_this_machine_can_run_the_default(capsys):
    doctor.doctor()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9 and all(line.startswith(("ok  ", "!!  ")) for line in lines)
    assert any("torch" in line or "GPU" in line for line in lines)


@pytest.mark.parametrize(("free", "well"), [(1e9, False), (1e11, True)])
def test_a_full_disk_is_seen(monkeypatch, tmp_path, free, well):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(2e11, 2e11 - free, free))
    assert doctor.disk(tmp_path).well is well


@pytest.mark.parametrize(("available", "well"), [(400_000, False), (40_000_000, True)])
def test_memory_is_what_programs_could_have_with_what_only_caches_files(monkeypatch, tmp_path, available, well):
    monkeypatch.setattr(doctor, "MEMORY", tmp_path / "meminfo")
    doctor.MEMORY.write_text(f"MemTotal: 64000000 kB\nMemFree: 100000 kB\nMemAvailable: {available} kB\nCached: 9 kB\n")
    assert doctor.memory().well is well and doctor.memory().found == f"{available * 1024 / 1e9:.1f} GB free"


def limited(folder: str, limit: str, used: str, current: int, most: int | str, cached: int) -> dict[str, str]:
    counted = "total_inactive_file" if "usage" in used else "inactive_file"
    files = {limit: str(most), used: str(current), "memory.stat": f"anon 5\n{counted} {cached}"}
    return {f"{folder}/{name}": text for name, text in files.items()}


V1, V2 = ("memory.limit_in_bytes", "memory.usage_in_bytes"), ("memory.max", "memory.current")


@pytest.mark.parametrize(
    ("own", "files", "left"),
    [
        ("0::/\n", limited(".", *V2, 2 * 10**9, 3 * 10**9, 10**9), 2.0),  # a container's own view
        ("0::/a/b\n", limited("a", *V2, 10**9, 6 * 10**9, 0) | limited("a/b", *V2, 10**9, "max", 0), 5.0),
        ("0::/a\n", limited("a", *V2, 9 * 10**9, 8 * 10**9, 0), 0.0),
        ("5:cpu:/c\n4:memory:/a\n0::/\n", limited("memory/a", *V1, 10**9, 4 * 10**9, 10**9), 4.0),
        ("4:memory:/of/the/host\n", limited("memory", *V1, 10**9, 4 * 10**9, 0), 3.0),
        ("4:memory:/\n", limited("memory", *V1, 10**9, 9223372036854771712, 0), 40.0),  # no limit
        ("0::/a\n", {}, 40.0),
    ],
)
def test_memory_is_what_the_container_or_job_may_still_have(monkeypatch, tmp_path, groups, own, files, left):
    monkeypatch.setattr(doctor, "MEMORY", tmp_path / "meminfo")
    doctor.MEMORY.write_text(f"MemAvailable: {40 * 10**9 // 1024} kB\n")
    groups(own, files)
    assert doctor.free_memory() == pytest.approx(left, abs=1e-3)
    assert doctor.memory().well is (left >= doctor.MEMORY_GB)


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "250000 100000"}, 2),
        ("0::/a\n", {"cpu.max": "max 100000", "a/cpu.max": "50000 100000"}, 1),
        ("0::/a\n", {"a/cpu.max": "max 100000"}, 8),
        ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "300000", "cpu/a/cpu.cfs_period_us": "100000"}, 3),
        ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}, 8),
    ],
)
def test_cores_are_as_many_as_the_container_or_job_is_given_the_time_of(monkeypatch, groups, own, files, cores):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    groups(own, files)
    assert doctor.cores() == cores


def test_without_the_packages_that_all_else_needs_the_doctor_still_tells(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    found = subprocess.run([sys.executable, "-c", BARE], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "torch" in found.stdout and "not installed: run `make setup`" in found.stdout


def test_packages_that_are_not_installed_are_named(monkeypatch):
    assert [*doctor.packages()] == []

    def version(name: str) -> str:
        if name in ("pandas", "snakemake"):
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(doctor, "version", version)
    [finding] = doctor.packages()
    assert not finding.well and finding.found == "no pandas, snakemake" and "make setup" in finding.means


@pytest.mark.parametrize(("pages", "well"), [(10**5, False), (10**7, True)])
def test_where_the_system_does_not_tell_caches_apart_free_memory_counts(monkeypatch, tmp_path, pages, well):
    known = {"SC_AVPHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", known.__getitem__)
    monkeypatch.setattr(doctor, "MEMORY", tmp_path / "none")
    assert doctor.memory().well is well
    monkeypatch.setattr(doctor, "MEMORY", tmp_path / "meminfo")
    doctor.MEMORY.write_text("MemTotal: 64000000 kB\nMemFree: 100000 kB\n")  # a kernel before 3.14
    assert doctor.memory().well is well


def test_where_nothing_is_known_of_memory_nothing_is_claimed(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "MEMORY", tmp_path / "none")
    monkeypatch.setattr(os, "sysconf", lambda name: {}[name] if name != "SC_AVPHYS_PAGES" else int(name))  # macOS
    assert doctor.memory().well and doctor.memory().found == "unknown"


def test_an_old_python_is_seen(monkeypatch):
    monkeypatch.setattr("sys.version_info", (3, 10, 1))
    assert not doctor.python().well and "3.11" in doctor.python().means


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (ModuleNotFoundError("No module named 'torch'"), "not installed"),
        (ImportError("libcudart.so.13: cannot open\nit"), "cannot be loaded (libcudart.so.13: cannot open)"),
        (OSError("libtorch.so: cannot open"), "cannot be loaded (libtorch.so: cannot open)"),
    ],
)
def test_a_torch_that_cannot_be_used_is_told(monkeypatch, error, found):
    class Refusing:
        def find_spec(self, name, *_):
            if name == "torch":
                raise error

    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
    [torch_found] = doctor.processors()
    assert not torch_found.well and torch_found.found == found


@pytest.mark.parametrize("native", [False, True])
def test_what_the_processor_multiplies_is_said(monkeypatch, native):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("emoscope.models.precision.hardware_has_bf16", lambda: native)
    said = {finding.what: finding.found for finding in doctor.processors()}
    assert said == {"GPU": "none that torch sees", "bf16": "multiplied natively" if native else "not native"}


def test_a_gpu_and_a_cluster_are_named_with_their_options(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"H{number}")
    gpu, bf16 = doctor.processors()
    assert gpu.found == "H0, H1" and "--resources gpu=2" in gpu.means and bf16.found == "multiplied natively"
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert "profiles/slurm" in doctor.slurm().means
