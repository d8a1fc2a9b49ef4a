"""Memory of prediction: its peak over some rows and over four times as many, again and again up to three million where
the machine is fast enough, with a model so small that the rows decide it.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import GPT2Config, GPT2ForSequenceClassification

from benchmarks.measuring import BUDGET, sentences
from emoscope.data.class_names import EMOTIONS
from emoscope.training.start import train_tokenizer

CHUNK = 20_000
ROWS = (50_000, 200_000, 800_000, 3_200_000)


def measure(*rows: str) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = sentences(CHUNK)
        save_model(texts, folder / "model")
        found, took = {}, []
        for count in sorted(map(int, rows)) or ROWS:
            if not (rows or affordable(took)):
                break
            begun = time.perf_counter()
            found[count] = predicted(texts, count, folder)
            took.append(time.perf_counter() - begun)
    return {
        "peak_gb": {count: round(peak, 3) for count, (_, peak) in found.items()},
        "texts_per_s": {count: round(count / took) for count, (took, _) in found.items()},
    }


def affordable(took: list[float], budget: float = BUDGET) -> bool:
    """Whether four times the rows of the last call end within the budget, by the seconds that calls took so far; two
    calls are made anyway, since one would show nothing."""
    return len(took) < 2 or sum(took) + 4 * took[-1] <= budget


def save_model(texts: list[str], folder: Path) -> None:
    """A classifier with random weights and hardly any of them."""
    tokenizer = train_tokenizer(texts, {"vocabulary": 2000, "context": 128})
    names = dict(enumerate(EMOTIONS))
    settings = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=128,
        n_embd=16,
        n_layer=1,
        n_head=1,
        num_labels=len(names),
        id2label=names,
        pad_token_id=tokenizer.pad_token_id,
    )
    for part in (GPT2ForSequenceClassification(settings), tokenizer):
        part.save_pretrained(folder)


def predicted(texts: list[str], count: int, folder: Path) -> tuple[float, float]:
    """Seconds and peak memory, GB, of a job that predicts so many rows; call it with ever more of them."""
    write_rows(texts, count, folder / "train.parquet")
    write_rows(texts, 1, folder / "test.parquet")
    command = [sys.executable, "-m", "emoscope", "predict", "--model", folder / "model"]
    command += ["--train", folder / "train.parquet", "--test", folder / "test.parquet", "--shard", "1-of-1"]
    command += ["--config", json.dumps({"tokens_per_batch": 8192}), "--output", folder / "predictions.parquet"]
    start = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - start
    assert pq.ParquetFile(folder / "predictions.parquet").metadata.num_rows == count + 1
    return took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # of the largest child so far


def write_rows(texts: list[str], count: int, path: Path) -> None:
    """A training set of `count` rows, the texts over and over, written bit by bit."""
    chunk = pd.DataFrame({"id": range(len(texts)), "text": texts, "label": pd.array([0] * len(texts), dtype="int8")})
    with pq.ParquetWriter(path, pa.Schema.from_pandas(chunk, preserve_index=False)) as writer:
        for start in range(0, count, len(texts)):
            rows = chunk.head(count - start).assign(id=lambda rows, start=start: rows["id"] + start)
            writer.write_table(pa.Table.from_pandas(rows, preserve_index=False))
