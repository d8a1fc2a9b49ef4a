"""Labelled texts from their source: checked, numbered and written as one table.

A corpus is a table with columns `id: int64`, `text: str`, `label: int8` (an index into its class names) and
`part: str` (the file or split a row came from, empty when there is none). Where a text may have several labels, or
none, `labels`, a sorted list of int8, stands instead of `label`. `source.json` beside it records where the rows came
from, the class names and, if so, `multilabel`.
"""

from pathlib import Path

import pandas as pd

from emoscope.data.class_names import class_names, has_several
from emoscope.data.labels import class_numbers, sets_of_numbers
from emoscope.data.readers import read_local
from emoscope.errors import UserError
from emoscope.storage.files import write_json, write_table
from emoscope.storage.hashes import sha256_of
from emoscope.storage.hub import asking_hub


def import_corpus(config: dict, corpus: Path, source: Path) -> None:
    """Write the corpus of a local file or folder."""
    classes, several = class_names(config), has_several(config)
    write_table(check_corpus(read_local(config, classes), classes, several), corpus)
    write_source(source, corpus, classes, str(Path(config["path"])), None, several)


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
    write_table(check_corpus(pd.concat(parts, ignore_index=True), classes, has_several(config)), corpus)
    name = f"{repository} ({config['configuration']})"
    write_source(source, corpus, classes, name, revision, has_several(config))


def check_corpus(table: pd.DataFrame, classes: list[str], several: bool = False) -> pd.DataFrame:
    """Make a corpus of what readers return, with lists of labels if a text has `several`; UserError names a bad row."""
    text = table["text"]
    empty = text.isna() | (text.astype(str).str.strip() == "")
    if empty.any():
        raise UserError(f"{table['where'][empty.idxmax()]}: the text is empty; fill it in or remove the row")
    if (null := text.astype(str).str.contains("\0", regex=False)).any():
        raise UserError(f"{table['where'][null.idxmax()]}: the text holds a NUL character; remove it")
    hint = "mend the row or list the class under `classes` of the corpus in the config"
    numbers = sets_of_numbers if several else class_numbers
    label = numbers(table["label"], classes, table["where"], hint)
    counts = label.explode().value_counts().reindex(range(len(classes)), fill_value=0)
    if counts.min() < 2:
        name = classes[counts.idxmin()]
        origin = table["where"].iloc[0].rsplit(":", 1)[0]
        raise UserError(
            f"{origin}: class {name!r} has {counts.min()} rows, at least 2 are needed; "
            "add rows or take the class out of `classes`"
        )
    column = {"labels": label} if several else {"label": label.astype("int8")}
    return pd.DataFrame({"id": range(len(table)), "text": text.astype(str), **column, "part": table["part"]})


def write_source(
    path: Path, corpus: Path, classes: list[str], source: str, revision: str | None, several: bool = False
) -> None:
    """Record where a corpus came from, and whether its texts may have several labels."""
    about = {"source": source, "revision": revision, "sha256": sha256_of(corpus), "classes": classes}
    write_json(about | ({"multilabel": True} if several else {}), path)
