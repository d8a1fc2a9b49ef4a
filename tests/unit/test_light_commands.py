"""Training, predicting and masking work where only torch and transformers are, as on a bare GPU machine."""

import json
import re
import subprocess
import sys

import pandas as pd

from emoscope.cli import COMMANDS
from emoscope.plan.code_inputs import code_of, file_of
from random_models import TEXTS

BLOCKED = """
import json, sys
for name in ("datasets", "snakemake", "papermill", "seaborn"):
    sys.modules[name] = None
from emoscope.cli import main
for command in json.loads(sys.argv[1]):
    main(command)
"""


def words(command: str, **options: object) -> list[str]:
    """The words of a command line; a dict becomes JSON, None an option without a value."""
    given = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in options.items()}
    pairs = ((f"--{name}", value) for name, value in given.items())
    return [command, *(str(word) for pair in pairs for word in pair if word is not None)]


def test_the_costly_commands_need_neither_datasets_nor_snakemake(tmp_path):
    texts = pd.DataFrame({"id": range(20), "text": TEXTS * 4, "label": [0, 1] * 10})
    table, model, masks = tmp_path / "train.parquet", tmp_path / "model", tmp_path / "masks.parquet"
    texts.to_parquet(table)
    (tmp_path / "corpus.json").write_text(json.dumps({"classes": ["joy", "fear"]}))
    sizes = {"vocabulary": 300, "context": 32, "width": 8, "blocks": 1, "heads": 1}
    training = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3, "weight_decay": 0, "schedule": "linear"}
    training |= {"warmup": 0, "precision": "fp32", "balance": "none", "gpus": 1}
    prediction = {"tokens_per_batch": 1000}
    finetune = words(
        "finetune",
        train=table,
        audit=tmp_path / "corpus.json",
        config={"model": sizes, "training": training, "seed": 1},
        checkpoints=tmp_path / "work",
        output=model,
        history=tmp_path / "training.json",
        base=None,
    )
    predict = words(
        "predict",
        model=model,
        train=table,
        test=table,
        shard="1-of-1",
        config=prediction,
        output=tmp_path / "predictions.parquet",
    )
    texts[:1].to_parquet(tmp_path / "test.parquet")
    files = {"means": tmp_path / "means.safetensors", "texts": tmp_path / "texts.parquet"}
    reference = words(
        "masking-reference",
        model=model,
        train=table,
        test=tmp_path / "test.parquet",
        masking={"reference_texts": 3},
        seed=1,
        prediction=prediction,
        **files,
    )
    exact = words("check-exactness", model=model, test=table, output=tmp_path / "exactness.json")
    mask = words(
        "mask-block",
        model=model,
        samples=table,
        block=0,
        masking={"block_conditions": ["described", "resample"], "head_conditions": ["mean"], "resample_draws": 2},
        exactness=tmp_path / "exactness.json",
        seed=1,
        prediction=prediction,
        output=masks,
        **files,
    )
    command = [sys.executable, "-c", BLOCKED, json.dumps([finetune, exact, predict, reference, mask])]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "predictions.parquet").exists()
    scores = pd.read_parquet(masks)
    assert len(scores) == 4 * 20 and scores["p_joy"].between(0, 1).all()


COSTLY = re.compile(r"^(?:from|import) (torch|transformers|datasets|papermill|spacy)\b", re.MULTILINE)  # seconds each
MODELS = {"torch", "transformers"}
READERS = "doctor experiments.masking.measure experiments.masking.head_pairs.measure experiments.masking.reference"
READERS += " experiments.masking.screening.screen"
READERS += " experiments.circuits.measure experiments.circuits.measure_edges"
READERS += " experiments.tracing.measure models.inside.exactness"
READERS += " experiments.features.measure experiments.features.moves experiments.features.switches"
READERS += " experiments.probing.erasing.erasure experiments.probing.measure experiments.probing.steering"
READERS += (
    " models.sources models.logits perturbation.scored_pairs training.adopt training.description training.finetune"
    " training.thresholds"
)
READERS += " experiments.words.explain experiments.words.faithfulness experiments.words.measure"
READERS += " writeups.attention.measure"
READERS += " writeups.induction.ablation writeups.induction.composition writeups.induction.copier"
READERS += " writeups.induction.measure writeups.prompting.baselines writeups.prompting.measure"
READERS += " writeups.prompting.training"
READERS += " writeups.residual.autoencoder writeups.residual.autoencoder_scores writeups.residual.measure"
READERS += " writeups.residual.write_directions"


def test_only_commands_that_run_a_model_import_its_libraries():
    found = {}
    for module in {target.split(":")[0] for target in COMMANDS.values()}:
        code = (path.read_text() for path in code_of(file_of(module)))
        found[module] = {name for text in code for name in COSTLY.findall(text)}
    assert {module for module, names in found.items() if names & MODELS} == set(READERS.split())
    assert {module for module, names in found.items() if names - MODELS} == {"reporting.render"}  # it runs notebooks


SLOW = re.compile(r"^(?:from|import) (sklearn|statsmodels)\b", re.MULTILINE)  # a second each


def test_only_commands_that_fit_a_classifier_import_scikit_learn_and_none_statsmodels():
    """A command that seldom needs one of them imports it where it does."""
    found = {}
    for module in {target.split(":")[0] for target in COMMANDS.values()}:
        if names := {name for path in code_of(file_of(module)) for name in SLOW.findall(path.read_text())}:
            found[module] = names
    fitting = ["experiments.performance.baselines", "experiments.suites.words", "writeups.prompting.baselines"]
    fitting += [f"experiments.probing.{name}" for name in ("erasing.erasure", "measure", "steering")]
    assert found == {module: {"sklearn"} for module in fitting}
