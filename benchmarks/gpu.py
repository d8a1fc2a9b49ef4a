"""The paper's whole job on a GPU: `python -m benchmarks gpu [ROWS]`; ROWS defaults to the paper's 333,447.

Fine-tunes GPT-2 small's size for two epochs, predicts every text and masks all 12 blocks on 600 texts, each through the
package, without datasets or Snakemake. Compares logits with the CPU's, and speeds in fp32, bf16 and compiled bf16.
Without a GPU it runs only when ROWS is given, to check that it works: what it prints then says nothing about a GPU.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.masking import CONDITIONS
from benchmarks.measuring import as_loaded, ceilings, gpt2_small, operations_per_token, seconds, sentences
from benchmarks.training import tokens_per_second
from emoscope.data.class_names import EMOTIONS
from emoscope.experiments.masking.masks import masks_of
from emoscope.experiments.masking.measure import block_scores
from emoscope.experiments.masking.reference import Reference, mean_outputs
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.loading import load_classifier
from emoscope.models.logits import predict_logits
from emoscope.models.parts import blocks_of
from emoscope.storage.files import read_json, write_json, write_table
from emoscope.training.finetune import rows_of, trainer_of, training_arguments

PAPER_ROWS, SAMPLES = 333_447, 600
TRAINING = {"epochs": 2, "batch_size": 256, "learning_rate": 1e-4, "weight_decay": 0.01, "schedule": "linear"}
TRAINING |= {"warmup": 0.0, "precision": "auto", "balance": "none", "gpus": 1}


def measure(rows: str | None = None) -> dict:
    if rows is None and not torch.cuda.is_available():
        sys.exit("python -m benchmarks gpu: no GPU here; name a number of rows to check on the CPU that it works")
    count = int(rows or PAPER_ROWS)
    limits = ceilings()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        base, tokenizer = gpt2_small()
        model = as_loaded(base, tokenizer)
        operations = operations_per_token(model)
        steps = min(100, max(2, count // TRAINING["batch_size"]))
        speeds = {
            name: short_training(model, tokenizer, sentences(min(count, 30_000)), steps, folder / "steps", **settings)
            for name, settings in {
                "fp32": {"precision": "fp32"},
                "bf16": {"precision": "bf16"},
                "bf16 compiled": {"precision": "bf16", "torch_compile": True},
            }.items()
        }
        for part in (base, tokenizer):
            part.save_pretrained(folder / "base")
        del base, model
        write_table(texts_of(count, seed=1), folder / "train.parquet")
        write_table(texts_of(max(6, count // 4), seed=2), folder / "test.parquet")
        write_json({"classes": list(EMOTIONS)}, folder / "corpus.json")

        config = {"model": {"blocks": 12}, "training": TRAINING, "seed": 1}
        training_s = emoscope(
            "finetune",
            train=folder / "train.parquet",
            audit=folder / "corpus.json",
            base=folder / "base",
            config=json.dumps(config),
            checkpoints=folder / "work",
            output=folder / "model",
            history=folder / "training.json",
        )
        prediction_s = emoscope(
            "predict",
            model=folder / "model",
            train=folder / "train.parquet",
            test=folder / "test.parquet",
            shard="1-of-1",
            config=json.dumps({"tokens_per_batch": 65_536}),
            output=folder / "predictions.parquet",
        )
        history = read_json(folder / "training.json")
        speed = TRAINING["epochs"] * history["tokens_per_epoch"] / history["seconds"]
        classifier, tokenizer = load_classifier(folder / "model")
        samples = sentences(min(SAMPLES, count), seed=2)
        reference = Reference(samples, mean_outputs(classifier, tokenizer, samples, 65_536))
        masks = masks_of(classifier, CONDITIONS, ["zero"], 1)

        def sweep() -> None:
            for block in range(len(blocks_of(classifier))):
                block_scores(classifier, tokenizer, samples, block, masks, reference, 65_536, CHECKS)

        sweep_s = min(seconds(sweep) for _ in range(2))
        here = predict_logits(classifier, tokenizer, samples[:64], 8192)
        there = predict_logits(classifier.cpu(), tokenizer, samples[:64], 8192)
    return {
        "rows": count,
        "finetune_s": round(training_s, 1),
        "finetune_of_which_training_s": history["seconds"],
        "finetune_tokens_per_s": round(speed),
        "finetune_of_bf16_ceiling": round(3 * operations * speed / limits["bf16_gflops"] / 1e9, 3),
        "short_trainings_tokens_per_s": {name: round(found) for name, found in speeds.items()},
        "predict_s": round(prediction_s, 1),
        "masking_sweep_s": round(sweep_s, 2),
        "masking_samples": len(samples),
        "largest_logit_difference_to_cpu": float(np.abs(here - there).max()),
        "ceilings": limits,
    }


def short_training(model, tokenizer, texts, steps, scratch, **settings) -> float:
    """Real tokens per second over some steps; `settings` are a precision and attributes of TrainingArguments."""
    arguments = training_arguments({**TRAINING, **settings}, 0, model.config.hidden_size, scratch)
    arguments.max_steps, arguments.save_strategy = steps, "no"
    if settings.get("torch_compile"):  # only arguments that are being made derive the one from the other
        arguments.torch_compile, arguments.torch_compile_backend = True, "inductor"
    return tokens_per_second(trainer_of(model, tokenizer, rows_of(tokenizer, texts, [0] * len(texts)), arguments))


def texts_of(count: int, seed: int) -> pd.DataFrame:
    """A table of `count` labelled texts."""
    return pd.DataFrame({"id": range(count), "text": sentences(count, seed), "label": np.arange(count) % len(EMOTIONS)})


def emoscope(command: str, **options: object) -> float:
    """Seconds of one command, its start included."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    line = [sys.executable, "-m", "emoscope", command, *words]
    return seconds(lambda: subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
