"""What `emoscope doctor` says of machines that lack something."""

import os
import shutil
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


@pytest.mark.parametrize(("pages", "well"), [(10**5, False), (10**7, True)])
def test_little_memory_is_seen(monkeypatch, pages, well):
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_AVPHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}[name])
    assert doctor.memory().well is well


def test_an_old_python_is_seen(monkeypatch):
    monkeypatch.setattr("sys.version_info", (3, 10, 1))
    assert not doctor.python().well and "3.11" in doctor.python().means


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
