"""Writing files so that a reader never sees half of one."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`, for a file or a folder, that takes its place if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        temporary.unlink(missing_ok=True)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as parquet, without its index."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def write_tables(tables: Iterable[pd.DataFrame], path: Path) -> None:
    """Write tables with the same columns as one parquet file, one after another; at least one is needed."""
    with replacing(path) as temporary:
        tables = iter(tables)
        first = pa.Table.from_pandas(next(tables), preserve_index=False)
        with pq.ParquetWriter(temporary, first.schema) as writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(pa.Table.from_pandas(table, first.schema, preserve_index=False))


def write_json(value: Any, path: Path) -> None:
    """Write indented JSON, UTF-8, keys in the order given; NaN is written as null."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value
