"""Writing files so that a reader never sees half of one."""

import glob
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emoscope.errors import UserError

try:
    import fcntl
except ImportError:  # Windows itself, where `emoscope doctor` is to say what to do instead
    fcntl = None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`, for a file or a folder, that takes its place if the block succeeds.

    A folder is only ever replaced by a folder. What a killed process has left under such a name is removed; an error
    gets a note that names `path`.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            _remove(leftover)
        yield temporary
        if path.is_dir() and temporary.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    except BaseException as error:
        error.add_note(f"while writing {path}")
        _remove(temporary)
        raise


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as parquet, without its index, with checksums."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False, write_page_checksum=True)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, no index; a text that a spreadsheet would run as a formula gets a `'` in front."""
    with replacing(path) as temporary:
        table.map(_not_a_formula).to_csv(temporary, index=False)


def read_csv(path: Path) -> pd.DataFrame:
    """A table as `write_csv` has written it: only an empty cell is a gap, and a label may be called None or NA."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def write_tables(tables: Iterable[pd.DataFrame], path: Path) -> None:
    """Write tables with the same columns as one parquet file, one after another; at least one is needed."""
    with replacing(path) as temporary:
        tables = iter(tables)
        first = pa.Table.from_pandas(next(tables), preserve_index=False)
        with pq.ParquetWriter(temporary, first.schema, write_page_checksum=True) as writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(pa.Table.from_pandas(table, first.schema, preserve_index=False))


def write_text(text: str, path: Path) -> None:
    """Write a text as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(value: Any, path: Path) -> None:
    """Write indented JSON, UTF-8, keys in the order given; NaN is written as null."""
    write_text(json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def occupy(folder: Path) -> IO:
    """Keep other processes out of a folder until the returned file is closed or this process ends.

    UserError if another process is at work in there. Where system or disk know no locks, nobody is kept out, and a line
    says so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            raise OSError("this system has none")
    except BlockingIOError:
        raise UserError(f"{folder}: another process is at work in it; wait for it or end it, then run again") from None
    except OSError as error:
        print(f"{folder}: no locks here ({error}); see to it that no other job works in it", file=sys.stderr)
    return lock


def remove_if_left(folder: Path) -> bool:
    """Remove a folder that was occupied and is no longer, and say whether; where there are no locks, nobody knows."""
    if not fcntl:
        return False
    try:
        with (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until it is gone
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # never occupied, still occupied, or not to be known
        return False
    return not folder.exists()


def _not_a_formula(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        try:
            float(value)
        except ValueError:
            return "'" + value
    return value


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value
