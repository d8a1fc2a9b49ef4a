"""How cost grows with the number of texts: split, flip, predict and fine-tune with 1, 2, 4 and 8 times as many.

The fewest are 2,500, or less on a slow machine. Prints the exponent of the best power law through the medians; 1 is
proportional. Its plot: docs/growth.png.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from transformers import GPT2Config, GPT2ForSequenceClassification

from benchmarks.measuring import BUDGET, ROOT, seconds, sentences, side_by_side
from emoscope.data.split import split
from emoscope.experiments.flips.gender import flip_gender
from emoscope.models.logits import predict_logits
from emoscope.perturbation.lexicons import GenderLexicon
from emoscope.training.finetune import rows_of, trainer_of, training_arguments
from emoscope.training.start import train_tokenizer

ROWS, TIMES = 2500, (1, 2, 4, 8)
FEWEST = 100
RECIPE = {"epochs": 1, "batch_size": 32, "learning_rate": 1e-3, "weight_decay": 0.0, "schedule": "linear", "warmup": 0}


def measure() -> dict:
    texts = sentences(ROWS * max(TIMES))
    tokenizer = train_tokenizer(texts, {"vocabulary": 4000, "context": 128})
    lexicon = GenderLexicon.load(ROOT / "data" / "lexicons" / "gender.csv")
    torch.manual_seed(0)
    settings = {"n_embd": 96, "n_layer": 4, "n_head": 4, "n_positions": 128, "num_labels": 6}
    model = GPT2ForSequenceClassification(
        GPT2Config(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **settings)
    )
    flip_gender("he is", lexicon)  # the tagger loads once

    def routes(count: int) -> dict[str, Callable[[], object]]:
        some = texts[:count]
        table = pd.DataFrame({"id": range(count), "text": some, "label": np.arange(count) % 6})
        return {
            "split": lambda: split(table, "keep", "shuffled", 0.2, 10),
            "flip": lambda: [flip_gender(text, lexicon) for text in some],
            "predict": lambda: predict_logits(model.eval(), tokenizer, some, 8192),
            "fine-tune": lambda: train(model, tokenizer, some),
        }

    few = sum(seconds(work) for work in routes(FEWEST).values())
    least = fitting(few)
    rows = [least * times for times in TIMES]
    took: dict[str, list[float]] = {}
    for count, times in zip(rows, TIMES, strict=True):
        for name, found in side_by_side(routes(count), rounds=3, budget=BUDGET * times / sum(TIMES)).items():
            took.setdefault(name, []).append(found)
    draw(rows, took, ROOT / "docs" / "growth.png")
    return {
        "rows": rows,
        "seconds": {name: [round(one, 4) for one in found] for name, found in took.items()},
        "exponent": {name: round(float(exponent(rows, found)), 2) for name, found in took.items()},
    }


def fitting(few: float, budget: float = BUDGET) -> int:
    """How many texts to begin with, at most ROWS, so that one turn of all sizes fits into the budget in seconds where
    FEWEST take `few`: what they cost at the start is counted for each text, so more may fit, never less."""
    return min(ROWS, max(FEWEST, int(FEWEST * budget / (few * sum(TIMES)))))


def train(model: GPT2ForSequenceClassification, tokenizer: Callable, texts: list[str]) -> None:
    """One epoch."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = training_arguments({**RECIPE, "precision": "fp32"}, 0, 96, Path(scratch))
        settings.save_strategy = "no"
        trainer_of(model, tokenizer, rows_of(tokenizer, texts, [0] * len(texts)), settings).train()


def exponent(rows: Sequence[int], seconds: list[float]) -> float:
    """Slope of log seconds over log rows, by least squares."""
    return np.polyfit(np.log(rows), np.log(seconds), 1)[0]


def draw(rows: Sequence[int], took: dict[str, list[float]], path: Path) -> None:
    """Seconds over rows, both logarithmic, beside a proportional line."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, found in took.items():
        axes.loglog(rows, found, marker="o", label=f"{name}: rows to the power of {exponent(rows, found):.2f}")
    axes.loglog(rows, [0.01 * count / rows[0] for count in rows], color="0.7", linestyle="--", label="proportional")
    axes.set(xlabel="texts", ylabel="seconds", xticks=rows, xticklabels=[f"{count:,}" for count in rows])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
