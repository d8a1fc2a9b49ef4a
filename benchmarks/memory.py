"""Memory of prediction: its peak over some rows and over four times as many, a million and four where the machine is
fast enough, with a model so small that the rows decide it.
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
MOST = 1_000_000


def measure(*rows: str) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = sentences(CHUNK)
        save_model(texts, folder / "model")
        counts = sorted(map(int, rows)) or fitting(predicted(texts, CHUNK, folder)[0], predicted(texts, 1, folder)[0])
        found = {count: predicted(texts, count, folder) for count in counts}
    return {
        "peak_gb": {count: round(peak, 3) for count, (_, peak) in found.items()},
        "texts_per_s": {count: round(count / took) for count, (took, _) in found.items()},
    }


def fitting(chunk: float, start: float, budget: float = BUDGET) -> list[int]:
    """How many rows, and four times as many, are predicted within the budget in seconds, where CHUNK of them take
    `chunk` and one takes `start`: whole chunks, at least two, at most MOST rows."""
    each = max(chunk - start, 1e-3)
    chunks = int((budget - 2 * start) / (5 * each))
    some = CHUNK * min(max(chunks, 2), MOST // CHUNK)
    return [some, 4 * some]


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
