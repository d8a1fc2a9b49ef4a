"""A workflow that was moved, or fetched anew to another place, reruns nothing."""

import shutil
from pathlib import Path

import pytest

from project import copy_project, planned, snakemake

TARGETS = [f"data/corpora/calibration/perturbations/{name}.parquet" for name in ("gender", "words")]
WITHOUT_MODELS = ("--config", "companions=[]")


def arguments(checkout: Path, folder: Path) -> tuple[str, ...]:
    return (*TARGETS, "--snakefile", str(checkout / "Snakefile"), "--directory", str(folder), *WITHOUT_MODELS)


def config_of(checkout: Path) -> str:
    return str(checkout / "tiny.yaml")


@pytest.fixture
def made(tmp_path) -> tuple[Path, Path]:
    """A checkout, and another folder with what it made there."""
    checkout, folder = copy_project(tmp_path / "here" / "checkout"), tmp_path / "results of mine"
    folder.mkdir()
    found = snakemake(checkout, *arguments(checkout, folder), config=config_of(checkout))
    assert found.returncode == 0, found.stdout
    return checkout, folder


def test_a_moved_checkout_reruns_nothing_and_an_edited_one_does(made, tmp_path):
    checkout, folder = made
    moved = tmp_path / "somewhere" / "deeper" / "emoscope"
    moved.parent.mkdir(parents=True)
    checkout.rename(moved)
    assert planned(moved, *arguments(moved, folder), config=config_of(moved)) == {}

    copied = tmp_path / "copied"  # as a fresh clone: the same bytes, another date
    shutil.copytree(moved, copied, copy_function=shutil.copyfile)
    assert planned(copied, *arguments(copied, folder), config=config_of(copied)) == {}

    with (copied / "data" / "lexicons" / "gender.csv").open("a") as words:
        words.write("cowboy,cowgirl,swap\n")
    assert planned(copied, *arguments(copied, folder), config=config_of(copied)) == {"flip_terms": 1}


@pytest.mark.slow
def test_a_moved_project_reruns_nothing(made, tmp_path):
    """With its results inside the checkout, and everything moved together."""
    checkout, _ = made
    here = (*TARGETS, *WITHOUT_MODELS)
    found = snakemake(checkout, *here)
    assert found.returncode == 0, found.stdout
    moved = checkout.rename(tmp_path / "moved")
    assert planned(moved, *here) == {}
