"""How well a classifier does, with and without the texts that stand in both sets."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

from emoscope.files import read_json, write_json
from emoscope.stats import wilson_interval

BINS = 10


def evaluate(predictions: list[Path], train: Path, test: Path, audit: Path, statistics: dict, output: Path) -> None:
    """Write `metrics.json`: for the training and the test set, metrics of all rows and of the `distinct` ones.

    Distinct training rows are the first of each text; distinct test rows are those, too, and not in the training set.
    """
    scores = pd.concat(map(pd.read_parquet, predictions), ignore_index=True).drop(columns="label")
    classes = read_json(audit)["classes"]
    training, testing = (pd.read_parquet(path).merge(scores, on="id", validate="1:1") for path in (train, test))
    subsets = {
        "train": {"all": training, "distinct": training.drop_duplicates("text")},
        "test": {
            "all": testing,
            "distinct": testing[~testing["text"].isin(training["text"])].drop_duplicates("text"),
        },
    }
    write_json(
        {
            "classes": classes,
            **{
                part: {name: metrics(table, classes, 1 - statistics["confidence"]) for name, table in tables.items()}
                for part, tables in subsets.items()
            },
        },
        output,
    )


def metrics(table: pd.DataFrame, classes: list[str], alpha: float) -> dict:
    """Metrics of predictions with columns `label`, `pred`, `confidence`, `p_{class}`.

    AUC is one-vs-rest, averaged over classes with equal weights; NaN if a class is absent. The confusion matrix counts
    rows by (label, pred). `accuracy_interval` is Wilson's.
    """
    label, pred = table["label"].to_numpy(), table["pred"].to_numpy()
    numbers = np.arange(len(classes))
    probabilities = table[[f"p_{name}" for name in classes]].to_numpy()
    precision, recall, f1, support = precision_recall_fscore_support(label, pred, labels=numbers, zero_division=0)
    auc = [one_vs_rest_auc(label == number, probabilities[:, number]) for number in numbers]
    right = int((label == pred).sum())
    return {
        "rows": len(table),
        "accuracy": right / len(table) if len(table) else float("nan"),
        "accuracy_interval": [float(bound) for bound in wilson_interval(right, len(table), alpha)],
        "auc_ovr": float(np.mean(auc)),
        "macro_f1": float(np.mean(f1)),
        "per_class": {
            name: {
                "precision": float(precision[number]),
                "recall": float(recall[number]),
                "f1": float(f1[number]),
                "auc": auc[number],
                "rows": int(support[number]),
            }
            for number, name in enumerate(classes)
        },
        "confusion": confusion_matrix(label, pred, labels=numbers).tolist(),
        "calibration": calibration(table["confidence"].to_numpy(), label == pred),
    }


def one_vs_rest_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve of one class against the rest; NaN unless both occur."""
    return float(roc_auc_score(positive, score)) if 0 < positive.sum() < len(positive) else float("nan")


def calibration(confidence: np.ndarray, correct: np.ndarray) -> list[dict]:
    """Rows, mean confidence and accuracy in ten equal bins of confidence, empty bins left out."""
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    table = pd.DataFrame({"bin": number, "confidence": confidence, "accuracy": correct.astype(float)})
    summary = table.groupby("bin").agg(
        rows=("confidence", "size"), confidence=("confidence", "mean"), accuracy=("accuracy", "mean")
    )
    return summary.reset_index(drop=True).astype({"rows": int}).to_dict("records")
