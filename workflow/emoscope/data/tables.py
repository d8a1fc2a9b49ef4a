"""Tables of strangers: CSV and parquet files, or folders of them, read to the letter or refused with file and place."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pandas as pd
from pyarrow.dataset import dataset
from pyarrow.parquet import read_schema

from emoscope.data.plain_text import check_utf8, files_in
from emoscope.errors import UserError, first_line
from emoscope.storage.rows import LAYOUTS, LINE_BREAK, QUOTING, rows_of

INDEX = re.compile("__index_level_\\d+__$")  # how pandas keeps row names in parquet files
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def load_table(path: Path, kind: str, **options) -> pd.DataFrame:
    """Read a file of a kind (csv, tsv, parquet), or a folder of such files as Spark writes them.

    `options` are those of `read_csv`; quotation marks in TSV files are plain characters.
    The index says where each row stands, for messages.
    """
    if kind != "parquet":
        files = files_in(path, f"*.{kind}") if path.is_dir() else [path]
        if not files:
            raise UserError(f"{path}: no .{kind} files in this folder; give a {kind.upper()} file or a folder of them")
        options = options | LAYOUTS[kind]
        tables = {file: read_csv(file, **options) for file in files}
        _require_one_header({file: list(table) for file, table in tables.items()})
        return pd.concat(tables.values())
    try:
        if path.is_dir():
            files = sorted(map(Path, dataset(path, format="parquet").files))
            _require_one_header({file: read_schema(file).names for file in files})
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a parquet file: {first_line(error)}") from None
    return table.set_axis([f"{path}: row {row}" for row in range(len(table))])


def _require_one_header(columns: Mapping[Path, Sequence[str]]) -> None:
    """UserError for the first file that has other columns than the one before, whatever their order: where they are
    joined, rows of it would lack their labels, for one."""
    names = {file: {name for name in own if not INDEX.match(name)} for file, own in columns.items()}
    for before, file in pairwise(names):
        if apart := sorted(names[before] ^ names[file]):
            raise UserError(
                f"{file}: only one of this file and {before.name} has a column {apart[0]!r}; give all files of a "
                "folder the same ones"
            )


def read_csv(path: Path, separator: str = ",", quoted: bool = True, names: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV file, every cell as text. `names` are those of its columns if it has no header.

    A row has the number that a spreadsheet shows: blank rows count, and a text of several lines is one row. UserError
    for a quotation mark that is never closed, for text behind a closing one, and for rows of another width.
    """
    check_utf8(path)
    records = rows_of(path, separator, quoted)
    columns = list(names) or next((cells for _, _, cells in records), None)
    if columns is None:
        raise UserError(f"{path}: not a CSV file: it is empty; give a file with a header and labelled texts")
    rows, places = [], []
    for row, line, cells in records:
        if len(cells) != len(columns):
            if not names:
                _require_separator(columns, path, separator)
            cut = {1: "1 cell"}.get(len(cells), f"{len(cells)} cells")
            raise UserError(
                f"{path}: row {row}, line {line}: {cut}, but {'the config names' if names else 'the header has'} "
                f"{len(columns)}; quote texts that contain {SEPARATORS[separator]}"
            )
        rows.append(cells)
        places.append(f"{path}: row {row}" + (f", line {line}" if line != row else ""))
    return pd.DataFrame(rows, columns=columns, index=places, dtype=str)


def require_columns(table: pd.DataFrame, path: Path, wanted: Mapping[str, str], fix: str, separator: str = ",") -> None:
    """UserError unless every column of `wanted`, role to name, is there and only once; `fix` may hold `{role}`."""
    header = ", ".join(map(str, table.columns))
    for role, column in wanted.items():
        found = list(table.columns).count(column)
        if found > 1:
            raise UserError(f"{path}: {found} columns are called {column!r}; rename all but one")
        if not found:
            _require_separator(table.columns, path, separator)
            raise UserError(f"{path}: no column {column!r}; it has: {header}; {fix.format(role=role)}")


def _require_separator(columns: Sequence[str], path: Path, separator: str) -> None:
    """UserError if a header of one cell looks as if its names were separated by something else."""
    if len(columns) == 1 and (marks := [mark for mark in SEPARATORS if mark in str(columns[0])]):
        there, due = SEPARATORS[marks[0]], SEPARATORS[separator]
        kind = "TSV" if separator == "\t" else "CSV"
        raise UserError(
            f"{path}: its cells are separated by {there}, not by {due}; save it as a {kind} file with {due}"
        )


def checked_texts(texts: pd.Series, where: pd.Series) -> pd.Series:
    """Texts as str; UserError names the place, which is `where` on the same index, of one that is empty or not text."""
    if (other := texts.notna() & ~texts.astype(object).map(lambda cell: isinstance(cell, str))).any():
        row = other.idxmax()
        kind = type(texts[row]).__name__
        raise UserError(f"{where[row]}: {kind}, not text, in the column of texts; name another column as `text`")
    written = texts.astype(str)
    if (empty := texts.isna() | (written.str.strip() == "")).any():
        raise UserError(f"{where[empty.idxmax()]}: the text is empty; fill it in or remove the row")
    if (null := written.str.contains("\0", regex=False)).any():
        raise UserError(f"{where[null.idxmax()]}: the text holds a NUL character; remove it")
    return written


def refuse_swallowed(table: pd.DataFrame, labels: Sequence[str], known: Iterable[str]) -> None:
    """UserError where a text holds lines that are rows themselves, behind a quotation mark opened by mistake.

    A line is taken for a row if it has as many cells as the table, none blank, and labels that are `known` or written
    like one of the table.
    """
    known = set(known)
    known |= {label for name in labels for label in table[name].unique() if label.strip() in known}
    places = [list(table.columns).index(name) for name in labels]

    def is_row(line: str, before: Sequence[str] = ()) -> bool:
        cells = [*before, *next(csv.reader([line]), [])]
        return len(cells) == table.shape[1] and all(map(str.strip, cells)) and all(cells[at] in known for at in places)

    for where, *cells in table.itertuples(name=None):
        for number, cell in enumerate(cells):
            first, *others = LINE_BREAK.split(cell)
            if others and (is_row(first, cells[:number]) or any(map(is_row, others[:-1]))):
                raise UserError(
                    f"{where}: a quotation mark opens here, and the text runs over {len(others) + 1} lines that look "
                    f"like rows themselves; {QUOTING}"
                )
