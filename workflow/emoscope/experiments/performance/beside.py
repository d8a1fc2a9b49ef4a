"""What the cheapest classifiers do on the same texts, and by how much a model does better."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.performance.estimates import text_rate, texts_of, with_intervals
from emoscope.experiments.performance.labels import f1_beside
from emoscope.experiments.performance.names import CHOSEN, WORDS
from emoscope.statistics.rates import rate_difference_interval
from emoscope.storage.decisions import as_matrix, has_several, same, truth_name, truth_of
from emoscope.storage.files import read_json


def on_equal_terms(baselines: pd.DataFrame, thresholds: Sequence[Path]) -> dict[str, pd.Series]:
    """By method what each baseline predicts, by id. If the thresholds of the run were chosen on the validation part,
    so are those of its bag of words; `thresholds` is the file that says so, none where a text has one label."""
    found = {method: rows.set_index("id")["pred"] for method, rows in baselines.groupby("method", sort=False)}
    chosen = found.pop(CHOSEN, None)
    if chosen is not None and read_json(thresholds[0])["chosen"] == "validation":
        found[WORDS] = chosen
    return found


def beside_baseline(table: pd.DataFrame, pred: pd.Series, alpha: float) -> dict[str, float | list[float]]:
    """`accuracy` of a baseline's predictions, by id, and `difference`, the model's accuracy in the table minus it.

    Intervals are Wilson's, and Newcombe's of paired rows; in both, a text's rows count together.
    """
    truth = table[truth_name(table)]
    right, other = (same(said, truth) for said in (table["pred"], table["id"].map(pred)))
    texts = texts_of(table)
    if not len(texts):
        return with_intervals(accuracy=(np.nan,) * 3, difference=(np.nan,) * 3) | {"rows": 0}
    bounds = rate_difference_interval(right, other, paired=True, clusters=(texts, texts), alpha=alpha)
    accuracy, difference = text_rate(other, texts, alpha), right.mean() - other.mean()
    return with_intervals(accuracy=accuracy, difference=(difference, *bounds)) | {"rows": len(table)}


def labels_beside(table: pd.DataFrame, pred: pd.Series, classes: list[str], **options) -> dict:
    """F1 of a baseline's predictions, and the model's minus it, of several labels a text; nothing of one."""
    if not has_several(table) or table.empty:
        return {}
    number = len(classes)
    given, other = (as_matrix(said, number) for said in (table["pred"], table["id"].map(pred)))
    return with_intervals(**f1_beside(truth_of(table, number), given, other, texts_of(table), **options))
