"""The prompting page in numbers: its tables, and every number that a reader could quote."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.reporting.findings import Finding, write_findings
from emoscope.reporting.html import listed
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.rates import described_rate
from emoscope.statistics.settings import resampling
from emoscope.storage.files import read_csv, read_json, write_csv, write_json, write_table
from emoscope.storage.names import ALL
from emoscope.writeups.prompting.answers import answers_of
from emoscope.writeups.prompting.comparisons import (
    ALONE,
    LONGER,
    baseline_answers,
    compare_alone,
    compare_baseline,
    compare_lengths,
    pairs_alone,
    pairs_beside,
    pairs_longer,
)
from emoscope.writeups.prompting.correlations import correlate, weakest_sign
from emoscope.writeups.prompting.reports import report_of


def summarise_prompting(
    scores: Path,
    baselines: Path,
    checks: Path,
    tests: list[Path],
    about: list[Path],
    histories: list[Path],
    statistics: dict,
    reports: Path,
    correlations: Path,
    alone: Path,
    compared: Path,
    history: Path,
    tasks: Path,
    findings: Path,
) -> None:
    """Write the tables of the page and the findings; `tests`, `about` and `histories` list the tasks in one order."""
    known = {task["name"]: task for task in map(read_json, about)}
    texts = dict(zip(known, map(pd.read_parquet, tests), strict=True))
    losses = pd.concat(
        [read_csv(path).assign(task=name) for name, path in zip(known, histories, strict=True)], ignore_index=True
    )
    drawn = resampling(statistics)
    answers = answers_of(pd.read_parquet(scores), known)
    report = pd.concat([report_of(answer, texts, known, drawn) for answer in answers if answer.own], ignore_index=True)
    related = pd.concat([correlate(answer, texts, known, drawn) for answer in answers if answer.label == ALL])
    family = [related["texts"], related["task"], related["epochs"], related["measure"]]
    related["p_adjusted"] = related.groupby(family)["p"].transform(benjamini_hochberg)
    pairs = [row for pair in pairs_alone(answers) for row in compare_alone(*pair, texts, drawn)]
    own_prompts = pd.DataFrame(pairs, columns=ALONE)
    said = baseline_answers(pd.read_parquet(baselines), known)
    rows = [compare_baseline(*pair, texts, known, drawn) for pair in pairs_beside(answers, said)]
    beside = pd.concat(rows, ignore_index=True)
    longer = [row for pair in pairs_longer(answers) for row in compare_lengths(*pair, texts, known, drawn)]
    write_table(report, reports)
    write_table(related, correlations)
    write_table(own_prompts, alone)
    write_table(beside, compared)
    write_csv(losses, history)
    write_json(list(known.values()), tasks)
    write_findings(
        [
            *data_findings(known, losses),
            *report_findings(report),
            *correlation_findings(related),
            *alone_findings(own_prompts),
            *baseline_findings(beside),
            *length_findings(pd.DataFrame(longer, columns=LONGER)),
            *check_findings(pd.read_parquet(checks), texts, drawn["alpha"]),
        ],
        findings,
    )


def data_findings(tasks: dict[str, dict], losses: pd.DataFrame) -> Iterator[Finding]:
    """Of each task the shares of its labels and the test texts left out; of each training the loss by epoch."""
    for name, task in tasks.items():
        for label, rate in task["train_rates"].items():
            yield Finding(f"{name}.train_rate.{label}", rate, note=f"of {task['train_rows']} training texts")
        note = f"test texts that stand in the training set, too, are left out; {task['test_rows']} are judged"
        yield Finding(f"{name}.leaked", task["leaked_test_rows"], note=note)
    for row in losses.itertuples():
        yield Finding(f"{row.task}.{row.label}.loss.{row.epoch}", row.loss, note="mean over the epoch's batches")


def report_findings(report: pd.DataFrame) -> Iterator[Finding]:
    """Every number of the prompts' own reports."""
    for row in report.itertuples():
        name = f"{row.task}.{row.epochs}.{_measure(row.measure, row.row)}"
        yield Finding(name, row.value, row.low, row.high, f"{row.support} texts")


def correlation_findings(related: pd.DataFrame) -> Iterator[Finding]:
    """Every correlation, and of one task's texts with another's prompts the weakest of the published signs."""
    for row in related.to_dict("records"):
        own = row["texts"] == row["task"]
        name = row["texts"] if own else f"{row['texts']}.by_{row['task']}"
        pair = row["with"] if own else f"{row['of']}.{row['with']}"
        note = f"{row['n']} texts; p {row['p']:.3g}, adjusted {row['p_adjusted']:.3g}"
        planted = "" if np.isnan(row["planted"]) else f"; planted {row['planted']:.3f}"
        name = f"{name}.{row['epochs']}.pearson.{row['measure']}.{pair}"
        yield Finding(name, row["r"], row["low"], row["high"], note + planted)
    across = related[related["texts"] != related["task"]]
    for (texts, task, epochs, measure), rows in across.groupby(["texts", "task", "epochs", "measure"], sort=False):
        if found := weakest_sign(rows):
            note = (
                f"the smallest of the correlations of {listed(found[-1])}, positive where the sign is the published one"
            )
            name = f"{texts}.by_{task}.{epochs}.pearson.{measure}.weakest_sign"
            yield Finding(name, *found[:3], note, texts=rows["n"].iloc[0])


def alone_findings(alone: pd.DataFrame) -> Iterator[Finding]:
    """What a prompt trained for one label alone reaches, and how far the joint one's lies above that."""
    for row in alone.itertuples():
        stem = f"{row.task}.{row.label}_alone.{row.epochs}.{row.measure}"
        yield Finding(stem, row.alone, note="interval: see the difference")
        yield Finding(
            f"{stem}.difference", row.difference, row.low, row.high, f"joint minus alone; joint {row.joint:.4f}"
        )


def baseline_findings(beside: pd.DataFrame) -> Iterator[Finding]:
    """Each baseline's scores, and how far each prompt's lie above them."""
    for row in beside.itertuples():
        method, measure = row.method.replace(" ", "_"), _measure(row.measure, row.row)
        if row.epochs == beside["epochs"].min():
            yield Finding(f"{row.task}.{method}.{measure}", row.value, row.low, row.high, f"{row.texts} texts")
        yield Finding(
            f"{row.task}.{row.epochs}.{measure}.above_{method}",
            row.difference,
            row.difference_low,
            row.difference_high,
            f"prompt minus baseline on the same texts; baseline {row.value:.4f}",
            texts=row.texts,
            detectable=row.detectable,
        )


def length_findings(longer: pd.DataFrame) -> Iterator[Finding]:
    """What a longer training changes; a prompt of the shorter one is a station of it."""
    for row in longer.itertuples():
        name = f"{row.task}.{row.long}_minus_{row.short}.{_measure(row.measure, row.of)}"
        yield Finding(name, row.difference, row.low, row.high, "one training, on the same texts", texts=row.texts)


def check_findings(moved: pd.DataFrame, texts: dict[str, pd.DataFrame], alpha: float) -> Iterator[Finding]:
    """Largest changes, which are counted over all checked texts and therefore have no interval; and how often a
    prediction changes. Of `texts`, the test texts of every task, one may be of several tasks."""
    of = {task: table.set_index("id")["text"] for task, table in texts.items()}
    for check, rows in moved.groupby("check", sort=False):
        stem, note = check.replace(" ", "_"), f"largest change of any logit of {len(rows)} texts, exactly"
        yield Finding(f"{stem}.moved", rows["moved"].max(), note=note)
        if check != "composite head":
            checked = [of[task][number] for task, number in zip(rows["texts"], rows["id"], strict=True)]
            share = described_rate(rows["flipped"], checked, alpha)
            yield Finding(f"{stem}.flipped", rows["flipped"].mean(), *share, f"of {len(rows)} texts another prediction")


def _measure(measure: str, row: str) -> str:
    """A measure and what it is of, as findings name them."""
    return measure if row == ALL else f"{measure}.{row.replace(' ', '_')}"
