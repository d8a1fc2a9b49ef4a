"""How well a classifier does, with and without the texts that stand in both sets; every number with its interval."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.data.known_texts import stand_in
from emoscope.experiments.performance.findings import baseline_findings, findings_of
from emoscope.experiments.performance.labels import OVERALL, f1_beside, label_statistic
from emoscope.reporting.findings import write_findings
from emoscope.statistics.auc import one_vs_rest_auc
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.calibration import bins_of, calibration_error
from emoscope.statistics.rates import rate_difference_interval, wilson_interval
from emoscope.statistics.settings import resampling
from emoscope.storage.decisions import as_matrix, has_several, same, truth_name, truth_of, without_truth
from emoscope.storage.files import read_json, write_json

DRAWS = 100_000_000  # rows drawn for the intervals of one set, at most: they take seconds, also of a large corpus
FEWEST = 200  # resamples, whatever the size


def evaluate(
    predictions: list[Path],
    baselines: Path,
    train: Path,
    test: Path,
    audit: Path,
    statistics: dict,
    output: Path,
    findings: Path,
) -> None:
    """Write `metrics.json`, for the training and the test set metrics of all rows and of the `distinct` ones; findings.

    Distinct training rows are the first of each text; distinct test rows are those, too, and not in the training set.
    `differences` are of accuracy: training minus test, of all and of distinct rows, and all minus distinct test rows.
    `baselines` holds the test accuracy of the cheapest classifiers, and the model's minus theirs.
    """
    scores = without_truth(pd.concat(map(pd.read_parquet, predictions), ignore_index=True))
    about = read_json(audit)
    classes = about["classes"]
    training, testing = (pd.read_parquet(path).merge(scores, on="id", validate="1:1") for path in (train, test))
    known = training.drop_duplicates("text")
    fresh = testing[~stand_in(testing["text"], known["text"])].drop_duplicates("text")
    options = resampling(statistics)
    found = {
        "classes": classes,
        "train": {"all": metrics(training, classes, **options), "distinct": metrics(known, classes, **options)},
        "test": {"all": metrics(testing, classes, **options), "distinct": metrics(fresh, classes, **options)},
        "differences": {
            "train_minus_test": accuracy_difference(training, testing, **options),
            "train_minus_test_distinct": accuracy_difference(known, fresh, **options),
            "test_minus_distinct": accuracy_difference(testing, fresh, **options),
        },
    }
    found["baselines"] = {
        method: {
            kind: beside_baseline(table, rows.set_index("id")["pred"], options["alpha"])
            | labels_beside(table, rows.set_index("id")["pred"], classes, **options)
            for kind, table in (("all", testing), ("distinct", fresh))
        }
        for method, rows in pd.read_parquet(baselines).groupby("method", sort=False)
    }
    write_json(found, output)
    alpha = options["alpha"]
    quotable = [*findings_of(found, about, alpha), *baseline_findings(found["baselines"], alpha)]
    write_findings(quotable, findings)


def metrics(table: pd.DataFrame, classes: list[str], *, alpha: float, resamples: int, seed: int) -> dict:
    """Metrics of predictions with columns `text`, `label`, `pred`, `confidence`, `p_{class}`, each with `*_interval`.

    AUC is one-vs-rest, averaged over classes with equal weights; NaN if a class is absent. The confusion matrix counts
    rows by (label, pred); `calibration`, the data of the reliability diagram, has one entry for each bin of confidence
    that is not empty. Rates (accuracy, which is micro F1 as well, precision, recall) have Wilson intervals in which
    each text is one trial; AUC, F1 and calibration error have bootstrap intervals that resample texts.

    Of several labels a text, an answer is right if it is in every label: accuracy is the share of exact matches. Beside
    it stand those of `labels.label_statistic`; in place of the confusion matrix `given` counts the rows with one label
    that are given another.
    """
    number, several = len(classes), has_several(table)
    truth, given = truth_of(table, number), as_matrix(table["pred"], number)
    texts = pd.factorize(table["text"])[0]
    right, confidence = same(table["pred"], table[truth_name(table)]), table["confidence"].to_numpy(dtype=float)
    bins, everywhere = bins_of(confidence), np.ones(len(table), dtype=bool)

    def rate(hits: np.ndarray, chosen: np.ndarray) -> tuple[float, float, float]:
        share, trials = np.mean(hits[chosen]) if chosen.any() else np.nan, len(np.unique(texts[chosen]))
        return share, *wilson_interval(np.nan_to_num(share) * trials, trials, alpha)

    scores = table[[f"p_{name}" for name in classes]].to_numpy()
    statistic = weighted_statistic(truth, given, right, confidence, scores)
    count = bounded(resamples, len(table))
    drawing = {"resamples": count, "alpha": alpha, "seed": seed}
    auc, f1, (auc_ovr, macro_f1, error) = np.split(_estimates(statistic, texts, **drawing), [number, 2 * number])
    own, overall = [{} for _ in classes], {}
    if several:
        found = _estimates(label_statistic(truth, given, scores), texts, **drawing)
        own = [{"average_precision": one} for one in found[:number]]
        overall = dict(zip(OVERALL, found[number:], strict=True))
    pairs = (truth.astype(int).T @ given).tolist()
    return {
        "rows": len(table),
        "resamples": count,
        **_beside(
            accuracy=rate(right, everywhere),
            auc_ovr=auc_ovr,
            macro_f1=macro_f1,
            calibration_error=error,
            **overall,
        ),
        "per_class": {
            name: {
                **_beside(
                    precision=rate(truth[:, k], given[:, k]),
                    recall=rate(given[:, k], truth[:, k]),
                    f1=f1[k],
                    auc=auc[k],
                    **own[k],
                ),
                "rows": int(truth[:, k].sum()),
            }
            for k, name in enumerate(classes)
        },
        "given" if several else "confusion": pairs,
        "calibration": [
            {
                "rows": int(chosen.sum()),
                "confidence": float(confidence[chosen].mean()),
                **_beside(accuracy=rate(right, chosen)),
            }
            for chosen in (bins == place for place in np.unique(bins))
        ],
    }


def accuracy_difference(
    first: pd.DataFrame, second: pd.DataFrame, *, alpha: float, resamples: int, seed: int
) -> dict[str, float | list[float]]:
    """Accuracy of the first table minus that of the second; resamples draw a text of both tables for both at once."""
    tables = pd.concat([first, second])
    right, size = same(tables["pred"], tables[truth_name(tables)]), len(first)

    def difference(weights: np.ndarray) -> float:
        parts = ((weights[:size], right[:size]), (weights[size:], right[size:]))
        one, other = (weight @ hits / weight.sum() if weight.any() else np.nan for weight, hits in parts)
        return one - other

    texts, count = pd.factorize(tables["text"])[0], bounded(resamples, len(tables))
    interval = _bootstrap(difference, texts, resamples=count, alpha=alpha, seed=seed)
    return {"resamples": count, **_beside(accuracy=(difference(np.ones(len(tables))), *interval))}


def beside_baseline(table: pd.DataFrame, pred: pd.Series, alpha: float) -> dict[str, float | list[float]]:
    """`accuracy` of a baseline's predictions, by id, and `difference`, the model's accuracy in the table minus it.

    Intervals are Wilson's, each text one trial, and Newcombe's of paired rows, in which a text's rows count together.
    """
    truth = table[truth_name(table)]
    right, other = (same(said, truth) for said in (table["pred"], table["id"].map(pred)))
    texts = pd.factorize(table["text"])[0]
    if not len(texts):
        return _beside(accuracy=(np.nan,) * 3, difference=(np.nan,) * 3) | {"rows": 0}
    trials = len(np.unique(texts))
    accuracy = other.mean(), *wilson_interval(other.mean() * trials, trials, alpha)
    bounds = rate_difference_interval(right, other, paired=True, clusters=(texts, texts), alpha=alpha)
    return _beside(accuracy=accuracy, difference=(right.mean() - other.mean(), *bounds)) | {"rows": len(table)}


def labels_beside(table: pd.DataFrame, pred: pd.Series, classes: list[str], **options) -> dict:
    """F1 of a baseline's predictions, and the model's minus it, of several labels a text; nothing of one."""
    if not has_several(table) or table.empty:
        return {}
    number = len(classes)
    given, other = (as_matrix(said, number) for said in (table["pred"], table["id"].map(pred)))
    texts = pd.factorize(table["text"])[0]
    return _beside(**f1_beside(truth_of(table, number), given, other, texts, **options))


def weighted_statistic(
    truth: np.ndarray, given: np.ndarray, right: np.ndarray, confidence: np.ndarray, scores: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from row weights (n,) to AUC of each class, F1 of each class, their means, and calibration error.

    `truth`, `given` and `scores` are (n, classes), `right` says of which rows the answer is.
    """
    number, bins = scores.shape[1], bins_of(confidence)
    hits, sizes = (truth & given).astype(float), truth.astype(float) + given
    areas = [one_vs_rest_auc(truth[:, k], scores[:, k]) for k in range(number)]

    def statistic(weights: np.ndarray) -> np.ndarray:
        hit, size = weights @ hits, weights @ sizes
        f1 = 2 * hit / np.where(size > 0, size, 1)
        auc = np.array([area(weights) for area in areas])
        error = calibration_error(confidence, right, bins, weights)
        return np.concatenate([auc, f1, [auc.mean(), f1.mean(), error]])

    return statistic


def bounded(resamples: int, rows: int) -> int:
    """The number of resamples: as asked for, cut so that all draw DRAWS rows together at most, but at least FEWEST."""
    return min(resamples, max(FEWEST, DRAWS // max(rows, 1)))


def _bootstrap(statistic: Callable, texts: np.ndarray, **options) -> tuple[np.ndarray, np.ndarray]:
    """The interval of a statistic, or NaN where there are no texts."""
    if len(texts):
        with warnings.catch_warnings(
            action="ignore", category=RuntimeWarning
        ):  # a class that is absent: NaN throughout
            return bootstrap_statistic(statistic, texts, **options)
    unknown = np.full(np.shape(statistic(np.ones(0))), np.nan)
    return unknown, unknown


def _estimates(statistic: Callable, texts: np.ndarray, **options) -> np.ndarray:
    """`value, low, high` of everything that a function of row weights gives, (numbers, 3)."""
    return np.column_stack([statistic(np.ones(len(texts))), *_bootstrap(statistic, texts, **options)])


def _beside(**estimates: tuple[float, float, float]) -> dict[str, float | list[float]]:
    """Estimates as JSON: each value under its name, its bounds under `{name}_interval`."""
    found = {}
    for name, (value, low, high) in estimates.items():
        found |= {name: float(value), f"{name}_interval": [float(low), float(high)]}
    return found


def estimates_of(found: dict) -> dict[str, dict[str, float]]:
    """The metrics with an interval among those that `metrics` found, each as `value, low, high`."""
    bounds = {name: f"{name}_interval" for name in found}
    return {
        name: dict(zip(("value", "low", "high"), (found[name], *found[interval]), strict=True))
        for name, interval in bounds.items()
        if interval in found
    }


def most_frequent_confusion(
    confusion: list[list[int]], alpha: float, totals: list[int] | None = None
) -> tuple[int, int, dict[str, float]] | None:
    """The (label, pred) that is the largest share of its label's texts: both, and `value, low, high` of that share;
    None if no text is given another label.

    `confusion` counts texts by (label, pred); the interval is Wilson's. `totals` are the texts of each label, where one
    may be counted more than once.
    """
    counts = np.array(confusion, dtype=float)
    texts = counts.sum(axis=1) if totals is None else np.array(totals, dtype=float)
    shares = counts / np.maximum(texts, 1)[:, None]
    np.fill_diagonal(shares, 0)
    if not shares.any():
        return None
    true, taken = np.unravel_index(shares.argmax(), shares.shape)
    low, high = wilson_interval(counts[true, taken], texts[true], alpha)
    return int(true), int(taken), {"value": shares[true, taken], "low": low, "high": high}


def accuracy_of(predictions: pd.DataFrame, alpha: float) -> dict[str, float]:
    """`value, low, high` of the accuracy of some predictions, with Wilson's interval, and `texts`, their number."""
    right, texts = int((predictions["label"] == predictions["pred"]).sum()), len(predictions)
    low, high = wilson_interval(right, texts, alpha)
    return {"value": right / texts if texts else np.nan, "low": low, "high": high, "texts": texts}
