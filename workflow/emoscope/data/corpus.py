"""Labelled texts from their source: checked, numbered and written as one table.

A corpus is a table with columns `id: int64`, `text: str`, `label: int8` (an index into its class names) and
`part: str` (the file or split a row came from, empty when there is none). Where a text may have several labels, or
none, `labels`, a sorted list of int8, stands instead of `label`. `group: str`, empty where there is none, is there if a
column of the source tells groups of texts apart. `source.json` beside it records where the rows came from, the class
names and, if so, `multilabel` and the name of that column.
"""

from pathlib import Path

import pandas as pd

from emoscope.data.class_names import class_names, has_numbers, has_several
from emoscope.data.hub import read_hub
from emoscope.data.labels import class_numbers, sets_of_numbers
from emoscope.data.readers import read_local
from emoscope.data.tables import checked_texts
from emoscope.errors import UserError
from emoscope.storage.files import write_json, write_table
from emoscope.storage.hashes import sha256_of

MOST_GROUPS = 20  # more are ids, or words, that somebody named by mistake


def import_corpus(config: dict, corpus: Path, source: Path) -> None:
    """Write the corpus of a local file or folder."""
    classes, several = class_names(config), has_several(config)
    write_table(check_corpus(read_local(config, classes), classes, several, has_numbers(config)), corpus)
    write_source(source, corpus, classes, str(Path(config["path"])), None, several, config.get("group"))


def download_corpus(config: dict, corpus: Path, source: Path) -> None:
    """Write the corpus of a data set on the hub: of the splits that the settings name, or of all."""
    classes, several = class_names(config), has_several(config)
    rows, revision = read_hub(config, classes)
    write_table(check_corpus(rows, classes, several, has_numbers(config)), corpus)
    name = f"{config['repository']} ({config['configuration']})"
    write_source(source, corpus, classes, name, revision, several, config.get("group"))


def check_corpus(table: pd.DataFrame, classes: list[str], several: bool = False, numbered: bool = True) -> pd.DataFrame:
    """Make a corpus of what readers return, with lists of labels if a text has `several`; UserError names a bad row.

    A label that is a number is one if the classes are `numbered`: nobody knows which class is the first by default.
    """
    text = checked_texts(table["text"], table["where"])
    hint = "fix the row or list the class under `classes` of the corpus in the config"
    if not numbered:
        hint = "fix the row or list all classes, in the order of their numbers, under `classes` of the corpus"
    numbers = sets_of_numbers if several else class_numbers
    label = numbers(table["label"], classes, table["where"], hint, numbered)
    counts = label.explode().value_counts().reindex(range(len(classes)), fill_value=0)
    if counts.min() < 2:
        name = classes[counts.idxmin()]
        origin = table["where"].iloc[0].rsplit(":", 1)[0]
        raise UserError(
            f"{origin}: class {name!r} has {counts.min()} rows, at least 2 are needed; "
            "add rows or take the class out of `classes`"
        )
    column = {"labels": label} if several else {"label": label.astype("int8")}
    checked = pd.DataFrame({"id": range(len(table)), "text": text, **column, "part": table["part"]})
    if "group" not in table:
        return checked
    names = set(table["group"]) - {""}
    if not 2 <= len(names) <= MOST_GROUPS:
        raise UserError(
            f"{table['where'].iloc[0].rsplit(':', 1)[0]}: {len(names)} groups in the column that `group` of the corpus "
            f"names; name one that tells 2 to {MOST_GROUPS} groups of texts apart"
        )
    return checked.assign(group=table["group"])


def write_source(
    path: Path, corpus: Path, classes: list[str], source: str, revision: str | None, several: bool = False,
    group: str | None = None,
) -> None:  # fmt: skip
    """Record where a corpus came from, whether its texts may have several labels, and which column names groups."""
    about = {"source": source, "revision": revision, "sha256": sha256_of(corpus), "classes": classes}
    write_json(about | ({"multilabel": True} if several else {}) | ({"group": group} if group else {}), path)
