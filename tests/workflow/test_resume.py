"""A killed fine-tuning goes on from its checkpoint and ends as if nothing had been; one with other settings never."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from emoscope.training.checkpoints import fingerprint, last_checkpoint
from emoscope.training.finetune import use_bf16

ROOT = Path(__file__).parents[2]
MODEL = {"source": "scratch", "blocks": 2, "heads": 2, "width": 16, "vocabulary": 400, "context": 64}
TRAINING = {
    "epochs": 15, "batch_size": 16, "learning_rate": 1e-3, "weight_decay": 0.01, "schedule": "linear", "warmup": 0.1,
    "precision": "fp32", "balance": "none", "gpus": 1,
}  # fmt: skip


def finetuning(folder, seed=1):
    config = json.dumps({"model": MODEL, "training": TRAINING, "seed": seed})
    command = [sys.executable, "-m", "emoscope", "finetune", "--config", config, "--base"]
    for option in ("train.parquet", "audit.json", "checkpoints", "output", "history.json"):
        command += [f"--{option.split('.')[0]}", str(folder / option)]
    log = (folder / "log").open("a")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


@pytest.mark.slow
def test_a_killed_job_resumes(tmp_path):
    texts = [f"i feel {word} number {n}" for n in range(200) for word in ("glad", "sad")]
    pd.DataFrame({"id": range(400), "text": texts, "label": [1, 0] * 200}).to_parquet(tmp_path / "train.parquet")
    (tmp_path / "audit.json").write_text('{"classes": ["sadness", "joy"]}')
    first = finetuning(tmp_path)
    while not list(tmp_path.glob("checkpoints/*/checkpoint-*/trainer_state.json")):
        assert first.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    [kept] = filter(Path.is_dir, (tmp_path / "checkpoints").iterdir())
    resumed_from = int(last_checkpoint(kept).rsplit("-", 1)[1])
    assert not (tmp_path / "output").exists(), "half a model must never look like a whole one"

    assert finetuning(tmp_path).wait() == 0, (tmp_path / "log").read_text()
    history = json.loads((tmp_path / "history.json").read_text())
    assert history["steps"] == 375
    assert history["resumed_from_step"] == resumed_from > 0
    assert resumed_from % 25, "in the middle of an epoch, whose order must not change"
    assert not kept.exists(), "the scratch folder is deleted at the end"
    assert {path.suffix for path in (tmp_path / "output").iterdir()} == {".json", ".safetensors"}

    weights = (tmp_path / "output" / "model.safetensors").read_bytes()
    assert finetuning(tmp_path).wait() == 0, (tmp_path / "log").read_text()
    unbroken = json.loads((tmp_path / "history.json").read_text())
    assert unbroken["resumed_from_step"] == 0
    spanning = next(entry["step"] for entry in unbroken["loss"] if entry["step"] > resumed_from)  # a mean since then
    one, other = ([entry for entry in each["loss"] if entry["step"] != spanning] for each in (unbroken, history))
    assert one == other
    assert (tmp_path / "output" / "model.safetensors").read_bytes() == weights


def test_an_unfinished_checkpoint_is_passed_over(tmp_path):
    for step, state in ((10, "{}"), (9, "{}"), (20, None), (30, ""), (40, '{"epoch": ')):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path).endswith("checkpoint-10")
    assert last_checkpoint(tmp_path / "absent") is None


def test_the_fingerprint_changes_with_settings_and_data(tmp_path):
    data = tmp_path / "train"
    data.write_text("a")
    before = fingerprint({"seed": 1}, [data])
    assert before == fingerprint({"seed": 1}, [data])
    assert before != fingerprint({"seed": 2}, [data])
    data.write_text("b")
    assert before != fingerprint({"seed": 1}, [data])


@pytest.mark.parametrize(("precision", "width", "expected"), [("bf16", 16, True), ("fp32", 768, False)])
def test_a_stated_precision_is_obeyed(precision, width, expected):
    assert use_bf16(precision, width) is expected
