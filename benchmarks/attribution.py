"""Integrated gradients of many texts, beside captum text by text: `python -m benchmarks attribution [MODEL TEXTS]`.

MODEL is a classifier's folder and TEXTS a parquet file with a column `text`; without them a model of MiniLM's size with
random weights and texts of the planted corpus: speed does not depend on weights. Both explain the most probable class
in STEPS steps, no more, on the same texts, in turns. captum gets the model as transformers loads it and, apart from
that, as emoscope does, with products by oneDNN and weights that need no gradients. Then the time of COUNT texts, by
emoscope. A slow machine compares and explains fewer, so that all ends within some minutes; the JSON line counts them.
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
from emoscope.experiments.words.readings import Reading, read_texts
from emoscope.models.inside.integration import centred
from emoscope.models.loading import load_classifier
from emoscope.models.logits import predict_logits

COUNT, COMPARED, ROUNDS, STEPS, TOKENS = 1000, 24, 3, 50, 8192
FEWEST = 4  # texts that are compared on any machine
MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
Rows = Sequence[int]


def measure(model: str | None = None, texts: str | None = None, count: str = str(COUNT)) -> dict:
    from captum.attr import LayerIntegratedGradients

    said = pd.read_parquet(texts)["text"].drop_duplicates().tolist() if texts else sentences(int(count))
    if model:
        ours, tokenizer = load_classifier(Path(model))
        plain = AutoModelForSequenceClassification.from_pretrained(model).eval()
    else:
        tokenizer = word_pieces(said, 8000)
        plain = BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer), num_labels=6, **MINILM)).eval()
        ours = as_loaded(deepcopy(plain), tokenizer)
    ours.requires_grad_(False)
    readings = read_texts(tokenizer, said[: int(count)])
    chosen = predict_logits(ours, tokenizer, [one.text for one in readings], TOKENS).argmax(axis=1)[:, None]

    def captum(network: torch.nn.Module, rows: Rows) -> list[np.ndarray]:
        method = LayerIntegratedGradients(
            lambda ids: centred(network, network(input_ids=ids).logits), network.get_input_embeddings()
        )
        return [one_text(method, readings[row], int(chosen[row, 0])) for row in rows]

    def one_text(method: LayerIntegratedGradients, reading: Reading, kind: int) -> np.ndarray:
        ids = torch.tensor([reading.inputs["input_ids"]])
        nothing = torch.where(torch.from_numpy(reading.owners == SPECIAL), ids, padding_of(ours))
        return method.attribute(ids, nothing, target=kind, n_steps=STEPS).sum(-1)[0].detach().numpy()

    def batched(rows: Rows) -> list[np.ndarray]:
        some, kinds = [readings[row] for row in rows], chosen[list(rows)]
        found = explain(ours, tokenizer, some, kinds, ["integrated_padding"], STEPS, TOKENS, tolerance=math.inf)
        return [one.scores["integrated_padding"][:, 0] for one in found]

    routes = {"emoscope": batched, "captum": partial(captum, plain), "captum_on_ours": partial(captum, ours)}
    some = spread(len(readings), FEWEST)
    once = sum(seconds(partial(route, some)) for route in routes.values()) / len(some)
    few = spread(len(readings), fitting(ROUNDS * once, BUDGET / 2, COMPARED))
    times: dict[str, list[float]] = {name: [] for name in routes}
    found = {}
    for _ in turns(ROUNDS, BUDGET / 2):
        for name, route in routes.items():
            start = time.process_time()
            found[name] = route(few)
            times[name].append((time.process_time() - start) / len(few))
    each = {name: statistics.median(values) for name, values in times.items()}
    all_of_them = range(fitting(seconds(partial(batched, few)) / len(few), BUDGET / 2, len(readings)))
    start, cpu = time.perf_counter(), time.process_time()
    batched(all_of_them)
    return {
        "texts": len(all_of_them),
        "compared": len(few),
        "rounds": len(times["captum"]),
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "cpu_ms_per_text": {name: round(1000 * value, 1) for name, value in each.items()},
        "over_captum": round(each["captum"] / each["emoscope"], 2),
        "over_captum_on_our_model": round(each["captum_on_ours"] / each["emoscope"], 2),
        "largest_difference": max(
            float(np.abs(one - other).max()) for one, other in zip(found["emoscope"], found["captum"], strict=True)
        ),
        "threads": torch.get_num_threads(),
    }


def fitting(each: float, budget: float, most: int) -> int:
    """How many texts fit into a budget at so many seconds each: FEWEST at least, unless there are not as many."""
    return min(most, max(FEWEST, int(budget / each)))


def spread(texts: int, count: int) -> Rows:
    """As many row numbers, evenly over all texts."""
    return range(0, texts, max(1, texts // count))[:count]
