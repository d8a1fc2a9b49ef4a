"""How right prompts are: classification reports with intervals."""

import numpy as np
import pandas as pd

from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.bounded import SHARE, bounded_interval
from emoscope.statistics.rates import described_rate
from emoscope.storage.names import ALL
from emoscope.writeups.prompting.answers import Answer, truth_of

AVERAGES = ("micro avg", "macro avg", "weighted avg", "samples avg")
CLASS_SCORES = ("precision", "recall", "f1")
OVERALL = {"single": [(ALL, "accuracy")], "multiple": [("micro avg", "f1"), ("macro avg", "f1")]}  # rows and measures


def report_of(answer: Answer, texts: dict, tasks: dict, drawn: dict) -> pd.DataFrame:
    """A classification report as rows of `task, epochs, row, measure, value, low, high, support`.

    Rows are the classes and scikit-learn's averages, 0 where nothing is to be divided; `accuracy` is the share of texts
    that are right, and for a task of several labels Jaccard's index as in SemEval-2018: labels both true and predicted
    over labels either true or predicted, averaged over texts, 1 where there are none. `support` counts rows, of a
    class those that have it, of an average all; intervals take those of one text together.
    """
    truth, clusters = truth_of(texts[answer.texts], answer.classes), texts[answer.texts]["text"].to_numpy()
    interval = bootstrap_statistic(lambda w: report_values(truth, answer.predicted, w), clusters, **drawn)
    values = report_values(truth, answer.predicted, np.ones(len(truth)))
    names, support = [*answer.classes, *AVERAGES], [*truth.sum(axis=0), *[len(truth)] * len(AVERAGES)]
    rows = [
        (
            name,
            measure,
            values[place, number],
            interval.low[place, number],
            interval.high[place, number],
            support[place],
        )
        for place, name in enumerate(names)
        for number, measure in enumerate(CLASS_SCORES)
    ]
    if tasks[answer.task]["kind"] == "single":
        right = (truth & answer.predicted).any(axis=1)
        rows.append((ALL, "accuracy", right.mean(), *described_rate(right, clusters, drawn["alpha"]), len(right)))
    else:
        either, both = (truth | answer.predicted).sum(axis=1), (truth & answer.predicted).sum(axis=1)
        share = np.where(either == 0, 1.0, both / np.maximum(either, 1))
        rows.append(
            (ALL, "accuracy", share.mean(), *bounded_interval(share, clusters, SHARE, drawn["alpha"]), len(share))
        )
    table = pd.DataFrame(rows, columns=["row", "measure", "value", "low", "high", "support"])
    return table.assign(task=answer.task, epochs=answer.epochs)


def report_values(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Precision, recall and F1, (classes + averages, 3), of bool (texts, classes), each text weighted by (texts,)."""
    right, told, there = weights @ (truth & predicted), weights @ predicted, weights @ truth
    per_class = _ratios(right, told, there)
    per_text = _ratios((truth & predicted).sum(axis=1), predicted.sum(axis=1), truth.sum(axis=1))
    return np.vstack([
        per_class,
        _ratios(right.sum(), told.sum(), there.sum()),
        per_class.mean(axis=0),
        there @ per_class / max(there.sum(), 1e-12),
        weights @ per_text / weights.sum(),
    ])  # fmt: skip


def _ratios(right, told, there) -> np.ndarray:
    def ratio(part, whole):
        return np.where(np.asarray(whole) > 0, part / np.maximum(whole, 1e-12), 0.0)

    return np.stack([ratio(right, told), ratio(right, there), ratio(2 * right, told + there)], axis=-1)


def of_training(reports: pd.DataFrame, task: dict, epochs: int) -> pd.DataFrame:
    """The report of a task's own prompt after so many epochs."""
    return reports[(reports["task"] == task["name"]) & (reports["epochs"] == epochs)]


def headline_score(reports: pd.DataFrame, task: dict, epochs: int) -> pd.Series:
    """The one score of a task that stands for all: accuracy, or micro F1 where a text may have several labels."""
    own = of_training(reports, task, epochs).set_index(["row", "measure"])
    return own.loc[OVERALL[task["kind"]][0]]


def overall_scores(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray, kind: str) -> np.ndarray:
    """The scores of bool (texts, classes) that OVERALL names for this kind of task, each text weighted by (texts,)."""
    if kind == "single":
        return np.array([weights @ (truth & predicted).any(axis=1) / weights.sum()])
    return report_values(truth, predicted, weights)[truth.shape[1] :, CLASS_SCORES.index("f1")][:2]
