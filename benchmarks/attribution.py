"""Integrated gradients of many texts, beside captum text by text: `python -m benchmarks attribution [MODEL TEXTS]`.

MODEL is a classifier's folder and TEXTS a parquet file with a column `text`; without them a model of MiniLM's size with
random weights and texts of the planted corpus: speed does not depend on weights. Both explain the most probable class
and, for itself, the CLASSES most probable ones, as the workflow does, in STEPS steps, no more, on the same texts, in
turns: captum takes a call for each class. It gets the model as transformers loads it (`captum`) and as emoscope does,
with products by oneDNN where these are the faster (`captum_on_ours`); weights need no gradients either way, so that it
is not slower for want of a line. Then the time of COUNT texts and one class, by emoscope: all of them if COUNT is
named, else fewer on a slow machine, which compares fewer anyway, so that all ends within some minutes; the JSON line
counts them.
"""

import math
import statistics
import time
from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification

from benchmarks.families import word_pieces
from benchmarks.measuring import BUDGET, as_loaded, seconds, sentences, turns
from emoscope.experiments.words.gradients import explain, padding_of
from emoscope.experiments.words.methods import SPECIAL
from emoscope.experiments.words.read_texts import Reading, read_texts
from emoscope.models.inside.integration import centred
from emoscope.models.loading import load_classifier
from emoscope.models.logits import predict_logits

COUNT, COMPARED, ROUNDS, STEPS, TOKENS = 1000, 24, 3, 50, 8192
CLASSES = 3  # of a text, as in config.yaml
FEWEST = 4  # texts that are compared on any machine
MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
Rows = Sequence[int]


def measure(model: str | None = None, texts: str | None = None, count: str | None = None) -> dict:
    from captum.attr import LayerIntegratedGradients

    most = int(count or COUNT)
    said = pd.read_parquet(texts)["text"].drop_duplicates().tolist() if texts else sentences(most)
    if model:
        ours, tokenizer = load_classifier(Path(model))
        plain = AutoModelForSequenceClassification.from_pretrained(model).eval()
    else:
        tokenizer = word_pieces(said, 8000)
        plain = BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer), num_labels=6, **MINILM)).eval()
        ours = as_loaded(deepcopy(plain), tokenizer)
    for network in (plain, ours):
        network.requires_grad_(False)
    readings = read_texts(tokenizer, said[:most])
    logits = predict_logits(ours, tokenizer, [one.text for one in readings], TOKENS)
    chosen = np.argsort(-logits, axis=1)[:, :CLASSES]

    def captum(network: torch.nn.Module, classes: int, rows: Rows) -> list[np.ndarray]:
        method = LayerIntegratedGradients(
            lambda ids: centred(network, network(input_ids=ids).logits), network.get_input_embeddings()
        )
        kinds = chosen[:, :classes]
        return [np.stack([one_text(method, readings[row], int(kind)) for kind in kinds[row]], -1) for row in rows]

    def one_text(method: LayerIntegratedGradients, reading: Reading, kind: int) -> np.ndarray:
        ids = torch.tensor([reading.inputs["input_ids"]])
        nothing = torch.where(torch.from_numpy(reading.owners == SPECIAL), ids, padding_of(ours))
        return method.attribute(ids, nothing, target=kind, n_steps=STEPS).sum(-1)[0].detach().numpy()

    def batched(classes: int, rows: Rows) -> list[np.ndarray]:
        some, kinds = [readings[row] for row in rows], chosen[list(rows), :classes]
        found = explain(ours, tokenizer, some, kinds, ["integrated_padding"], STEPS, TOKENS, tolerance=math.inf)
        return [one.scores["integrated_padding"] for one in found]

    tools = {"emoscope": batched, "captum": partial(captum, plain), "captum_on_ours": partial(captum, ours)}
    routes = {(name, classes): partial(tool, classes) for classes in (1, CLASSES) for name, tool in tools.items()}
    some = spread(len(readings), FEWEST)
    once = sum(seconds(partial(route, some)) for route in routes.values()) / len(some)
    few = spread(len(readings), fitting(ROUNDS * once, BUDGET / 2, COMPARED))
    times: dict[tuple[str, int], list[float]] = {name: [] for name in routes}
    found = {}
    for _ in turns(ROUNDS, BUDGET / 2):
        for name, route in routes.items():
            start = time.process_time()
            found[name] = route(few)
            times[name].append((time.process_time() - start) / len(few))
    each = seconds(partial(batched, 1, few)) / len(few)
    all_of_them = range(len(readings) if count else fitting(each, BUDGET / 2, len(readings)))
    start, cpu = time.perf_counter(), time.process_time()
    batched(1, all_of_them)
    return {
        "texts": len(all_of_them),
        "compared": len(few),
        "rounds": len(times["captum", 1]),
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "one_class": compared(times, 1),
        f"{CLASSES}_classes": compared(times, CLASSES),
        "largest_difference": max(
            float(np.abs(one - other).max())
            for classes in (1, CLASSES)
            for one, other in zip(found["emoscope", classes], found["captum", classes], strict=True)
        ),
        "threads": torch.get_num_threads(),
    }


def compared(times: dict[tuple[str, int], list[float]], classes: int) -> dict[str, float]:
    """The median milliseconds that each route takes for so many classes of a text, and how many times as long captum
    takes as emoscope, on either model."""
    each = {name: 1000 * statistics.median(values) for (name, count), values in times.items() if count == classes}
    found = {f"{name}_cpu_ms_per_text": round(value, 1) for name, value in each.items()}
    ratios = {"over_captum": "captum", "over_captum_on_our_model": "captum_on_ours"}
    return found | {title: round(each[name] / each["emoscope"], 2) for title, name in ratios.items()}


def fitting(each: float, budget: float, most: int) -> int:
    """How many texts fit into a budget at so many seconds each: FEWEST at least, unless there are not as many."""
    return min(most, max(FEWEST, int(budget / each)))


def spread(texts: int, count: int) -> Rows:
    """As many row numbers, evenly over all texts."""
    return range(0, texts, max(1, texts // count))[:count]
