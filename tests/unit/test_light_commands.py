"""Training, predicting and masking work where only torch and transformers are, as on a bare GPU machine."""

import json
import re
import subprocess
import sys

import pandas as pd

from emoscope.cli import COMMANDS
from emoscope.code import PACKAGE, code_of
from random_models import TEXTS

BLOCKED = """
import sys
for name in ("datasets", "snakemake", "papermill", "seaborn"):
    sys.modules[name] = None
from emoscope.cli import main
main(sys.argv[1:])
"""


def run(command: str, **options: object) -> None:
    words = [word for name, value in options.items() for word in (f"--{name}", value) if word is not None]
    found = subprocess.run([sys.executable, "-c", BLOCKED, command, *map(str, words)], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_the_costly_commands_need_neither_datasets_nor_snakemake(tmp_path):
    texts = pd.DataFrame({"id": range(20), "text": TEXTS * 4, "label": [0, 1] * 10})
    texts.to_parquet(tmp_path / "train.parquet")
    (tmp_path / "corpus.json").write_text(json.dumps({"classes": ["joy", "fear"]}))
    model = {"vocabulary": 300, "context": 32, "width": 8, "blocks": 1, "heads": 1}
    training = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3, "weight_decay": 0, "schedule": "linear"}
    training |= {"warmup": 0, "precision": "fp32", "balance": "none", "gpus": 1}
    run(
        "finetune",
        train=tmp_path / "train.parquet",
        audit=tmp_path / "corpus.json",
        config=json.dumps({"model": model, "training": training, "seed": 1}),
        checkpoints=tmp_path / "work",
        output=tmp_path / "model",
        history=tmp_path / "training.json",
        base=None,
    )
    prediction = json.dumps({"tokens_per_batch": 1000})
    run(
        "predict",
        model=tmp_path / "model",
        train=tmp_path / "train.parquet",
        test=tmp_path / "train.parquet",
        shard="1-of-1",
        config=prediction,
        output=tmp_path / "predictions.parquet",
    )
    run(
        "mask-block",
        model=tmp_path / "model",
        samples=tmp_path / "train.parquet",
        block=0,
        masking=json.dumps({"block_conditions": ["described"], "head_conditions": ["zero"]}),
        prediction=prediction,
        output=tmp_path / "masks.parquet",
    )
    masks = pd.read_parquet(tmp_path / "masks.parquet")
    assert len(masks) == 2 * 20 and masks["p_joy"].between(0, 1).all()


COSTLY = re.compile(r"^(?:from|import) (torch|transformers|datasets|papermill|spacy)\b", re.MULTILINE)  # seconds each
MODELS = {"torch", "transformers"}
READERS = "predict scoring masking finetune models copier tracing dimensions attention_tables lens write_directions"
READERS += " autoencoder autoencoder_scores prompt_training prompt_scores induction induction_ablation composition"


def test_only_commands_that_run_a_model_import_its_libraries():
    found = {}
    for module in {target.split(":")[0] for target in COMMANDS.values()}:
        code = (path.read_text() for path in code_of(PACKAGE / f"{module}.py"))
        found[module] = {name for text in code for name in COSTLY.findall(text)}
    assert {module for module, names in found.items() if names & MODELS} == set(READERS.split())
    assert {module for module, names in found.items() if names - MODELS} == {"reports"}  # it runs notebooks
