"""The confident samples: for each class, the test texts that the classifier is most sure of."""

from pathlib import Path

import pandas as pd

from emoscope.storage.files import write_table


def select_confident(predictions: list[Path], test: Path, config: dict, output: Path) -> None:
    """Write the samples with their baseline predictions, a `text` column and their `group`."""
    scores = pd.concat(map(pd.read_parquet, predictions), ignore_index=True).drop(columns="label")
    table = pd.read_parquet(test).merge(scores, on="id", validate="1:1")
    write_table(most_confident(table, config["per_class"], config["by"]), output)


def most_confident(table: pd.DataFrame, per_class: int, by: str) -> pd.DataFrame:
    """The `per_class` rows of highest confidence of each class, fewer where a class has fewer.

    `group` is the predicted class (as in the paper's code) or the label. Ties are broken by `id`.
    """
    table = table.assign(group=table["pred" if by == "predicted" else "label"].astype("int8"))
    ordered = table.sort_values(["confidence", "id"], ascending=[False, True])
    return ordered.groupby("group").head(per_class).sort_values(["group", "id"]).reset_index(drop=True)
