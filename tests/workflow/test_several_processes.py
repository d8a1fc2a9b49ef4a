"""Fine-tuning in two processes is fine-tuning in one, whatever the loss: `batch_size` counts the texts of all."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from emoscope.models.loading import load_classifier
from emoscope.models.logits import predict_logits
from project import copy_project, snakemake

pytestmark = pytest.mark.slow

TRAINING = {"epochs": 2, "batch_size": 64, "learning_rate": 3.0e-3}
GPUS = {"one": 1, "two": 2, "few": 2}
BALANCES = ("none", "weights")
TOLERANCE = 1e-5  # of every loss and logit; sums in another order differ by some 1e-6


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Runs in one process and the same in two, without GPUs: these talk through gloo."""
    folder = copy_project(tmp_path_factory.mktemp("processes") / "project")
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    config["runs"] = [
        {
            "name": f"{name}-{balance}",
            "corpus": "calibration",
            "model": "scratch",
            "training": {**TRAINING, "gpus": gpus, "balance": balance},
        }
        for name, gpus in GPUS.items()
        for balance in BALANCES
    ]
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CUDA_VISIBLE_DEVICES", "")
        runs = [f"{run}-{balance}" for run in ("one", "two") for balance in BALANCES]
        found = snakemake(folder, *(f"results/{run}-s1/training.json" for run in runs), warm=False)
    assert found.returncode == 0, found.stdout
    return folder


@pytest.mark.parametrize("balance", BALANCES)
def test_the_loss_curve_is_the_same(project, balance):
    histories = (project / f"results/{run}-{balance}-s1/training.json" for run in ("one", "two"))
    one, two = (json.loads(path.read_text()) for path in histories)
    assert (one["processes"], two["processes"]) == (1, 2)
    assert one["steps"] == two["steps"] == 2 * 960 / 64
    assert len(one["loss"]) == one["steps"]
    for before, after in zip(one["loss"], two["loss"], strict=True):
        assert after == pytest.approx(before, abs=TOLERANCE)


@pytest.mark.parametrize("balance", BALANCES)
def test_both_classifiers_say_the_same(project, balance):
    """What they say, not their weights: a key's bias changes no attention, so rounding alone decides what it learns."""
    texts = pd.read_parquet(project / "data/corpora/calibration/test.parquet")["text"].tolist()
    models = [load_classifier(project / f"results/{run}-{balance}-s1/model") for run in ("one", "two")]
    one, two = (predict_logits(model, tokenizer, texts, 4096) for model, tokenizer in models)
    assert np.ptp(one, axis=0).min() > 100 * TOLERANCE
    np.testing.assert_allclose(two, one, rtol=0, atol=TOLERANCE)


def test_a_limit_on_gpus_is_one_on_processes(project):
    """With fewer GPUs than `gpus`, fewer processes share the batches."""
    target = "results/few-none-s1/training.json"
    found = snakemake(project, target, "--resources", "gpu=1", warm=False)
    assert found.returncode == 0, found.stdout
    assert json.loads((project / target).read_text())["processes"] == 1
