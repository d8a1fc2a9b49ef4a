"""What every prompt says of every task's test texts, and what a composite head and padding change about that."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from emoscope.models.language_models import load_language_model
from emoscope.storage.files import read_json, write_table
from emoscope.storage.names import ALL
from emoscope.writeups.prompting.soft_prompts import (
    TOKENS_PER_BATCH,
    SoftPrompt,
    Texts,
    composite_logits,
    load_prompts,
    logits_of,
    save_means,
)
from emoscope.writeups.prompting.training import GIGABYTE, check_context


def score_prompts(
    model: Path,
    tests: list[Path],
    about: list[Path],
    prompts: list[Path],
    config: dict,
    scores: Path,
    checks: Path,
    means: Path,
) -> None:
    """Write the logits of every prompt on every task's test texts, and what a composite head and padding change.

    Also the `means` of every task's texts for a probe.

    `tests`, `about` and `prompts` list the tasks in the same order. Scores have columns `texts` (the task they are
    from), `id`, `task`, `label` and `epochs` of the prompt, `class` and `logit`. Checks, for `checked_texts` of each
    task, have `texts`, `id`, `check`, `moved` and `flipped`; see `composite_moves` and `padding_moves`.
    """
    language_model, tokenizer = load_language_model(model)
    check_context(language_model, config)
    tasks = [read_json(path) for path in about]
    asked: dict[tuple[str, str, int], SoftPrompt] = {}
    for task, path in zip(tasks, prompts, strict=True):
        for name, prompt in load_prompts(path, language_model.device).items():
            label, _, epochs = name.rpartition("/")
            asked[task["name"], label, int(epochs)] = prompt
    classes = {task["name"]: task["classes"] for task in tasks}
    parts, moves, read = [], [], {}
    for task, path in zip(tasks, tests, strict=True):
        table = pd.read_parquet(path)
        budget = config["cache_gb"] * GIGABYTE
        texts = Texts(language_model, tokenizer, table["text"], config["max_tokens"], budget)
        logits = score(texts, list(asked.values()), f"score {task['name']}")
        read[task["name"]] = texts.means()
        for (name, label, epochs), found in zip(asked, logits, strict=True):
            parts.append(
                pd.DataFrame({
                    "texts": task["name"], "id": np.repeat(table["id"].to_numpy(), found.shape[1]),
                    "task": name, "label": label, "epochs": epochs,
                    "class": np.tile(classes[name] if label == ALL else [f"not {label}", label], len(table)),
                    "logit": found.ravel(),
                })
            )  # fmt: skip
        rows = np.linspace(0, len(texts) - 1, min(config["checked_texts"], len(texts))).astype(int).tolist()
        prompt = asked[task["name"], ALL, max(config["epochs"])]
        composite = composite_moves(texts, rows, list(asked.values()), logits)
        found = [padding_moves(texts, rows, prompt, task["kind"], explicit) for explicit in (True, False)]
        found.append(pd.DataFrame({"check": "composite head", "id": rows, "moved": composite, "flipped": False}))
        moves.append(pd.concat(found).assign(texts=task["name"]))
    write_table(pd.concat(parts, ignore_index=True), scores)
    write_table(pd.concat(moves, ignore_index=True), checks)
    save_means(read, means)


@torch.inference_mode()
def score(texts: Texts, prompts: list[SoftPrompt], description: str) -> list[np.ndarray]:
    """Logits of each prompt behind every text, float32 (texts, its outputs), in the order of the texts."""
    logits = [np.empty((len(texts), len(prompt.bias)), np.float32) for prompt in prompts]
    with tqdm(total=len(texts), desc=description, unit="text", mininterval=2) as progress:
        for rows in texts.batches(range(len(texts))):
            states = texts.states(rows)
            for found, prompt in zip(logits, prompts, strict=True):
                found[rows] = logits_of(texts.model, states, prompt).cpu()
            progress.update(len(rows))
    return logits


@torch.inference_mode()
def composite_moves(texts: Texts, rows: list[int], prompts: list[SoftPrompt], logits: list[np.ndarray]) -> np.ndarray:
    """Largest change of any logit of each text, (rows,), when all prompts are asked in one batch through one head."""
    moved = np.zeros(len(rows))
    for places in texts.batches(rows, TOKENS_PER_BATCH // len(prompts)):
        chosen = [rows[place] for place in places]
        joined = composite_logits(texts.model, texts.states(chosen), prompts)
        for alone, composite in zip(logits, joined, strict=True):
            change = np.abs(composite.cpu().numpy() - alone[chosen]).max(axis=1)
            moved[places] = np.maximum(moved[places], change)
    return moved


@torch.inference_mode()
def padding_moves(texts: Texts, rows: list[int], prompt: SoftPrompt, kind: str, explicit: bool) -> pd.DataFrame:
    """How far outputs move when texts share a batch with a much longer one instead of with others of their length.

    Without `explicit` positions the prompt stands where the write-up's code put it: behind the padding. `moved` is the
    largest change of a logit, `flipped` whether the predicted class, or any predicted label, is another.
    """
    lengths = np.array([len(ids) for ids in texts.ids])
    rows = sorted(rows, key=lambda row: lengths[row])

    def logits(beside: list[int]) -> np.ndarray:
        batches = [rows[start : start + 8] for start in range(0, len(rows), 8)]
        found = [logits_of(texts.model, texts.states(batch + beside), prompt, explicit) for batch in batches]
        return torch.cat([part[: len(batch)] for part, batch in zip(found, batches, strict=True)]).cpu().numpy()

    near, far = logits([]), logits([int(lengths.argmax())])
    before, after = (found.argmax(axis=1) if kind == "single" else found > 0 for found in (near, far))
    return pd.DataFrame({
        "check": "explicit positions" if explicit else "implicit positions",
        "id": rows,
        "moved": np.abs(near - far).max(axis=1),
        "flipped": (before != after).reshape(len(rows), -1).any(axis=1),
    })  # fmt: skip
