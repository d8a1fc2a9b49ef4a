"""Every command that runs a model computes on a device that is not the CPU, and finds what it finds there."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel

from emoscope.models import language_models, loading
from emoscope.models.features import stored
from emoscope.plan.code_inputs import PACKAGE
from emoscope.writeups.induction import copier
from fake_device import Opened, fake_device
from model_commands import CLASSIFIER, LANGUAGE, Step, write_classifier, write_language_model

CLASSIFIERS, LANGUAGE_MODELS = ("gpt2", "bert"), ("gpt2", "llama")


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copier, "WORKS", 0)  # after a few steps it copies nothing
        yield


@pytest.fixture(scope="module", params=CLASSIFIERS)
def classifier_run(request, tmp_path_factory):
    """What all commands on a classifier find on the CPU."""
    return all_of(CLASSIFIER, tmp_path_factory, lambda folder: write_classifier(folder, request.param))


@pytest.fixture(scope="module", params=LANGUAGE_MODELS)
def language_run(request, tmp_path_factory):
    """What all commands on a language model find on the CPU."""
    return all_of(LANGUAGE, tmp_path_factory, lambda folder: write_language_model(folder, request.param))


def all_of(steps: dict[str, Step], tmp_path_factory, begin) -> Path:
    folder = tmp_path_factory.mktemp("cpu")
    begin(folder)
    for step in steps.values():
        step.run(folder, folder)
    return folder


@pytest.mark.parametrize("name", CLASSIFIER)
def test_a_classifier(classifier_run, elsewhere, tmp_path, name):
    check(CLASSIFIER[name], classifier_run, tmp_path)


@pytest.mark.parametrize("name", LANGUAGE)
def test_a_language_model(language_run, elsewhere, tmp_path, name):
    check(LANGUAGE[name], language_run, tmp_path)


def check(step: Step, known: Path, made: Path) -> None:
    step.run(known, made)
    for file in step.made.values():
        assert_alike(made / file, known / file, step.tolerance)


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
    assert loading_models - tried == ELSEWHERE_TESTED
