"""What several test files share: a finished tiny run of the whole workflow, and random classifiers."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import settings

from emoscope.finetune import train_tokenizer
from project import copy_project, snakemake
from random_models import FAMILIES, TEXTS

settings.register_profile("project", deadline=None, print_blob=True)  # a busy machine is not a failure
settings.load_profile("project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The tiny run, finished; tests must not change it."""
    folder = copy_project(tmp_path_factory.mktemp("finished") / "project")
    found = snakemake(folder, "all")
    assert found.returncode == 0, found.stdout
    return folder


@pytest.fixture(scope="session")
def tokenizer():
    return train_tokenizer(pd.Series(TEXTS * 3), {"vocabulary": 320, "context": 64})


@pytest.fixture(scope="session", params=FAMILIES)
def classifier(request, tokenizer):
    """A random classifier with 3 blocks of 4 heads; weights and biases large enough for every part to matter."""
    torch.manual_seed(0)
    model = FAMILIES[request.param](len(tokenizer)).eval()
    for name, parameter in model.named_parameters():
        if "norm" not in name.lower() and "ln_" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model
