"""The benchmark of masks: its bound is what must run, and it ends in time."""

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2ForSequenceClassification
from transformers.pytorch_utils import Conv1D

from benchmarks import masking
from emoscope.data.class_names import EMOTIONS
from emoscope.experiments.masking.masks import masks_of
from emoscope.experiments.masking.measure import block_scores
from emoscope.experiments.masking.reference import Reference, mean_outputs
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.parts import blocks_of
from emoscope.training.start import train_tokenizer

TEXTS = masking.sentences(24)


def narrow(layers: int = 12, heads: int = 12):
    """GPT-2 small, but narrow."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(TEXTS, {"vocabulary": 300, "context": 64})
    sizes = {
        "n_embd": 48,
        "n_layer": layers,
        "n_head": heads,
        "vocab_size": len(tokenizer),
        "n_positions": 64,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = GPT2Config(num_labels=len(EMOTIONS), id2label=dict(enumerate(EMOTIONS)), **sizes)
    return GPT2ForSequenceClassification(config).eval(), tokenizer


def test_the_products_that_remain_are_nearly_those_that_run(monkeypatch):
    """Each of them runs; what runs beside them is less than a tenth: an unmasked run for each block in place of one for
    all, projections whole, and the last block's queries."""
    model, tokenizer = narrow()
    reference = Reference(TEXTS[:4], mean_outputs(model, tokenizer, TEXTS[:4], 8192))
    masks = masks_of(model, masking.CONDITIONS, ["zero"], 1)
    ran, plain, within = 0, Conv1D.forward, {id(part) for part in blocks_of(model).modules()}

    def counted(module: nn.Module, values: torch.Tensor) -> torch.Tensor:
        nonlocal ran
        ran += values[..., 0].numel() * module.weight.numel() * (id(module) in within)
        return plain(module, values)

    monkeypatch.setattr(Conv1D, "forward", counted)
    for block in masking.BLOCKS:
        block_scores(model, tokenizer, TEXTS, block, masks, reference, 8192, CHECKS)
    batches = masking.batches(tokenizer, TEXTS)
    shapes = [shape for batch in batches for shape in masking.remaining(model, masks, *batch)]
    assert sum(texts for _, texts in batches) == len(TEXTS)
    assert 1 < ran / sum(rows * inputs * outputs for rows, inputs, outputs in shapes) < 1.1


@pytest.mark.parametrize(("budget", "texts"), [(0.0, 16), (1e6, 18)])
def test_it_sizes_itself(monkeypatch, budget, texts):
    settings = {"BUDGET": budget, "MOST_TEXTS": 18, "MOST_ROUNDS": 1, "BLOCKS": (0, 2), "REFERENCE": 4}
    for name, value in {"gpt2_small": lambda: narrow(layers=3, heads=2), "ceilings": dict, **settings}.items():
        monkeypatch.setattr(masking, name, value)
    found = masking.measure()
    assert found["texts"] == texts
    each = found["ms_per_text_and_variant"]
    assert {"emoscope", "resampling", "authors"} <= set(each) and min(each.values()) > 0
    assert found["over_authors"] == pytest.approx(each["authors"] / each["emoscope"], rel=0.2, abs=0.1)
    assert found["products_alone_ms"] <= each["emoscope"]


@pytest.mark.parametrize(("seconds", "rounds"), [(1.0, 3), (60.0, 2), (100.0, 1)])
def test_rounds_stop_before_they_would_outlast_their_time(monkeypatch, seconds, rounds):
    clock, done = [0.0], []
    monkeypatch.setattr(masking.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(masking, "seconds", lambda route: route())

    def route() -> float:
        clock[0] += seconds
        done.append(seconds)
        return seconds

    assert masking.in_turns({"one": (route, 4)}) == {"one": seconds / 4}
    assert len(done) == rounds
