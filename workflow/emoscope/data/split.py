"""The training, validation and test set of a corpus, and the texts that leak from training to test."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.data.known_texts import keys_of, repeats, stand_in
from emoscope.data.parts import VALIDATION
from emoscope.errors import UserError
from emoscope.storage.files import read_json, write_json, write_table


class Parts(NamedTuple):
    """The sets that a corpus is cut into: columns `id`, `text`, `label` or `labels`, and `group` if it has that."""

    train: pd.DataFrame
    validation: pd.DataFrame  # no rows where the corpus brings no such part along, or trains on it
    test: pd.DataFrame


def split_corpus(
    config: dict, corpus: Path, source: Path, train: Path, validation: Path, test: Path, audit: Path
) -> None:
    """Write the training, validation and test set and `corpus.json`, the audit of all three."""
    table = pd.read_parquet(corpus)
    origin = read_json(source)
    parts = split(table, config["duplicates"], **config["split"])
    for name, part in (("training", parts.train), ("test", parts.test)):
        if missing := set(range(len(origin["classes"]))) - set(labels_in(part).explode()):
            raise UserError(
                f"{corpus}: no text of class {origin['classes'][min(missing)]!r} in the {name} set; "
                "add rows of it or change `split` of the corpus in the config"
            )
    if "group" in parts.test and parts.test["group"].replace("", None).nunique() < 2:
        raise UserError(
            f"{corpus}: the test set has texts of fewer than 2 groups of column {origin['group']!r}; leave `group` of "
            "the corpus out, or change `split`"
        )
    require_new_texts(parts, str(corpus))
    for part, path in zip(parts, (train, validation, test), strict=True):
        write_table(part, path)
    write_json({**origin, **audit_corpus(table, origin["classes"]), **audit_split(parts)}, audit)


def split(table: pd.DataFrame, duplicates: str, method: str, test: float, seed: int, validation: str = "keep") -> Parts:
    """Split a corpus.

    Shuffled rows are cut as the paper cut them (seed 10, 0.2). With `duplicates="group"` all rows of one text fall on
    one side; with `"drop"` only a text's first row is kept. Texts are the same if their `keys_of` are.
    Of given parts, those for validation are kept apart, or trained on with `validation="train"`.
    """
    if duplicates == "drop":
        table = table[~repeats(table["text"])]
    held = pd.Series(False, table.index)
    if method == "given":
        parts = table["part"].str.casefold()
        check_parts(sorted(set(parts)))
        given = parts == "test"
        if validation == "keep":
            held = parts.isin(VALIDATION)
        if duplicates == "group":  # a text that stands in the test part belongs there with all of its rows
            given = stand_in(table["text"], table["text"][given])
            held = stand_in(table["text"], table["text"][held]) & ~given
        training, testing = table[~given & ~held], table[given]
    elif duplicates == "group":
        text_of_row, texts = pd.factorize(keys_of(table["text"]), sort=True)
        chosen = np.isin(text_of_row, shuffled(len(texts), test, seed)[1])
        training, testing = table[~chosen], table[chosen]
    else:
        training, testing = (table.iloc[rows] for rows in shuffled(len(table), test, seed))
    columns = ["id", "text", "labels" if "labels" in table else "label", *(["group"] if "group" in table else [])]
    return Parts(*(part[columns].reset_index(drop=True) for part in (training, table[held], testing)))


def check_parts(parts: list[str]) -> None:
    """UserError unless it is known of each part what it is for, and one is the test set: another set that somebody
    holds out, such as `eval`, would be trained on."""
    if "test" not in parts or len(parts) == 1:
        found = ", ".join(parts) or "none"
        raise UserError(f"split.method: given needs a part called test among others, found: {found}; use shuffled")
    if unknown := [part for part in parts if part not in ("test", *VALIDATION) and not part.startswith("train")]:
        raise UserError(
            f"split.method: given does not say what the part {unknown[0]!r} is for; call it train, test or validation, "
            "take it away, or name the parts that are meant under `splits` of the corpus"
        )


def require_new_texts(parts: Parts, place: str) -> None:
    """UserError, which begins with the place, if no test text is new to a classifier of these sets."""
    if stand_in(parts.test["text"], pd.concat([parts.train["text"], parts.validation["text"]])).all():
        raise UserError(
            f"{place}: every test text also stands in the training or validation set; set `duplicates: group`"
        )


def shuffled(count: int, test: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the training and the test rows, of 0 to `count` - 1: those of scikit-learn's `train_test_split`,
    and of texts those of its `GroupShuffleSplit`; importing it takes longer than to split a corpus."""
    order = np.random.RandomState(seed).permutation(count)
    held = math.ceil(test * count)
    return order[held:], order[:held]


def labels_in(table: pd.DataFrame) -> pd.Series:
    """The label of each text, or a tuple of its labels if it may have several."""
    return table["labels"].map(tuple) if "labels" in table else table["label"]


def audit_corpus(table: pd.DataFrame, classes: list[str]) -> dict:
    """Count rows, classes, repeated texts, and repeated texts whose labels disagree.

    Where texts may have several labels, each counts for every class that it has; those without any are counted, too.
    If a column tells groups of texts apart, rows of each, "" being that of none.
    """
    labels = labels_in(table)
    counts = labels.explode().value_counts()
    labels_of_text = labels.groupby(keys_of(table["text"])).agg(["size", "nunique"])
    audit = {
        "rows": len(table),
        "class_counts": {name: int(counts.get(number, 0)) for number, name in enumerate(classes)},
        "duplicate_rows": int((labels_of_text["size"] - 1).sum()),
        "duplicate_texts": int((labels_of_text["size"] > 1).sum()),
        "conflicting_texts": int((labels_of_text["nunique"] > 1).sum()),
    }
    groups = {"group_counts": table["group"].value_counts().sort_index().to_dict()} if "group" in table else {}
    return audit | groups | ({"unlabelled_rows": int((labels.map(len) == 0).sum())} if "labels" in table else {})


def audit_split(parts: Parts) -> dict:
    """Count the test rows whose text also stands in the training set, and, if there are some, the validation rows, and
    those of them whose text also stands in the training or the test set."""
    leaked = int(stand_in(parts.test["text"], parts.train["text"]).sum())
    held = {"validation_rows": len(parts.validation)} if len(parts.validation) else {}
    for name, part in (("train", parts.train), ("test", parts.test)) if held else ():
        held[f"validation_rows_in_{name}"] = int(stand_in(parts.validation["text"], part["text"]).sum())
    return {
        "train_rows": len(parts.train),
        **held,
        "test_rows": len(parts.test),
        "leaked_test_rows": leaked,
        "leaked_share": leaked / len(parts.test),
    }
