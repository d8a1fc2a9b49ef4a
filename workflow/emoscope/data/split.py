"""The training and test set of a corpus, and the texts that leak from one to the other."""

from pathlib import Path

import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from emoscope.errors import UserError
from emoscope.storage.files import read_json, write_json, write_table


def split_corpus(config: dict, corpus: Path, source: Path, train: Path, test: Path, audit: Path) -> None:
    """Write the training and test set and `corpus.json`, the audit of both."""
    table = pd.read_parquet(corpus)
    origin = read_json(source)
    training, testing = split(table, config["duplicates"], **config["split"])
    for name, part in (("training", training), ("test", testing)):
        if missing := set(range(len(origin["classes"]))) - set(part["label"]):
            raise UserError(
                f"{corpus}: no text of class {origin['classes'][min(missing)]!r} in the {name} set; "
                "add rows of it or change `split` of the corpus in the config"
            )
    if testing["text"].isin(training["text"]).all():
        raise UserError(f"{corpus}: every test text also stands in the training set; set `duplicates: group`")
    write_table(training, train)
    write_table(testing, test)
    write_json({**origin, **audit_corpus(table, origin["classes"]), **audit_split(training, testing)}, audit)


def split(
    table: pd.DataFrame, duplicates: str, method: str, test: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a corpus into (training, test), each with columns `id`, `text`, `label`.

    Shuffled rows are cut as scikit-learn's `train_test_split` does, which the paper used (seed 10, 0.2). With
    `duplicates="group"` all rows of one text fall on one side; with `"drop"` only a text's first row is kept.
    """
    if duplicates == "drop":
        table = table.drop_duplicates("text")
    if method == "given":
        given = table["part"] == "test"
        if not given.any() or given.all():
            parts = ", ".join(sorted(set(table["part"]))) or "none"
            raise UserError(f"split.method: given needs a part called test among others, found: {parts}; use shuffled")
        if duplicates == "group":  # a text that stands in the test part belongs there with all of its rows
            given = table["text"].isin(table["text"][given])
        training, testing = table[~given], table[given]
    elif duplicates == "group":
        cut = GroupShuffleSplit(n_splits=1, test_size=test, random_state=seed)
        training, testing = (table.iloc[rows] for rows in next(cut.split(table, groups=table["text"])))
    else:
        training, testing = train_test_split(table, test_size=test, random_state=seed)
    return tuple(part[["id", "text", "label"]].reset_index(drop=True) for part in (training, testing))


def audit_corpus(table: pd.DataFrame, classes: list[str]) -> dict:
    """Count rows, classes, repeated texts, and repeated texts whose labels disagree."""
    counts = table["label"].value_counts()
    labels_of_text = table.groupby("text")["label"].agg(["size", "nunique"])
    return {
        "rows": len(table),
        "class_counts": {name: int(counts.get(number, 0)) for number, name in enumerate(classes)},
        "duplicate_rows": int((labels_of_text["size"] - 1).sum()),
        "duplicate_texts": int((labels_of_text["size"] > 1).sum()),
        "conflicting_texts": int((labels_of_text["nunique"] > 1).sum()),
    }


def audit_split(training: pd.DataFrame, testing: pd.DataFrame) -> dict:
    """Count the test rows whose text also stands in the training set."""
    leaked = int(testing["text"].isin(training["text"]).sum())
    return {
        "train_rows": len(training),
        "test_rows": len(testing),
        "leaked_test_rows": leaked,
        "leaked_share": leaked / len(testing),
    }
