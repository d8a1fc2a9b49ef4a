"""The prompting page in numbers: its tables, and every number that a reader could quote."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.families import benjamini_hochberg
from emoscope.statistics.rates import wilson_interval
from emoscope.statistics.settings import resampling
from emoscope.storage.files import read_json, write_csv, write_json, write_table
from emoscope.storage.names import ALL
from emoscope.writeups.prompting.answers import answers_of
from emoscope.writeups.prompting.correlations import correlate
from emoscope.writeups.prompting.reports import ALONE, compare_alone, pairs_alone, report_of


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
        [row for pair in pairs_alone(answers) for row in compare_alone(*pair, texts, known, drawn)], columns=ALONE
    )
    write_table(report, reports)
    write_table(related, correlations)
    write_table(compared, alone)
    write_csv(losses, history)
    write_json(list(known.values()), tasks)
    moved = pd.read_parquet(checks)
    write_findings(_findings(report, related, compared, losses, moved, known, drawn["alpha"]), findings)


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
