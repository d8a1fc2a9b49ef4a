"""Memory of prediction: its peak over a million rows and over four, with a model so small that the rows decide it."""

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

from benchmarks.measuring import sentences
from emoscope.data.planted import EMOTIONS
from emoscope.training.finetune import train_tokenizer

CHUNK = 20_000


def measure(*rows: str) -> dict:
    peaks, speeds = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = sentences(CHUNK)
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
            part.save_pretrained(folder / "model")
        for count in sorted(map(int, rows or ("1000000", "4000000"))):  # ru_maxrss: the largest child so far
            write_rows(texts, count, folder / "train.parquet")
            write_rows(texts, 1, folder / "test.parquet")
            command = [sys.executable, "-m", "emoscope", "predict", "--model", folder / "model"]
            command += ["--train", folder / "train.parquet", "--test", folder / "test.parquet", "--shard", "1-of-1"]
            command += ["--config", json.dumps({"tokens_per_batch": 8192}), "--output", folder / "predictions.parquet"]
            start = time.perf_counter()
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
            speeds[count] = round(count / (time.perf_counter() - start))
            peaks[count] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6, 3)
            assert pq.ParquetFile(folder / "predictions.parquet").metadata.num_rows == count + 1
    return {"peak_gb": peaks, "texts_per_s": speeds}


def write_rows(texts: list[str], count: int, path: Path) -> None:
    """A training set of `count` rows, the texts over and over, written bit by bit."""
    chunk = pd.DataFrame({"id": range(len(texts)), "text": texts, "label": pd.array([0] * len(texts), dtype="int8")})
    with pq.ParquetWriter(path, pa.Schema.from_pandas(chunk, preserve_index=False)) as writer:
        for start in range(0, count, len(texts)):
            rows = chunk.head(count - start).assign(id=lambda rows, start=start: rows["id"] + start)
            writer.write_table(pa.Table.from_pandas(rows, preserve_index=False))
