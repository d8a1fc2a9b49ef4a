"""How well prompts do: classification reports, correlations within and across tasks, one label alone; with intervals.

A `channel` of a task is what correlations are taken with: each of its classes, or the second of two classes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, softmax
from scipy.stats import pearsonr

from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.bounded import SHARE, bounded_interval
from emoscope.statistics.families import benjamini_hochberg
from emoscope.statistics.rates import mcnemar_test, wilson_interval
from emoscope.statistics.settings import resampling
from emoscope.storage.files import read_json, write_csv, write_json, write_table
from emoscope.storage.names import ALL

AVERAGES = ("micro avg", "macro avg", "weighted avg", "samples avg")
CLASS_SCORES = ("precision", "recall", "f1")


def summarise_prompting(
    scores: Path,
    checks: Path,
    tests: list[Path],
    about: list[Path],
    histories: list[Path],
    statistics: dict,
    reports: Path,
    correlations: Path,
    alone: Path,
    history: Path,
    tasks: Path,
    findings: Path,
) -> None:
    """Write the tables of the page and the findings; `tests`, `about` and `histories` list the tasks in one order."""
    known = {task["name"]: task for task in map(read_json, about)}
    texts = dict(zip(known, map(pd.read_parquet, tests), strict=True))
    losses = pd.concat(
        [pd.read_csv(path).assign(task=name) for name, path in zip(known, histories, strict=True)], ignore_index=True
    )
    drawn = resampling(statistics)
    answers = answers_of(pd.read_parquet(scores), known)
    report = pd.concat([report_of(answer, texts, known, drawn) for answer in answers if answer.own], ignore_index=True)
    related = pd.concat([correlate(answer, texts, known, drawn) for answer in answers if answer.label == ALL])
    family = [related["texts"], related["task"], related["epochs"], related["measure"]]
    related["p_adjusted"] = related.groupby(family)["p"].transform(benjamini_hochberg)
    compared = pd.DataFrame(
        [row for pair in _pairs(answers) for row in compare_alone(*pair, texts, known, drawn)], columns=ALONE
    )
    write_table(report, reports)
    write_table(related, correlations)
    write_table(compared, alone)
    write_csv(losses, history)
    write_json(list(known.values()), tasks)
    moved = pd.read_parquet(checks)
    write_findings(_findings(report, related, compared, losses, moved, known, drawn["alpha"]), findings)


class Answer(NamedTuple):
    """What one prompt says of one task's test texts: probability and 0/1 prediction, both (texts, classes)."""

    texts: str
    task: str
    label: str
    epochs: int
    classes: list[str]
    score: np.ndarray
    predicted: np.ndarray

    @property
    def own(self) -> bool:
        """Is it the prompt of the texts' own task, and of the whole of it?"""
        return self.texts == self.task and self.label == ALL


def answers_of(scores: pd.DataFrame, tasks: dict[str, dict]) -> list[Answer]:
    """Turn the logits of `scores` into probabilities and predictions, prompt by prompt."""
    answers = []
    for (texts, task, label, epochs), rows in scores.groupby(["texts", "task", "label", "epochs"], sort=False):
        classes = list(dict.fromkeys(rows["class"]))
        logits = rows["logit"].to_numpy(float).reshape(-1, len(classes))
        if label == ALL and tasks[task]["kind"] == "multiple":
            score, predicted = expit(logits), logits > 0
        else:
            score, predicted = softmax(logits, axis=1), np.eye(len(classes), dtype=bool)[logits.argmax(axis=1)]
        answers.append(Answer(texts, task, label, int(epochs), classes, score, predicted))
    return answers


def truth_of(table: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """The 0/1 columns of a task's texts, bool (texts, classes)."""
    return table[[f"is_{name}" for name in classes]].to_numpy(bool)


def channels(classes: list[str], kind: str, values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names and columns, (texts, channels), of what correlations are taken with."""
    only = slice(1, None) if kind == "single" and len(classes) == 2 else slice(None)
    return classes[only], values[:, only].astype(float)


def report_of(answer: Answer, texts: dict, tasks: dict, drawn: dict) -> pd.DataFrame:
    """A classification report as rows of `task, epochs, row, measure, value, low, high, support`.

    Rows are the classes and scikit-learn's averages, 0 where nothing is to be divided; `accuracy` is the share of texts
    that are right, and for a task of several labels Jaccard's index as in SemEval-2018: labels both true and predicted
    over labels either true or predicted, averaged over texts, 1 where there are none.
    """
    truth, clusters = truth_of(texts[answer.texts], answer.classes), texts[answer.texts]["text"].to_numpy()
    interval = bootstrap_statistic(lambda w: report_values(truth, answer.predicted, w), clusters, **drawn)
    values = report_values(truth, answer.predicted, np.ones(len(truth)))
    names, support = [*answer.classes, *AVERAGES], [*truth.sum(axis=0), *[truth.sum()] * len(AVERAGES)]
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
        rows.append(
            (ALL, "accuracy", right.mean(), *wilson_interval(right.sum(), len(right), drawn["alpha"]), len(right))
        )
    else:
        either, both = (truth | answer.predicted).sum(axis=1), (truth & answer.predicted).sum(axis=1)
        share = np.where(either == 0, 1.0, both / np.maximum(either, 1))
        bounds = bounded_interval(share, clusters, SHARE, drawn["alpha"])
        rows.append((ALL, "accuracy", share.mean(), *bounds, len(share)))
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


def correlate(answer: Answer, texts: dict, tasks: dict, drawn: dict) -> pd.DataFrame:
    """Pearson correlations between what texts are (`of`) and what a prompt says of them (`with`).

    On its own task's texts each channel is held against itself, on another's every pair is. `measure` is `score`, the
    probability, or `prediction`, 0 or 1 as in the write-up. Of generated texts `planted` is the correlation with the
    truth in place of what the prompt says. NaN where one side does not vary.
    """
    table, kind = texts[answer.texts], tasks[answer.texts]["kind"]
    classes = tasks[answer.texts]["classes"]
    sources, truth = channels(classes, kind, truth_of(table, classes))
    rows = []
    for measure, values in (("score", answer.score), ("prediction", answer.predicted)):
        targets, said = channels(answer.classes, tasks[answer.task]["kind"], values)
        found = weighted_correlations(truth, said, np.ones(len(table)))
        interval = bootstrap_statistic(
            lambda weights, said=said: weighted_correlations(truth, said, weights), table["text"].to_numpy(), **drawn
        )
        for i, source in enumerate(sources):
            for j, target in enumerate(targets):
                if answer.own and i != j:
                    continue
                varies = not np.isnan(found[i, j])
                planted = np.nan
                if not answer.own and f"planted_{target}" in table:
                    there = table[[f"planted_{target}"]].to_numpy(float)
                    planted = weighted_correlations(truth[:, [i]], there, np.ones(len(table)))[0, 0]
                rows.append({
                    "texts": answer.texts, "task": answer.task, "epochs": answer.epochs, "measure": measure,
                    "of": source, "with": target, "r": found[i, j],
                    "low": interval.low[i, j] if varies else np.nan, "high": interval.high[i, j] if varies else np.nan,
                    "p": float(pearsonr(truth[:, i], said[:, j]).pvalue) if varies else np.nan,
                    "planted": planted,
                    "n": len(table),
                })  # fmt: skip
    return pd.DataFrame(rows)


def weighted_correlations(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson correlations (columns of x, columns of y) of weighted texts; NaN without spread."""
    share = weights / weights.sum()
    x, y = x - share @ x, y - share @ y
    spread = np.sqrt(np.outer(share @ x**2, share @ y**2))
    return np.divide((x * share[:, None]).T @ y, spread, out=np.full(spread.shape, np.nan), where=spread > 1e-12)


ALONE = ["task", "label", "epochs", "measure", "joint", "alone", "difference", "low", "high", "p"]


def _pairs(answers: list[Answer]) -> Iterator[tuple[Answer, Answer]]:
    """Each label's own prompt with the joint prompt of its task, on the task's own texts."""
    joint = {(answer.task, answer.epochs): answer for answer in answers if answer.own}
    for answer in answers:
        if answer.label != ALL and answer.texts == answer.task:
            yield joint[answer.task, answer.epochs], answer


def compare_alone(joint: Answer, alone: Answer, texts: dict, tasks: dict, drawn: dict) -> Iterator[tuple]:
    """Rows of ALONE: the joint prompt's report on one label, that of the label's own prompt, joint minus alone.

    The interval is that of the difference, both judged on the same resampled texts; p is McNemar's, for accuracy.
    """
    table, place = texts[joint.texts], joint.classes.index(alone.label)
    truth = table[f"is_{alone.label}"].to_numpy(bool)
    said = [(joint.predicted[:, place], joint.score[:, place]), (alone.predicted[:, 1], alone.score[:, 1])]

    def values(weights: np.ndarray) -> np.ndarray:
        both = [
            [
                weights @ (predicted == truth) / weights.sum(),
                *report_values(truth[:, None], predicted[:, None], weights)[0],
                weighted_correlations(truth[:, None].astype(float), score[:, None], weights)[0, 0],
            ]
            for predicted, score in said
        ]
        return np.array([*both, np.subtract(both[0], both[1])])

    found = values(np.ones(len(table)))
    interval = bootstrap_statistic(values, table["text"].to_numpy(), **drawn)
    p = mcnemar_test(said[0][0] == truth, said[1][0] == truth).p
    for number, measure in enumerate(("accuracy", *CLASS_SCORES, "pearson")):
        numbers = (*found[:, number], interval.low[2, number], interval.high[2, number])
        yield alone.task, alone.label, alone.epochs, measure, *numbers, p if measure == "accuracy" else np.nan


def _findings(
    report: pd.DataFrame,
    related: pd.DataFrame,
    compared: pd.DataFrame,
    losses: pd.DataFrame,
    moved: pd.DataFrame,
    tasks: dict,
    alpha: float,
) -> Iterator[Finding]:
    for name, task in tasks.items():
        for label, rate in task["train_rates"].items():
            yield Finding(f"{name}.train_rate.{label}", rate, note=f"of {task['train_rows']} training texts")
        note = f"of {task['test_rows']} test texts stand in the training set, too"
        yield Finding(f"{name}.leaked", task["leaked_test_rows"], note=note)
    for row in losses.itertuples():
        yield Finding(f"{row.task}.{row.label}.loss.{row.epoch}", row.loss, note="mean over the epoch's batches")
    for row in report.itertuples():
        where = "" if row.row == ALL else f".{row.row.replace(' ', '_')}"
        yield Finding(
            f"{row.task}.{row.epochs}.{row.measure}{where}", row.value, row.low, row.high, f"{row.support} texts"
        )
    for row in related.to_dict("records"):
        own = row["texts"] == row["task"]
        name = row["texts"] if own else f"{row['texts']}.by_{row['task']}"
        pair = row["with"] if own else f"{row['of']}.{row['with']}"
        note = f"{row['n']} texts; p {row['p']:.3g}, adjusted {row['p_adjusted']:.3g}"
        planted = "" if np.isnan(row["planted"]) else f"; planted {row['planted']:.3f}"
        name = f"{name}.{row['epochs']}.pearson.{row['measure']}.{pair}"
        yield Finding(name, row["r"], row["low"], row["high"], note + planted)
    for row in compared.itertuples():
        stem = f"{row.task}.{row.label}_alone.{row.epochs}.{row.measure}"
        yield Finding(stem, row.alone, note="interval: see the difference")
        yield Finding(
            f"{stem}.difference", row.difference, row.low, row.high, f"joint minus alone; joint {row.joint:.4f}"
        )
    for check, rows in moved.groupby("check", sort=False):
        stem, most, note = (
            check.replace(" ", "_"),
            rows["moved"].max(),
            f"largest change of a logit in {len(rows)} texts",
        )
        yield Finding(f"{stem}.moved", most, rows["moved"].min(), most, f"{note}; not an interval but the range")
        if check != "composite head":
            share = wilson_interval(rows["flipped"].sum(), len(rows), alpha)
            yield Finding(f"{stem}.flipped", rows["flipped"].mean(), *share, f"of {len(rows)} texts another prediction")
