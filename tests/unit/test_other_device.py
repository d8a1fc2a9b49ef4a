"""Every command that runs a model computes on a device that is not the CPU, and finds what it finds there."""

import json
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel

from emoscope.experiments.masking.samples import select_confident
from emoscope.models import language_models, loading
from emoscope.models.features import stored
from emoscope.plan.code_inputs import PACKAGE
from emoscope.writeups.induction import copier
from fake_device import Opened, _run, fake_device
from model_commands import CLASSIFIER, LANGUAGE, write_classifier, write_language_model

# what these do is the same in all layouts, once it is known what a model computes
ALIKE = {"probes", "erasure", "steering", "learn features", "move features", "switch features", "words taken away"}
RUNS = {
    "gpt2": CLASSIFIER,
    "bert": {name: step for name, step in CLASSIFIER.items() if name not in ALIKE},
    "llama": LANGUAGE,
}


@pytest.fixture
def elsewhere(monkeypatch):
    """The device that models are loaded onto."""
    with fake_device() as device:
        for module in (loading, language_models, copier):
            monkeypatch.setattr(module, "device", lambda: device)
        for module in (safetensors.torch, stored):
            monkeypatch.setattr(module, "safe_open", Opened)
        save = GPT2LMHeadModel.save_pretrained  # tells tensors apart by where in memory they lie: there, nowhere
        monkeypatch.setattr(GPT2LMHeadModel, "save_pretrained", lambda model, folder: save(model.cpu(), folder))
        yield device


@pytest.fixture(scope="module", autouse=True)
def any_copier():
    with pytest.MonkeyPatch.context() as lenient:
        lenient.setattr(copier, "WORKS", 0)  # after a few steps it copies nothing
        yield


@pytest.fixture(scope="module")
def found_here(tmp_path_factory):
    """By layout, a folder with what all commands on such a model find on the CPU, made when it is first asked for."""

    @cache
    def made(layout: str) -> Path:
        folder = tmp_path_factory.mktemp(layout)
        (write_language_model if RUNS[layout] is LANGUAGE else write_classifier)(folder, layout)
        for step in RUNS[layout].values():
            step.run(folder, folder)
        return folder

    return made


@pytest.fixture
def known(layout, found_here):
    return found_here(layout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "step"),
    [
        pytest.param(layout, step, id=f"{layout}, {name}")
        for layout, steps in RUNS.items()
        for name, step in steps.items()
    ],
)
def test_a_command_finds_there_what_it_finds_here(known, step, elsewhere, tmp_path, monkeypatch):
    operations = Counter()

    def counted(operation, *args, **kwargs):
        operations[operation] += 1
        return _run(operation, *args, **kwargs)

    monkeypatch.setattr("fake_device._run", counted)
    step.run(known, tmp_path)
    assert operations or step.command is select_confident, "no other command runs no model"
    for file in step.made.values():
        assert_alike(tmp_path / file, known / file, step.tolerance)


def assert_alike(found: Path, wanted: Path, tolerance: float) -> None:
    match wanted.suffix:
        case ".parquet":
            assert_same_table(pd.read_parquet(found), pd.read_parquet(wanted), tolerance)
        case ".csv":
            assert_same_table(pd.read_csv(found), pd.read_csv(wanted), tolerance)
        case ".json":
            one, other = (json.loads(path.read_text()) for path in (found, wanted))
            assert exact(one) == exact(other)
        case ".safetensors":
            one, other = load_file(found), load_file(wanted)
            assert one.keys() == other.keys()
            for key in one:
                np.testing.assert_allclose(one[key].float(), other[key].float(), rtol=10 * tolerance, atol=tolerance)
        case _:
            one, other = (json.loads((folder / "history.json").read_text()) for folder in (found, wanted))
            assert_same_table(pd.DataFrame(one), pd.DataFrame(other), tolerance)


def assert_same_table(found: pd.DataFrame, wanted: pd.DataFrame, tolerance: float) -> None:
    pd.testing.assert_frame_equal(found, wanted, rtol=10 * tolerance, atol=tolerance)


def exact(checks: dict) -> dict:
    return {check["check"]: (check["exact"], check["note"]) for check in checks["checks"]}


ELSEWHERE_TESTED = {  # they run a model by what others of these commands do, or by the Trainer
    "models/loading.py", "models/language_models.py", "training/adopt.py", "training/description.py",
    "training/thresholds.py", "experiments/words/explain.py",
}  # fmt: skip


def test_no_command_that_loads_a_model_is_missing():
    calls = ("load_classifier(", "load_language_model(", "random_twin(", "(device()")
    loading_models = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(call in path.read_text() for call in calls)
    }
    tried = {
        step.command.__module__.removeprefix("emoscope.").replace(".", "/") + ".py"
        for steps in (CLASSIFIER, LANGUAGE)
        for step in steps.values()
    }
    assert loading_models - tried == ELSEWHERE_TESTED, "a new command belongs into tests/model_commands.py"
