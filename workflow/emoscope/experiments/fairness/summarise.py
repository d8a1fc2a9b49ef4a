"""The tables and the quotable numbers of fairness."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from emoscope.experiments.fairness.gaps import absolute_gaps, paired_tests
from emoscope.experiments.fairness.groups import CALIBRATION_ERROR, compare_column, compare_groups, named_groups
from emoscope.perturbation.pairs import scored
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.settings import resampling
from emoscope.storage.decisions import without_truth
from emoscope.storage.files import read_json, write_table


def summarise_fairness(
    predictions: list[Path], test: Path, audit: Path, pairs: list[Path], scores: list[Path], summaries: list[Path],
    sides: dict, statistics: dict, groups: Path, changes: Path, templates: Path, findings: Path,
) -> None:  # fmt: skip
    """Write, for every axis of flips (`axis`), `compare_groups` with the names of both, `absolute_gaps`,
    `paired_tests`, and findings; and `compare_column`, if the corpus has a column of groups.

    `sides` has the two groups of each axis; `pairs`, `scores` and `summaries` list the axes in its order.
    """
    about, margin, options = read_json(audit), statistics["margin"], resampling(statistics)
    classes = about["classes"]
    said = without_truth(pd.concat(map(pd.read_parquet, predictions), ignore_index=True))
    tested = pd.read_parquet(test).merge(said, on="id", validate="1:1")
    tables, found = {groups: [], changes: [], templates: []}, []
    for (axis, named), pair, score, summary in zip(sides.items(), pairs, scores, summaries, strict=True):
        table = scored(pd.read_parquet(pair), pd.read_parquet(score))
        compared = compare_groups(tested, named_groups(table), named, classes, margin, **options)
        absolute = absolute_gaps(table, classes, margin, options["alpha"])
        tables[groups].append(compared.assign(axis=axis, first_group=named[0], second_group=named[1]))
        tables[changes].append(absolute.assign(axis=axis))
        tables[templates].append(paired_tests(table, named, classes, margin, options["alpha"]).assign(axis=axis))
        found += [*findings_of(axis, absolute, pd.read_parquet(summary)), *group_findings(axis, compared)]
    if "group" in about:
        told = compare_column(tested, about["group"], classes, margin, **options)
        tables[groups].append(told)
        found += [one for axis, own in told.groupby("axis", sort=False) for one in group_findings(axis, own)]
    for path, parts in tables.items():
        write_table(pd.concat(parts, ignore_index=True), path)
    write_findings(found, findings)


def findings_of(axis: str, absolute: pd.DataFrame, summary: pd.DataFrame) -> Iterator[Finding]:
    """In the same text, `{axis}.{origin}.counterfactual_gap.{class}`, the first group minus the second,
    `.absolute_gap.{class}` and `.absolute_gap_beyond_neutral.{class}`."""
    for origin, kind in summary[summary["measure"].str.startswith("gap_")].groupby("origin", sort=False):
        for row in kind.to_dict("records"):
            name = f"{axis}.{origin}.counterfactual_gap.{row['measure'].removeprefix('gap_')}"
            numbers = row["value"], row["low"], row["high"], f"Over {row['pairs']} pairs."
            yield Finding(name, *numbers, texts=row["clusters"], detectable=row["detectable_alone"])
    for row in absolute.to_dict("records"):
        name, note = f"{axis}.{row['origin']}.absolute_gap", f"Over {row['pairs']} pairs."
        yield Finding(f"{name}.{row['class']}", row["value"], row["low"], row["high"], note, texts=row["clusters"])
        if row["controls"]:
            more = (
                row["excess"],
                row["excess_low"],
                row["excess_high"],
                f"Over {row['controls']} texts with a neutral swap.",
            )
            yield Finding(f"{name}_beyond_neutral.{row['class']}", *more, detectable=row["detectable_alone"])


def group_findings(axis: str, compared: pd.DataFrame) -> Iterator[Finding]:
    """Between texts of the one group and of the other, `{axis}.groups.{measure}` and, for rates of classes,
    `.{class}`."""
    for row in compared[compared["measure"] != CALIBRATION_ERROR].to_dict("records"):  # it has no difference
        name = ".".join(
            filter(None, (axis.replace(" ", "_"), "groups", row["measure"].replace(" ", "_"), row["class"]))
        )
        note = f"Of {row['first_texts']} and {row['second_texts']} texts, which may differ in more than whom they name."
        numbers = row["difference"], row["low"], row["high"], note
        yield Finding(
            name, *numbers, texts=row["first_texts"] + row["second_texts"], detectable=row["detectable_alone"]
        )
