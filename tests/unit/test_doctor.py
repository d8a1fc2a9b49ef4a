"""What `emoscope doctor` says of machines that lack something."""

import os
import shutil
import sys
from collections import namedtuple

import pytest
import torch

from emoscope import doctor

Usage = namedtuple("Usage", "total used free")


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
