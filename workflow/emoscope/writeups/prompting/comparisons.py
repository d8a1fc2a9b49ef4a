"""Differences on the same test texts: a prompt beside the cheapest classifiers, one label's own prompt beside the joint
one, a longer training beside a shorter one; each with its interval."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emoscope.statistics.adjustment import holm
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.equivalence import detectable_from_interval, interval_test
from emoscope.statistics.rates import described_rate, mcnemar_test, rate_difference_interval
from emoscope.storage.names import ALL
from emoscope.writeups.prompting.answers import Answer, answers_of, truth_of
from emoscope.writeups.prompting.correlations import channels, weighted_correlations
from emoscope.writeups.prompting.reports import CLASS_SCORES, OVERALL, overall_scores, report_values

ALONE = ["task", "label", "epochs", "measure", "joint", "alone", "difference", "low", "high", "p"]
LONGER = ["task", "short", "long", "measure", "of", "difference", "low", "high", "texts"]


def baseline_answers(scores: pd.DataFrame, tasks: dict[str, dict]) -> dict[str, list[Answer]]:
    """What each baseline says of every task's test texts, by method; `scores` as `baselines` writes them."""
    named = scores.assign(task=scores["texts"], label=ALL, epochs=0)
    return {method: answers_of(rows, tasks) for method, rows in named.groupby("method", sort=False)}


def pairs_beside(answers: list[Answer], said: dict[str, list[Answer]]) -> Iterator[tuple[Answer, str, Answer]]:
    """Each task's own prompts, with each method's name and what it says of the same texts; `said` is by method."""
    for method, baselines in said.items():
        for baseline in baselines:
            for answer in answers:
                if answer.own and answer.texts == baseline.texts:
                    yield answer, method, baseline


def compare_baseline(
    prompt: Answer, method: str, baseline: Answer, texts: dict, tasks: dict, drawn: dict
) -> pd.DataFrame:
    """A baseline's scores, and those of the prompt minus them, both judged on the same resampled texts.

    Columns `task, epochs, method, row, measure, texts`, the baseline's `value, low, high`, the `difference` with
    `difference_low` and `difference_high`, and `detectable`, the smallest difference that so many texts show with 80 %
    power. Shares of texts have Wilson's and Newcombe's intervals. `texts` are distinct; rows of one count together.
    """
    table, kind = texts[prompt.texts], tasks[prompt.task]["kind"]
    truth, clusters = truth_of(table, prompt.classes), table["text"].to_numpy()

    def values(weights: np.ndarray) -> np.ndarray:
        own, other = (overall_scores(truth, said.predicted, weights, kind) for said in (prompt, baseline))
        return np.stack([other, own - other])

    found = values(np.ones(len(table)))
    if kind == "single":
        own, other = ((truth & said.predicted).any(axis=1) for said in (prompt, baseline))
        bounds = [
            described_rate(other, clusters, drawn["alpha"]),
            rate_difference_interval(own, other, paired=True, clusters=(clusters, clusters), alpha=drawn["alpha"]),
        ]
        low, high = np.array(bounds).T[..., None]
    else:
        low, high = bootstrap_statistic(values, clusters, **drawn)
    rows = pd.DataFrame(OVERALL[kind], columns=["row", "measure"])
    return rows.assign(
        task=prompt.task, epochs=prompt.epochs, method=method, texts=table["text"].nunique(),
        value=found[0], low=low[0], high=high[0],
        difference=found[1], difference_low=low[1], difference_high=high[1],
        detectable=[detectable_from_interval(*pair, drawn["alpha"]) for pair in zip(low[1], high[1], strict=True)],
    )  # fmt: skip


def told_apart(rows: pd.DataFrame, alpha: float) -> np.ndarray:
    """For rows of `compare_baseline` 1 where the prompt is shown to do better, -1 where it does worse, else 0.

    p by the errors that the intervals imply, Holm over the rows, since single ones are named. Without an interval: 0.
    """
    bounds = rows[["difference", "difference_low", "difference_high"]].to_numpy(dtype=float)
    p = holm(np.array([interval_test(*row, 0.0, alpha)[1] + 0 * row[1] for row in bounds]))  # NaN without an interval
    return np.where(p <= alpha, np.sign(bounds[:, 0]), 0)


def compare_lengths(short: Answer, long: Answer, texts: dict, tasks: dict, drawn: dict) -> Iterator[tuple]:
    """Rows of LONGER: the longer training's scores minus the shorter one's, and the same of the correlations of each
    label with its prediction; both judged on the same resampled texts."""
    table, task = texts[short.texts], tasks[short.task]
    truth = truth_of(table, short.classes)
    names, there = channels(short.classes, task["kind"], truth)

    def values(weights: np.ndarray) -> np.ndarray:
        found = []
        for answer in (long, short):
            _, said = channels(answer.classes, task["kind"], answer.predicted)
            related = np.diagonal(weighted_correlations(there, said, weights))
            found.append([*overall_scores(truth, answer.predicted, weights, task["kind"]), *related])
        return np.subtract(*found)

    difference = values(np.ones(len(table)))
    low, high = bootstrap_statistic(values, table["text"].to_numpy(), **drawn)
    measures = [(measure, row) for row, measure in OVERALL[task["kind"]]]
    measures += [("pearson.prediction", name) for name in names]
    for (measure, of), *numbers in zip(measures, difference, low, high, strict=True):
        yield short.task, short.epochs, long.epochs, measure, of, *numbers, table["text"].nunique()


def pairs_longer(answers: list[Answer]) -> Iterator[tuple[Answer, Answer]]:
    """Each task's own prompt of the shortest and of the longest training, if there are two."""
    for task in dict.fromkeys(answer.task for answer in answers):
        own = sorted((answer for answer in answers if answer.own and answer.task == task), key=lambda one: one.epochs)
        if len(own) > 1:
            yield own[0], own[-1]


def pairs_alone(answers: list[Answer]) -> Iterator[tuple[Answer, Answer]]:
    """Each label's own prompt with the joint prompt of its task, on the task's own texts."""
    joint = {(answer.task, answer.epochs): answer for answer in answers if answer.own}
    for answer in answers:
        if answer.label != ALL and answer.texts == answer.task:
            yield joint[answer.task, answer.epochs], answer


def compare_alone(joint: Answer, alone: Answer, texts: dict, drawn: dict) -> Iterator[tuple]:
    """Rows of ALONE: the joint prompt's report on one label, that of the label's own prompt, joint minus alone.

    The interval is that of the difference, both judged on the same resampled texts; p is McNemar's, for accuracy.
    """
    table, place = texts[joint.texts], joint.classes.index(alone.label)
    clusters = table["text"].to_numpy()
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
    interval = bootstrap_statistic(values, clusters, **drawn)
    p = mcnemar_test(said[0][0] == truth, said[1][0] == truth, clusters)
    for number, measure in enumerate(("accuracy", *CLASS_SCORES, "pearson")):
        numbers = (*found[:, number], interval.low[2, number], interval.high[2, number])
        yield alone.task, alone.label, alone.epochs, measure, *numbers, p if measure == "accuracy" else np.nan
