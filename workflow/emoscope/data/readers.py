"""What people keep labelled texts in: tables, lines with semicolons, parallel files, lines with tabs.

Every reader returns the columns `text`, `label` (as written; a list where a text may have several), `part` (the file or
split that a row came from, empty where there is none) and `where` (the place of the row, for messages); a table also
`group`, where a column tells groups of texts apart.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from emoscope.data.class_names import LISTED, MAPPING
from emoscope.data.labels import known_labels, written_labels, yes_no
from emoscope.data.parts import ENDINGS
from emoscope.data.plain_text import files_in, text_lines
from emoscope.data.tables import load_table, refuse_swallowed, require_columns
from emoscope.errors import UserError

COLUMNS = ["text", "label", "part", "where"]
TEXTS, LABELS = ENDINGS["parallel"], "_labels.txt"


def read_local(config: Mapping, classes: list[str]) -> pd.DataFrame:
    """Read the local file or folder that a corpus' settings describe."""
    path, kind = Path(config["path"]), config["source"]
    if kind == "semicolon":
        return read_semicolon(path)
    if kind == "parallel":
        return read_parallel(path)
    if kind == "tabbed":
        return read_tabbed(path)
    layout = layout_of(config)
    parts = {part: path / name for part, name in config.get("splits", {"": ""}).items()}
    tables = [
        read_table(file, kind, config["text"], config["label"], classes, **layout).assign(part=part)
        for part, file in parts.items()
    ]
    return pd.concat(tables, ignore_index=True)


def layout_of(config: Mapping) -> dict:
    """What else than `text` and `label` the settings of a table say of its columns, as `read_table` takes it."""
    several = config.get("multilabel", False)
    return {"columns": "labels" in config, "several": several, "group": config.get("group")}


def read_table(
    path: Path, kind: str, text: str, label: str, classes: list[str], columns: bool = False, several: bool = False,
    group: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Read a CSV, TSV or parquet file, or a folder of them; texts such as `null` stay texts.

    Labels stand in the column `label`, as lists if there may be `several`, or, with `columns`, in a column of 0 and 1
    for each of the `classes`. `group` names the column that says which group a text is of, or nothing.
    """
    table = load_table(path, kind)
    labels = classes if columns else [label]
    fix = "name the right one as `{role}` of the corpus in the config"
    separator = "\t" if kind == "tsv" else ","
    wanted = [
        ("text", text),
        *(("labels", name) for name in labels if columns),
        *(() if columns else [("label", label)]),
    ]
    for role, name in [*wanted, *([("group", group)] if group else [])]:
        require_columns(table, path, {role: name}, fix, separator)
    if table.empty:
        raise UserError(f"{path}: no rows; give a file with labelled texts")
    where, rows = pd.Series(table.index, dtype=str), table.reset_index(drop=True)
    found = labels_in_columns(rows, where, label, classes, columns, several)
    if kind == "csv":
        refuse_swallowed(table, labels, ("0", "1") if columns else _cells(rows[label], found, classes))
    groups = {"group": named(rows[group])} if group else {}
    return pd.DataFrame({"text": rows[text], "label": found, "part": "", "where": where, **groups})


def labels_in_columns(
    rows: pd.DataFrame, where: pd.Series, label: str, classes: list[str], columns: bool = False, several: bool = False
) -> pd.Series:
    """The label of each row as written, or a list of them: of columns of 0 and 1, or of a column of lists. `where` is
    the place of each."""
    if columns:
        held = yes_no(rows, classes, where).to_numpy(bool)
        return pd.Series([[name for name, has in zip(classes, row, strict=True) if has] for row in held], dtype=object)
    if several:
        pairs = zip(rows[label], where, strict=True)
        return pd.Series([written_labels(*pair) for pair in pairs], dtype=object)
    return rows[label]


def named(groups: pd.Series) -> pd.Series:
    """The names of groups as text without blanks at either end; an empty one where a row has none."""
    groups = groups.astype(object)  # no category, nor number, can be ""
    return groups.where(groups.notna(), "").astype(str).str.strip()


def _cells(written: pd.Series, labels: pd.Series, classes: list[str]) -> set[str]:
    """What a cell of labels may hold: a known label, or a list of them that occurs in the table."""
    known = known_labels(classes).keys()
    lists = zip(written, labels, strict=True)
    return known | {cell.strip() for cell, own in lists if isinstance(own, list) and known >= {*own}}


def read_semicolon(path: Path) -> pd.DataFrame:
    """Read `text;label_name` lines from a file or from every .txt file of a folder; a text may hold semicolons."""
    files = files_in(path, f"*{ENDINGS['semicolon']}") if path.is_dir() else [path]
    if not files:
        raise UserError(f"{path}: no .txt files in this folder; each should hold lines `text;label_name`")
    rows = []
    for file in files:
        lines = text_lines(file)
        if not lines or lines[0].strip() != "text;label_name":
            raise UserError(f"{file}: line 1 should read `text;label_name`")
        for number, line in enumerate(lines[1:], start=2):
            if not line.strip():
                continue
            text, separator, label = line.rpartition(";")
            if not separator:
                raise UserError(f"{file}: line {number}: no semicolon; write `text;label_name`")
            rows.append((text, label, file.stem, f"{file}: line {number}"))
    return _table(rows, path)


def read_parallel(path: Path) -> pd.DataFrame:
    """Read `{part}_text.txt`, a text in each line, beside `{part}_labels.txt`, the number of each one's class."""
    files = files_in(path, f"*{TEXTS}")
    if not files:
        raise UserError(
            f"{path}: no file `*{TEXTS}` in this folder; it should hold `train{TEXTS}` with a text in each line, "
            f"`train{LABELS}` with its number, the same for the test set, and `{MAPPING}`"
        )
    rows = []
    for file in files:
        part = file.name.removesuffix(TEXTS)
        beside = file.with_name(part + LABELS)
        if not beside.is_file():
            raise UserError(f"{beside}: no such file; it should hold the label of each line of {file.name}")
        texts, labels = text_lines(file), text_lines(beside)
        if len(texts) != len(labels):
            raise UserError(
                f"{beside}: {len(labels)} lines, but {file.name} has {len(texts)}; the label of each text should stand "
                "in the line of the same number"
            )
        where = f"{file} and {beside.name}: line"
        rows += [(*pair, part, f"{where} {number}") for number, pair in enumerate(zip(texts, labels, strict=True), 1)]
    return _table(rows, path)


def read_tabbed(path: Path) -> pd.DataFrame:
    """Read lines `text<tab>numbers<tab>id` from every .tsv file of a folder; numbers with commas between them."""
    files = files_in(path, f"*{ENDINGS['tabbed']}")
    if not files:
        raise UserError(f"{path}: no .tsv files in this folder, which should stand beside `{LISTED}`")
    rows = []
    for file in files:
        for number, line in enumerate(text_lines(file), start=1):
            if not line.strip():
                continue
            cells = line.rsplit("\t", 2)
            if len(cells) != 3:
                raise UserError(f"{file}: line {number}: {len(cells)} cells; write `text<tab>label numbers<tab>id`")
            labels = [label for label in cells[1].split(",") if label.strip()]
            rows.append((cells[0], labels, file.stem, f"{file}: line {number}"))
    return _table(rows, path)


def _table(rows: list[tuple], path: Path) -> pd.DataFrame:
    if not rows:
        raise UserError(f"{path}: no rows; give a file or folder with labelled texts")
    return pd.DataFrame(rows, columns=COLUMNS)
