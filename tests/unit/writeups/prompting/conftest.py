"""Summaries of made-up prompts; a prompt, and texts for it, of small random models."""

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.storage.files import write_json
from emoscope.writeups.prompting.soft_prompts import SoftPrompt, Texts, new_prompt
from emoscope.writeups.prompting.summarise import summarise_prompting
from random_models import TEXTS


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """Two tasks of 80 texts: the prompts of `mood` answer by the truth, with some noise; so do those of `size`."""
    folder, rng = tmp_path_factory.mktemp("prompting"), np.random.default_rng(0)
    joy, fear = rng.random(80) < 0.5, rng.random(80) < 0.3
    good = joy & ~fear
    known = {
        "mood": ("multiple", ["joy", "fear"], np.column_stack([joy, fear]), "joy"),
        "view": ("single", ["bad", "good"], np.column_stack([~good, good]), None),
    }
    scores, cheap = [], []
    for texts, (kind, classes, truth, alone) in known.items():
        table = pd.DataFrame({"id": range(80), "text": [f"text {row}" for row in range(80)]})
        table[[f"is_{name}" for name in classes]] = truth.astype("int8")
        table[["planted_joy", "planted_fear", "planted_good"]] = np.column_stack([joy, fear, good]).astype(float)
        table.to_parquet(folder / f"{texts}.parquet")
        rates = dict(zip(classes, truth.mean(axis=0).tolist(), strict=True))
        about = {
            "name": texts,
            "kind": kind,
            "classes": classes,
            "alone": alone,
            "source": "generated",
            "revision": None,
        }
        write_json(
            about | {"train_rows": 9, "test_rows": 80, "train_rates": rates, "leaked_test_rows": 0},
            folder / f"{texts}.json",
        )
        pd.DataFrame({"label": "all", "epoch": [1, 2], "loss": [0.9, 0.5], "seconds": [1, 2]}).to_csv(
            folder / f"{texts}.csv"
        )
        asked = [(task, "all", names, values) for task, (_, names, values, _) in known.items()]
        asked.append(("mood", "joy", ["not joy", "joy"], np.column_stack([~joy, joy])))
        for method, noise in {"constant": 0, "words": 1.5, "probe": 0.2, "random probe": 9}.items():
            logits = (4.0 * truth - 2) * (method != "constant") + rng.normal(size=truth.shape) * noise + [0.1, 0]
            own = {"id": np.repeat(range(80), 2), "method": method, "class": np.tile(classes, 80)}
            cheap.append(pd.DataFrame({"texts": texts, **own, "logit": logits.ravel()}))
        for task, label, names, values in asked:
            logits = 4.0 * values - 2 + rng.normal(size=values.shape) * (0.5 if label == "joy" else 1.5)
            scores.append(pd.DataFrame({
                "texts": texts, "id": np.repeat(range(80), 2), "task": task, "label": label, "epochs": 2,
                "class": np.tile(names, 80), "logit": logits.ravel(),
            }))  # fmt: skip
    pd.concat(scores).to_parquet(folder / "scores.parquet")
    pd.concat(cheap).to_parquet(folder / "baselines.parquet")
    pd.DataFrame({
        "texts": "mood", "id": 0, "check": ["composite head", "explicit positions", "implicit positions"],
        "moved": [1e-6, 2e-6, 0.7], "flipped": [False, False, True],
    }).to_parquet(folder / "checks.parquet")  # fmt: skip
    names = ("reports.parquet", "correlations.parquet", "alone.parquet", "compared.parquet", "history.csv")
    names += ("tasks.json", "findings.csv")
    outputs = {name.split(".")[0]: folder / f"out_{name}" for name in names}
    lists = {key: [folder / f"{task}.{end}" for task in known] for key, end in
             {"tests": "parquet", "about": "json", "histories": "csv"}.items()}  # fmt: skip
    statistics = {"resamples": 200, "confidence": 0.95, "margin": 0.02, "seed": 0}
    inputs = (folder / f"{name}.parquet" for name in ("scores", "baselines", "checks"))
    summarise_prompting(*inputs, statistics=statistics, **lists, **outputs)
    return outputs


@pytest.fixture
def texts(model, tokenizer):
    return Texts(model, tokenizer, TEXTS, max_tokens=30, budget=1e9)


@pytest.fixture
def prompt(model):
    torch.manual_seed(1)
    return SoftPrompt(*(part.detach() for part in new_prompt(model, tokens=5, outputs=3)))
