"""The confident samples: for each class, the test texts that the classifier is most sure of."""

from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.storage.decisions import as_matrix, has_several, without_truth
from emoscope.storage.files import write_table


def select_confident(predictions: list[Path], test: Path, config: dict, output: Path) -> None:
    """Write the samples with their baseline predictions, a `text` column and their `group`."""
    scores = pd.concat(map(pd.read_parquet, predictions), ignore_index=True)
    table = pd.read_parquet(test).merge(without_truth(scores), on="id", validate="1:1")
    write_table(most_confident(table, config["per_class"], config["by"]), output)


def most_confident(table: pd.DataFrame, per_class: int, by: str) -> pd.DataFrame:
    """The `per_class` rows of highest confidence of each class, fewer where a class has fewer.

    `group` is the predicted class (as in the paper's code) or the label. Ties are broken by `id`. Of several labels,
    a text stands in the group of each that it is given, or has, with `confidence` the probability of that one.
    """
    if has_several(table):
        table = _by_label(table, by)
    else:
        table = table.assign(group=table["pred" if by == "predicted" else "label"].astype("int8"))
    ordered = table.sort_values(["confidence", "id"], ascending=[False, True])
    return ordered.groupby("group").head(per_class).sort_values(["group", "id"]).reset_index(drop=True)


def _by_label(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """A row for each text and label of it."""
    names = [name for name in table if name.startswith("p_")]
    members = as_matrix(table["pred" if by == "predicted" else "labels"], len(names))
    row, group = np.nonzero(members)
    confidence = table[names].to_numpy()[row, group]
    return table.iloc[row].assign(group=group.astype("int8"), confidence=confidence)
