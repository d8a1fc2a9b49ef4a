"""What the benchmarks share: the machine and its ceilings, timing side by side, and a model of GPT-2 small's size."""

import itertools
import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats
from transformers import GPT2Config, GPT2ForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.corpus import generate
from emoscope.models.loading import device, load_classifier
from emoscope.models.onednn import use_onednn
from emoscope.models.parts import blocks_of
from emoscope.storage.files import write_json
from emoscope.storage.provenance import commit
from emoscope.training.finetune import finetune
from emoscope.training.start import train_tokenizer

ROOT = Path(__file__).parents[1]
BUDGET = 200.0  # seconds for what a benchmark repeats, of the five minutes that each has on any machine
CEILING = 5.0  # seconds for one kind of product: without native bf16 a single one may take some


def synchronise() -> None:
    """Wait for the GPU, if there is one, so that a clock sees all the work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    synchronise()
    start = time.perf_counter()
    work()
    synchronise()
    return time.perf_counter() - start


def turns(most: int, budget: float = BUDGET) -> Iterator[int]:
    """Numbers of turns, at least one and at most `most`: another is taken only if, should it last as long as the
    longest so far, all of them end within `budget` seconds."""
    start, longest = time.perf_counter(), 0.0
    for number in range(most):
        began = time.perf_counter()
        if number and began - start + longest > budget:
            return
        yield number
        longest = max(longest, time.perf_counter() - began)


def side_by_side(routes: dict[str, Callable[[], object]], rounds: int, budget: float = BUDGET) -> dict[str, float]:
    """Median seconds of each route, called in turns so that a slow minute of the machine meets all of them.

    One round before those that count warms caches and kernels up; where the budget allows no other, it counts.
    """
    times: dict[str, list[float]] = {name: [] for name in routes}
    for _ in turns(rounds + 1, budget):
        for name, work in routes.items():
            times[name].append(seconds(work))
    return {name: statistics.median(each[1:] or each) for name, each in times.items()}


def student_interval(values: np.ndarray) -> tuple[float, float, float]:
    """A mean over seeds or models, with the 95 % interval of Student's t; NaN bounds for one value."""
    if len(values) < 2:
        return float(values.mean()), np.nan, np.nan
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def ceilings() -> dict[str, float]:
    """The best rates of a large matrix product, 1e9 operations/s, and of a copy, 1e9 bytes read and written/s.

    In fp32 the better of torch's own product and of oneDNN's counts.
    """
    size = 8192 if device().type == "cuda" else 3072
    rates = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        rows = torch.randn(size, size, device=device()).to(dtype)
        square = torch.nn.Linear(size, size, bias=False, device=device(), dtype=dtype)
        with torch.inference_mode():
            took = [seconds(lambda: square(rows)) for _ in turns(5, CEILING)]  # noqa: B023
            use_onednn(square)
            took += [seconds(lambda: square(rows)) for _ in turns(5, CEILING)]  # noqa: B023
        rates[f"{name}_gflops"] = 2 * size**3 / min(took) / 1e9
    source = torch.ones(2**28, dtype=torch.uint8, device=device())
    target = torch.empty_like(source)
    rates["copy_gb_per_s"] = 2 * source.numel() / min(seconds(lambda: target.copy_(source)) for _ in range(9)) / 1e9
    return {name: round(rate, 1) for name, rate in rates.items()}


def machine() -> dict[str, object]:
    """Where and on which code a benchmark ran."""
    return {
        "commit": commit() or "unknown",
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
    }


def clone_of(commit: str, folder: Path) -> Path:
    """This repository at a commit, in a new folder inside `folder`."""
    clone = folder / "emoscope"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "checkout", "--quiet", commit], cwd=clone, check=True)
    return clone


def processor() -> str:
    """The processor's name, with what it has for bf16."""
    try:
        name = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        name = platform.processor() or platform.machine()
    native = {
        "AMX": torch.cpu._is_amx_tile_supported(),
        "AVX-512 bf16": torch.cpu._is_avx512_bf16_supported(),
    }
    return ", ".join([name, *(feature for feature, there in native.items() if there)])


def sentences(count: int, seed: int = 1) -> list[str]:
    """Texts of the planted corpus; more than it can make without repeating come round again."""
    made = generate(rows=min(count, 20_000), seed=seed)[0]["text"]
    return list(itertools.islice(itertools.cycle(made), count))


def gpt2_small() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A classifier of GPT-2 small's size with random weights, and a tokenizer for the planted corpus.

    The vocabulary is GPT-2's in size (it decides what the optimiser costs), the tokenizer uses a part of it.
    """
    torch.manual_seed(0)
    tokenizer = train_tokenizer(sentences(20_000), {"vocabulary": 8000, "context": 1024})
    names = {"id2label": dict(enumerate(EMOTIONS)), "label2id": {name: place for place, name in enumerate(EMOTIONS)}}
    settings = GPT2Config(num_labels=len(EMOTIONS), pad_token_id=tokenizer.pad_token_id, **names)
    return GPT2ForSequenceClassification(settings).to(device()).eval(), tokenizer


def trained(train: pd.DataFrame, config: dict, folder: Path) -> Path:
    """The folder of a model that `finetune` makes of its `config` (model, training, seed) and texts that are labelled
    with EMOTIONS, inside an empty `folder`."""
    texts, audit, model = folder / "train.parquet", folder / "corpus.json", folder / "model"
    train.to_parquet(texts)
    write_json({"classes": list(EMOTIONS)}, audit)
    finetune(texts, audit, [], config, folder / "work", model, folder / "training.json")
    return model


def as_loaded(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """The same classifier as emoscope's commands would load it."""
    with tempfile.TemporaryDirectory() as folder:
        for part in (model, tokenizer):
            part.save_pretrained(folder)
        return load_classifier(Path(folder))[0]


def operations_per_token(model: PreTrainedModel, passes: int = 1) -> float:
    """2 x the parameters in the blocks for a forward pass; training takes three such `passes`."""
    return 2 * passes * sum(weight.numel() for weight in blocks_of(model).parameters())
