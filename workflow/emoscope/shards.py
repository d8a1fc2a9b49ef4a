"""Cutting a table into shares that separate jobs work on, and putting the shares together again."""

from pathlib import Path

import pandas as pd

from emoscope.files import write_table


def shard_of(table: pd.DataFrame, shard: str) -> pd.DataFrame:
    """The rows of share `k-of-n`. Their sizes differ by one at most; one behind the other, all n are the table."""
    number, shards = map(int, shard.split("-of-"))
    return table.iloc[(number - 1) * len(table) // shards : number * len(table) // shards]


def join_shards(shards: list[Path], output: Path) -> None:
    """Write the tables of all shares, one behind the other."""
    write_table(pd.concat(map(pd.read_parquet, shards), ignore_index=True), output)
