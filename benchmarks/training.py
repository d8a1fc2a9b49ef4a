"""Fine-tuning: emoscope beside the paper's recipe and a plain Trainer, at GPT-2 small's size, in real tokens/s.

The paper's recipe pads every text to 1,024 tokens and trains 16 of them a step in fp32; the plain Trainer pads each
random batch of 16 to its longest text, in fp32. Both run in the transformers Trainer, as emoscope does. A step's time
counts everything the Trainer does in it; the first step of each round does not count. A slow machine takes fewer texts
in a step of the paper's recipe, and fewer rounds.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

from benchmarks.measuring import as_loaded, ceilings, gpt2_small, operations_per_token, sentences, synchronise, turns
from emoscope.training.finetune import rows_of, trainer_of, training_arguments

RECIPE = {"epochs": 1, "batch_size": 64, "learning_rate": 8e-5, "weight_decay": 0.01, "schedule": "linear", "warmup": 0}
ROUNDS = 3
PAPER_SECONDS = 60.0  # at most, for the two steps of the paper's recipe in a round, were half the ceiling reached


class Watch(TrainerCallback):
    """Seconds of every step, and tokens of every batch: real and padded."""

    def __init__(self, collate: Callable) -> None:
        self.collate, self.steps, self.batches = collate, [], []

    def __call__(self, rows: list[dict]) -> dict[str, torch.Tensor]:
        batch = self.collate(rows)
        self.batches.append((int(batch["attention_mask"].sum()), batch["attention_mask"].numel()))
        return batch

    def on_step_begin(self, *_, **__) -> None:
        synchronise()
        self.start = time.perf_counter()

    def on_step_end(self, *_, **__) -> None:
        synchronise()
        self.steps.append(time.perf_counter() - self.start)


def tokens_per_second(trainer: Trainer, batches_per_step: int = 1) -> float:
    """Real tokens per second of a short training, its first step left out."""
    watch = Watch(trainer.data_collator)
    trainer.data_collator = watch
    trainer.add_callback(watch)
    trainer.train()
    real = [tokens for tokens, _ in watch.batches]
    counted = real[batches_per_step : batches_per_step * len(watch.steps)]
    return sum(counted) / sum(watch.steps[1:])


def measure() -> dict:
    model, tokenizer = gpt2_small()
    own = as_loaded(model, tokenizer)
    texts = sentences(20_000)
    rows = rows_of(tokenizer, texts, [0] * len(texts))
    operations, limits = operations_per_token(model, passes=3), [ceilings()]
    a_batch = 4 * 1024 * operations / (0.5 * limits[0]["fp32_gflops"] * 1e9)  # seconds for 4 texts of 1,024 tokens
    batches = min(4, max(1, int(PAPER_SECONDS / (2 * a_batch))))
    with tempfile.TemporaryDirectory() as scratch:

        def authors(**settings: object) -> TrainingArguments:
            return TrainingArguments(
                output_dir=scratch, learning_rate=2e-5, report_to=[], save_strategy="no", **settings
            )

        def paper() -> float:
            collate = DataCollatorWithPadding(tokenizer, padding="max_length", max_length=1024)
            settings = authors(max_steps=2, per_device_train_batch_size=4, gradient_accumulation_steps=batches)
            return tokens_per_second(Trainer(model, settings, collate, rows), batches_per_step=batches)

        def plain() -> float:
            settings = authors(max_steps=9, per_device_train_batch_size=16)
            return tokens_per_second(Trainer(model, settings, DataCollatorWithPadding(tokenizer), rows))

        def ours() -> float:
            settings = training_arguments({**RECIPE, "precision": "auto"}, 0, model.config.hidden_size, Path(scratch))
            settings.max_steps, settings.save_strategy = 7, "no"
            return tokens_per_second(trainer_of(own, tokenizer, rows, settings))

        settings = training_arguments({**RECIPE, "precision": "auto"}, 0, model.config.hidden_size, Path(scratch))
        loader = trainer_of(own, tokenizer, rows, settings).get_train_dataloader()
        padded = [(int(batch["attention_mask"].sum()), batch["attention_mask"].numel()) for batch in loader]
        speeds: dict[str, list[float]] = {"paper": [], "plain": [], "emoscope": []}
        for _ in turns(ROUNDS):
            limits.append(ceilings())
            for name, route in zip(speeds, (paper, plain, ours), strict=True):
                speeds[name].append(route())
    rate = {name: statistics.median(found) for name, found in speeds.items()}
    best = {name: max(limit[name] for limit in limits) for name in limits[0]}
    return {
        "tokens_per_s": {name: round(found, 1) for name, found in rate.items()},
        "over_paper": round(rate["emoscope"] / rate["paper"], 1),
        "over_plain": round(rate["emoscope"] / rate["plain"], 2),
        "of_bf16_ceiling": round(rate["emoscope"] * operations / best["bf16_gflops"] / 1e9, 3),
        "rounds": len(speeds["paper"]),
        "texts_in_a_step_of_the_paper": 4 * batches,
        "padding": round(1 - sum(real for real, _ in padded) / sum(all_ for _, all_ in padded), 4),
        "precision": "bf16" if settings.bf16 else "fp32",
        "mean_tokens": round(sum(len(row["input_ids"]) for row in rows) / len(rows), 1),
        "ceilings": best,
    }
