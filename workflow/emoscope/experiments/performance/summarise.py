"""How well a classifier does, with and without the texts that stand in both sets; every number with its interval."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.data.known_texts import repeats, stand_in
from emoscope.experiments.performance.beside import beside_baseline, labels_beside, on_equal_terms
from emoscope.experiments.performance.estimates import text_rate, texts_of, with_intervals
from emoscope.experiments.performance.findings import baseline_findings, findings_of
from emoscope.experiments.performance.labels import OVERALL, f1_scores, label_statistic
from emoscope.reporting.findings import write_findings
from emoscope.statistics.auc import one_vs_rest_auc
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.calibration import bins_of, calibration_error
from emoscope.statistics.rates import rows_if_alike
from emoscope.statistics.settings import resampling
from emoscope.storage.decisions import as_matrix, has_several, same, truth_name, truth_of, without_truth
from emoscope.storage.files import read_json, write_json

DRAWS = 100_000_000  # rows drawn for the intervals of one set, at most: they take seconds, also of a large corpus
FEWEST = 200  # resamples, whatever the size


def evaluate(
    predictions: list[Path],
    baselines: Path,
    train: Path,
    validation: Path,
    test: Path,
    audit: Path,
    thresholds: list[Path],
    statistics: dict,
    output: Path,
    findings: Path,
) -> None:
    """Write `metrics.json`, for the training and the test set metrics of all rows and of the `distinct` ones; findings.

    Distinct training rows are the first of each text; distinct test rows are those, too, and in no other set. `leaked`
    counts the test rows whose text stands in the training set, and those of them whose label it has there in no row.
    `differences` are of accuracy: training minus test, of all and of distinct rows, and all minus distinct test rows.
    `baselines` holds the test accuracy of the cheapest classifiers, and the model's minus theirs. `thresholds` is the
    file that says how those of the run were chosen, none where a text has one label.
    """
    scores = without_truth(pd.concat(map(pd.read_parquet, predictions), ignore_index=True))
    about = read_json(audit)
    classes = about["classes"]
    training, testing = (pd.read_parquet(path).merge(scores, on="id", validate="1:1") for path in (train, test))
    seen = pd.concat([training["text"], pd.read_parquet(validation)["text"]])
    known = training[~repeats(training["text"])]
    fresh = testing[~stand_in(testing["text"], seen) & ~repeats(testing["text"])]
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
        "leaked": leaked(training, testing),
    }
    found["baselines"] = {
        method: {
            kind: beside_baseline(table, pred, options["alpha"]) | labels_beside(table, pred, classes, **options)
            for kind, table in (("all", testing), ("distinct", fresh))
        }
        for method, pred in on_equal_terms(pd.read_parquet(baselines), thresholds).items()
    }
    write_json(found, output)
    alpha = options["alpha"]
    quotable = [*findings_of(found, about, alpha), *baseline_findings(found["baselines"], alpha)]
    write_findings(quotable, findings)


def leaked(training: pd.DataFrame, testing: pd.DataFrame) -> dict[str, int]:
    """`rows` of the test set whose text stands in the training set, `other_label`: in no row there with that label."""
    name, again = truth_name(testing), stand_in(testing["text"], training["text"])
    told, asked = (part["text"] + " \0 " + part[name].map(str) for part in (training, testing))  # no text holds a NUL
    return {"rows": int(again.sum()), "other_label": int((again & ~stand_in(asked, told)).sum())}


def metrics(table: pd.DataFrame, classes: list[str], *, alpha: float, resamples: int, seed: int) -> dict:
    """Metrics of predictions with columns `text`, `label`, `pred`, `confidence`, `p_{class}`, each with `*_interval`.

    AUC is one-vs-rest, averaged over classes with equal weights; NaN if a class is absent. The confusion matrix counts
    rows by (label, pred); `calibration`, the data of the reliability diagram, has one entry for each bin of confidence
    that is not empty. Rates (accuracy, which is micro F1 as well, precision, recall) have Wilson intervals on
    effective rows, as the rows of a text go together; AUC, F1 and calibration error have bootstrap intervals that
    resample texts. `trials`: how many independent rows those with a class are worth if those of a text are all alike.

    Of several labels a text, an answer is right if it is in every label: accuracy is the share of exact matches. Beside
    it stand those of `labels.label_statistic`; in place of the confusion matrix `given` counts the rows with one label
    that are given another.
    """
    number, several = len(classes), has_several(table)
    truth, given = truth_of(table, number), as_matrix(table["pred"], number)
    texts = texts_of(table)
    right, confidence = same(table["pred"], table[truth_name(table)]), table["confidence"].to_numpy(dtype=float)
    bins, everywhere = bins_of(confidence), np.ones(len(table), dtype=bool)

    def rate(hits: np.ndarray, chosen: np.ndarray) -> tuple[float, float, float]:
        return text_rate(hits[chosen], texts[chosen], alpha)

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
        **with_intervals(
            accuracy=rate(right, everywhere),
            auc_ovr=auc_ovr,
            macro_f1=macro_f1,
            calibration_error=error,
            **overall,
        ),
        "per_class": {
            name: {
                **with_intervals(
                    precision=rate(truth[:, k], given[:, k]),
                    recall=rate(given[:, k], truth[:, k]),
                    f1=f1[k],
                    auc=auc[k],
                    **own[k],
                ),
                "rows": int(truth[:, k].sum()),
                "trials": rows_if_alike(np.bincount(texts[truth[:, k]])),
            }
            for k, name in enumerate(classes)
        },
        "given" if several else "confusion": pairs,
        "calibration": [
            {
                "rows": int(chosen.sum()),
                "confidence": float(confidence[chosen].mean()),
                **with_intervals(accuracy=rate(right, chosen)),
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

    texts, count = texts_of(tables), bounded(resamples, len(tables))
    interval = _bootstrap(difference, texts, resamples=count, alpha=alpha, seed=seed)
    return {"resamples": count, **with_intervals(accuracy=(difference(np.ones(len(tables))), *interval))}


def weighted_statistic(
    truth: np.ndarray, given: np.ndarray, right: np.ndarray, confidence: np.ndarray, scores: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from row weights (n,) to AUC of each class, F1 of each class, their means, and calibration error.

    `truth`, `given` and `scores` are (n, classes), `right` says of which rows the answer is.
    """
    number, bins = scores.shape[1], bins_of(confidence)
    f1_of = f1_scores(truth, given)
    areas = [one_vs_rest_auc(truth[:, k], scores[:, k]) for k in range(number)]

    def statistic(weights: np.ndarray) -> np.ndarray:
        _, f1 = f1_of(weights)
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
