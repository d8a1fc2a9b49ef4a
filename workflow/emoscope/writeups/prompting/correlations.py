"""Pearson correlations between what texts are and what prompts say of them, within a task and across tasks.

A `channel` of a task is what correlations are taken with: each of its classes, or the second of two classes.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.slopes import correlation_p
from emoscope.writeups.prompting.answers import Answer, truth_of

PLANTED = 0.1  # a planted correlation whose sign should be found
# the write-up: the top four go with good sentiment, the bottom four with bad; of the three between it says nothing
PUBLISHED_SIGNS = dict.fromkeys(("optimism", "love", "trust", "joy"), 1)
PUBLISHED_SIGNS |= dict.fromkeys(("pessimism", "sadness", "anger", "disgust"), -1)


def channels(classes: list[str], kind: str, values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names and columns, (texts, channels), of what correlations are taken with."""
    only = slice(1, None) if kind == "single" and len(classes) == 2 else slice(None)
    return classes[only], values[:, only].astype(float)


def correlate(answer: Answer, texts: dict, tasks: dict, drawn: dict) -> pd.DataFrame:
    """Pearson correlations between what texts are (`of`) and what a prompt says of them (`with`).

    On its own task's texts each channel is held against itself, on another's every pair is. `measure` is `score`, the
    probability, or `prediction`, 0 or 1 as in the write-up. Of generated texts `planted` is the correlation with the
    truth in place of what the prompt says. NaN where one side does not vary. `n` counts distinct texts, of which
    intervals and p take the rows together.
    """
    table, kind = texts[answer.texts], tasks[answer.texts]["kind"]
    classes, clusters = tasks[answer.texts]["classes"], table["text"].to_numpy()
    sources, truth = channels(classes, kind, truth_of(table, classes))
    rows = []
    for measure, values in (("score", answer.score), ("prediction", answer.predicted)):
        targets, said = channels(answer.classes, tasks[answer.task]["kind"], values)
        found = weighted_correlations(truth, said, np.ones(len(table)))
        interval = bootstrap_statistic(
            lambda weights, said=said: weighted_correlations(truth, said, weights), clusters, **drawn
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
                    "p": correlation_p(truth[:, i], said[:, j], clusters) if varies else np.nan,
                    "planted": planted,
                    "n": table["text"].nunique(),
                })  # fmt: skip
    return pd.DataFrame(rows)


def weighted_correlations(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson correlations (columns of x, columns of y) of weighted texts; NaN without spread."""
    share = weights / weights.sum()
    x, y = x - share @ x, y - share @ y
    spread = np.sqrt(np.outer(share @ x**2, share @ y**2))
    return np.divide((x * share[:, None]).T @ y, spread, out=np.full(spread.shape, np.nan), where=spread > 1e-12)


def longest(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the longest training."""
    return rows[rows["epochs"] == rows["epochs"].max()]


def of_own_labels(correlations: pd.DataFrame, tasks: list[dict]) -> pd.DataFrame:
    """The labels of each task of several labels with what its own prompts say, after the longest training."""
    several = [task["name"] for task in tasks if task["kind"] == "multiple"]
    own = (correlations["texts"] == correlations["task"]) & correlations["task"].isin(several)
    return longest(correlations[own])


def crossed(correlations: pd.DataFrame, texts: str, task: str) -> pd.DataFrame:
    """One task's texts with what another's prompts say of them after the longest training, strongest first."""
    rows = longest(correlations[(correlations["texts"] == texts) & (correlations["task"] == task)])
    pair = rows[["of", "with"]].agg(tuple, axis=1)
    rank = rows[rows["measure"] == "score"].set_index(["of", "with"])["r"].rank(ascending=False, method="first")
    return rows.assign(rank=pair.map(rank.to_dict())).sort_values("rank", kind="stable").drop(columns="rank")


class PlantedSigns(NamedTuple):
    """Planted correlations of one task's texts with another's labels: how many of their signs were found.

    `good` and `bad` name the labels of which truth says that they go with good and with bad sentiment. A sign is
    `right` if the whole interval lies on its side of zero.
    """

    texts: str
    task: str
    good: list[str]
    bad: list[str]
    right: int

    @property
    def planted(self) -> int:
        return len(self.good) + len(self.bad)


def planted_signs(correlations: pd.DataFrame) -> list[PlantedSigns]:
    """The planted cross-task correlations of more than PLANTED, after the longest training; none for real texts."""
    scores = longest(correlations[correlations["measure"] == "score"])
    scores = scores[(scores["of"] == "good") != (scores["with"] == "good")]  # a sentiment and an emotion
    found = []
    for (texts, task), rows in scores[scores["planted"].abs() > PLANTED].groupby(["texts", "task"], sort=False):
        sign = np.sign(rows["planted"])
        sides = rows[["low", "high"]].mul(sign, axis=0)
        names = rows["with"] if rows["with"].nunique() > 1 else rows["of"]
        poles = (names[sign > 0].tolist(), names[sign < 0].tolist())
        found.append(PlantedSigns(texts, task, *poles, right=int((sides > 0).all(axis=1).sum())))
    return found


def weakest_sign(rows: pd.DataFrame) -> tuple[float, float, float, list[str]] | None:
    """The smallest correlation, each counted positive if it has its published sign; its bounds; and of which emotions.

    `rows` are one task's texts with another's prompts, one measure and training. All signs are as published where the
    whole interval lies above zero: it does where each correlation's own does, so nothing need be adjusted (an
    intersection-union test). What does not vary counts as zero. None without a sentiment or an emotion.
    """
    emotion = rows["with"].where(rows["of"] == "good", rows["of"].where(rows["with"] == "good"))
    sign = emotion.map(PUBLISHED_SIGNS).astype(float)
    named = rows[sign.notna()]
    if named.empty:
        return None
    signed = named[["r", "low", "high"]].fillna(0).mul(sign[sign.notna()], axis=0)
    lows, highs = signed[["low", "high"]].min(axis=1), signed[["low", "high"]].max(axis=1)
    return float(signed["r"].min()), float(lows.min()), float(highs.min()), emotion[sign.notna()].tolist()
