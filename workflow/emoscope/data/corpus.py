"""Labelled texts from their source: checked, numbered and written as one table.

A corpus is a table with columns `id: int64`, `text: str`, `label: int8` (an index into its class names) and
`part: str` (the file or split a row came from, empty when there is none). `source.json` beside it records where the
rows came from and the class names.
"""

from pathlib import Path

import pandas as pd

from emoscope.data.labels import class_numbers, known_labels
from emoscope.data.tables import check_utf8, load_table, refuse_swallowed, require_columns
from emoscope.errors import UserError
from emoscope.storage.files import write_json, write_table
from emoscope.storage.hashes import sha256_of
from emoscope.storage.hub import asking_hub


def import_corpus(config: dict, corpus: Path, source: Path) -> None:
    """Write the corpus of a local file or folder."""
    path, classes = Path(config["path"]), config["classes"]
    if config["source"] == "semicolon":
        table = read_semicolon(path)
    else:
        table = read_table(path, config["source"], config["text"], config["label"], classes)
    write_table(check_corpus(table, classes), corpus)
    write_source(source, corpus, classes, source=str(path), revision=None)


def download_corpus(config: dict, corpus: Path, source: Path) -> None:
    """Write the corpus of a data set on the hub, all of its splits joined."""
    import datasets
    import huggingface_hub

    repository, classes = config["repository"], config["classes"]
    with asking_hub(repository):
        revision = huggingface_hub.HfApi().dataset_info(repository, revision=config["revision"]).sha
        splits = datasets.load_dataset(repository, config["configuration"], revision=revision)
    parts = []
    for name, split in splits.items():
        if missing := {"text", "label"} - set(split.column_names):
            raise UserError(f"{repository}: split {name} has no column {sorted(missing)[0]!r}; choose another data set")
        part = split.to_pandas()[["text", "label"]]
        names = getattr(split.features["label"], "names", None)
        parts.append(
            part.assign(
                label=part["label"].map(dict(enumerate(names))) if names else part["label"],
                part=name,
                where=[f"{repository}: split {name}, row {row}" for row in range(len(part))],
            )
        )
    write_table(check_corpus(pd.concat(parts, ignore_index=True), classes), corpus)
    write_source(source, corpus, classes, source=f"{repository} ({config['configuration']})", revision=revision)


def read_table(path: Path, kind: str, text: str, label: str, classes: list[str]) -> pd.DataFrame:
    """Read a CSV or parquet file into columns `text`, `label`, `part`, `where`; texts such as `null` stay texts."""
    table = load_table(path, kind)
    mend = "name the right one as `{role}` of the corpus in the config"
    require_columns(table, path, {"text": text, "label": label}, mend)
    if table.empty:
        raise UserError(f"{path}: no rows; give a file with labelled texts")
    if kind == "csv":
        refuse_swallowed(table, [label], known_labels(classes))
    rows = table.rename_axis("where").reset_index()
    return pd.DataFrame({"text": rows[text], "label": rows[label], "part": "", "where": rows["where"]})


def read_semicolon(path: Path) -> pd.DataFrame:
    """Read `text;label_name` lines from a file or from every .txt file of a folder; a text may hold semicolons."""
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"{path}: no .txt files in this folder; each should hold lines `text;label_name`")
    rows = []
    for file in files:
        check_utf8(file)
        lines = file.read_bytes().decode("utf-8-sig").split("\n")  # splitlines would cut inside a tweet, too
        if not lines or lines[0].strip() != "text;label_name":
            raise UserError(f"{file}: line 1 should read `text;label_name`")
        for number, line in enumerate(lines[1:], start=2):
            if not line.strip():
                continue
            text, separator, label = line.rpartition(";")
            if not separator:
                raise UserError(f"{file}: line {number}: no semicolon; write `text;label_name`")
            rows.append((text, label, file.stem, f"{file}: line {number}"))
    if not rows:
        raise UserError(f"{path}: no rows; give a file or folder with labelled texts")
    return pd.DataFrame(rows, columns=["text", "label", "part", "where"])


def check_corpus(table: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Turn columns `text`, `label` (name or number), `part`, `where` into a corpus; UserError names the bad row."""
    text = table["text"]
    empty = text.isna() | (text.astype(str).str.strip() == "")
    if empty.any():
        raise UserError(f"{table['where'][empty.idxmax()]}: the text is empty; fill it in or remove the row")
    if (null := text.astype(str).str.contains("\0", regex=False)).any():
        raise UserError(f"{table['where'][null.idxmax()]}: the text holds a NUL character; remove it")
    hint = "mend the row or list the class under `classes` of the corpus in the config"
    label = class_numbers(table["label"], classes, table["where"], hint)
    counts = label.value_counts().reindex(range(len(classes)), fill_value=0)
    if counts.min() < 2:
        name = classes[counts.idxmin()]
        origin = table["where"].iloc[0].rsplit(":", 1)[0]
        raise UserError(
            f"{origin}: class {name!r} has {counts.min()} rows, at least 2 are needed; "
            "add rows or take the class out of `classes`"
        )
    return pd.DataFrame({
        "id": range(len(table)), "text": text.astype(str), "label": label.astype("int8"), "part": table["part"],
    })  # fmt: skip


def write_source(path: Path, corpus: Path, classes: list[str], source: str, revision: str | None) -> None:
    write_json({"source": source, "revision": revision, "sha256": sha256_of(corpus), "classes": classes}, path)
