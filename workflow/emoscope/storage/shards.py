"""Cutting tables into shares that separate jobs work on, and joining what several jobs have written."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from emoscope.storage.files import write_csv, write_table

CHUNK = 20_000  # rows in memory at a time: enough to sort by length, and little beside a model


def share_of(rows: int, shard: str) -> slice:
    """The slice of `rows` that shard `k-of-n` covers; shards are contiguous and differ by at most one row."""
    number, shards = map(int, shard.split("-of-"))
    return slice((number - 1) * rows // shards, number * rows // shards)


def shard_of(table: pd.DataFrame, shard: str) -> pd.DataFrame:
    """The rows of share `k-of-n` of a table."""
    return table.iloc[share_of(len(table), shard)]


def chunks_of(tables: list[Path], shard: str, chunk: int = CHUNK) -> Iterator[pd.DataFrame]:
    """Share `k-of-n` of the concatenation of parquet tables with the same columns, in chunks; at least one chunk."""
    files = [pq.ParquetFile(table) for table in tables]
    share = share_of(sum(file.metadata.num_rows for file in files), shard)
    if share.start == share.stop:
        yield files[0].schema_arrow.empty_table().to_pandas()
    seen = 0
    for file in files:
        for batch in file.iter_batches(batch_size=chunk):
            start, stop = max(share.start - seen, 0), min(share.stop - seen, batch.num_rows)
            if start < stop:
                yield batch.slice(start, stop - start).to_pandas()
            seen += batch.num_rows


def join_tables(tables: list[Path], output: Path) -> None:
    """Write the rows of several tables as one, in this order: parquet, or CSV, whose cells stay as they are written."""
    if output.suffix == ".csv":
        cells = (pd.read_csv(table, dtype=str, keep_default_na=False) for table in tables)
        write_csv(pd.concat(cells), output)
    else:
        write_table(pd.concat(map(pd.read_parquet, tables), ignore_index=True), output)
