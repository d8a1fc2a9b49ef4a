"""What several test files share: a finished tiny run of the whole workflow, and random classifiers."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from emoscope.threads import wait_asleep

wait_asleep()  # before torch is imported: several processes test side by side

import pandas as pd  # noqa: E402
import torch  # noqa: E402

from emoscope.training.start import train_tokenizer  # noqa: E402
from project import ROOT, copy_project, hard_links, snakemake  # noqa: E402
from random_models import FAMILIES, TEXTS, train_wordpiece, with_large_weights  # noqa: E402
from traced_pair import FLIPPED, TEXT  # noqa: E402

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)  # the other cores test, too
settings.register_profile("project", deadline=None, print_blob=True)  # a busy machine is not a failure
settings.load_profile("project")


@pytest.fixture(autouse=True)
def threads_kept():
    """A test that leaves torch more threads than there are cores makes all that follow ten times slower."""
    before = torch.get_num_threads()
    yield
    left = torch.get_num_threads()
    torch.set_num_threads(before)
    assert left == before, f"torch had {before} threads and is left with {left}"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """A folder by this name, made by the first test that wants it, whichever process that runs in."""

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        base = tmp_path_factory.getbasetemp()
        folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
        with FileLock(f"{folder}.lock"):
            if not folder.with_suffix(".done").exists():
                assert not folder.exists(), "the first test that wanted this could not make it; see there"
                fill(folder)
                folder.with_suffix(".done").touch()
        return folder

    return make


@pytest.fixture(scope="session")
def finished(made_once) -> Path:
    """The tiny run, finished; tests must not change it, and get `changeable` if they want to."""

    def run(folder: Path) -> None:
        shutil.copytree(ROOT / "docs", copy_project(folder) / "docs")
        found = snakemake(folder, "all")
        assert found.returncode == 0, found.stdout

    return made_once("finished", run)


@pytest.fixture(scope="session")
def on_demand(finished, made_once) -> Path:
    """A copy of it with the pages that are made only if asked for, and an index made after them; not to be changed."""

    def run(folder: Path) -> None:
        hard_links(finished, folder)
        for asked in (["circuits", "probing", "features"], ["all", "--forcerun", "render_index"]):
            found = snakemake(folder, *asked)
            assert found.returncode == 0, found.stdout

    return made_once("on_demand", run)


@pytest.fixture
def changeable(finished, tmp_path) -> Path:
    """A copy of the finished tiny run, made of hard links: files are replaced in it, and none is written in place."""
    return hard_links(finished, tmp_path / "project")


@pytest.fixture(scope="session")
def tokenizer():
    return train_tokenizer(pd.Series(TEXTS * 3), {"vocabulary": 320, "context": 64})


@pytest.fixture(scope="session", params=FAMILIES)
def classifier(request, tokenizer):
    """A random classifier with 3 blocks of 4 heads."""
    torch.manual_seed(0)
    return with_large_weights(FAMILIES[request.param](len(tokenizer)).eval())


@pytest.fixture(scope="module")
def bert():
    """A random BERT whose tokenizer puts [CLS] and [SEP] around a text."""
    own = train_wordpiece([*TEXTS, TEXT, FLIPPED], 300)
    torch.manual_seed(0)
    model = FAMILIES["bert"](len(own)).eval()
    for parameter in model.bert.encoder.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model, own
