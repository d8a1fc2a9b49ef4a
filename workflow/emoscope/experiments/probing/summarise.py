"""What is read where, and what erasing and steering change: tables and quotable numbers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.probing.erasing.shown import accuracy_lost, answers_moved, beyond_neutral, nearer
from emoscope.experiments.probing.erasing.twins import moved_class, twin_measures
from emoscope.experiments.probing.names import ACCURACY, BAG, CHANGED, DISTANCE, GAP, HERE, MAJORITY, NOTHING
from emoscope.perturbation.pairs import scored
from emoscope.reporting.findings import Finding, in_findings, write_findings
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval
from emoscope.statistics.settings import alpha_of
from emoscope.storage.files import write_table
from emoscope.storage.names import EVERYWHERE, NONE

READ = ["concept", "place", "depth", "right", "low", "high", "control", "selectivity", "selectivity_low"]
READ += ["selectivity_high", "over_words", "over_words_low", "over_words_high"]
READ += ["over_majority", "over_majority_low", "over_majority_high", "texts", "clusters"]
ERASED = ["method", "depth", "measure", "value", "low", "high", "change", "change_low", "change_high", "texts"]
STEERED = ["method", "depth", "dose", "value", "low", "high", "texts"]
DOUBLE = (-2.0, 2.0)  # bounds of the difference of two gaps


def summarise_probing(
    readings: Path,
    axes: list[str],
    pairs: list[Path],
    scores: list[Path],
    answers: list[Path],
    probes: list[Path],
    accuracy: list[Path],
    steered: list[Path],
    statistics: dict,
    depths: Path,
    erased: list[Path],
    doses: list[Path],
    findings: Path,
) -> None:
    """Write `read_table`, and for every axis `erased_table` and `steered_table`, and what they say as findings; the
    lists of files are in the order of `axes`, `pairs` and `scores` those of flips and neutral swaps."""
    alpha = alpha_of(statistics)
    table = read_table(pd.read_parquet(readings), alpha)
    found = [*readings_found(table)]
    for number, axis in enumerate(axes):
        files = (answers, probes, accuracy, steered)
        said, learned, right, moved = (pd.read_parquet(paths[number]) for paths in files)
        means, steps = pd.DataFrame(columns=ERASED), pd.DataFrame(columns=STEERED)
        if len(said):
            name = moved_class(said)
            twins = twin_measures(said, name)
            means = erased_table(outcomes(twins, learned, right), alpha)
            steps = steered_table(moved, name, alpha)
            found += [*erasures_found(axis, means, name), *nearer(axis, twins, statistics)]
            found += [*answers_moved(axis, twins, statistics), *accuracy_lost(axis, right, statistics)]
            flips = scored(pd.read_parquet(pairs[number]), pd.read_parquet(scores[number]))
            found += [*beyond_neutral(axis, said, flips, statistics)]
            found += [*steps_found(axis, steps)]
        write_table(means, erased[number])
        write_table(steps, doses[number])
    write_table(table, depths)
    write_findings(found, findings)


def read_table(readings: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """READ: shares of the judged texts in which a concept is read, by place and depth, with intervals over clusters.

    `control` is the share of that draw of control labels which is read best, `selectivity` by how much the concept is
    read more often (Hewitt and Liang 2019), see `selective`; `over_words` by how much it is than by a bag of words, and
    `over_majority` than its most frequent value is right, in the same texts. At the depth NONE stands what reads
    without the model.
    """
    rows = []
    for key, own in readings.groupby(["concept", "place", "depth"], sort=False):
        right, clusters = own["right"].to_numpy(dtype=float), own["cluster"].to_numpy()
        interval = bounded_interval(right, clusters, SHARE, alpha)
        controls, over = np.stack(own["controls"]).astype(float), (np.nan,) * 6
        if key[2] != NONE:
            without = readings[readings["concept"] == key[0]].groupby("place")["right"]
            rivals = (without.get_group(name).to_numpy(dtype=float) for name in (BAG, MAJORITY))
            over = [number for rival in rivals for number in more_often(right, rival, clusters, alpha)]
        control = controls.mean(axis=0).max() if controls.size else np.nan
        numbers = right.mean(), *interval, control, *selective(right, controls, clusters, alpha), *over
        rows.append((*key, *numbers, len(own), own["cluster"].nunique()))
    return pd.DataFrame(rows, columns=READ)


def more_often(right: np.ndarray, rival: np.ndarray, clusters: np.ndarray, alpha: float) -> tuple[float, ...]:
    """By how much a concept is read more often than by a rival in the same texts (texts,) each, with an interval."""
    above = right - rival
    return above.mean(), *bounded_interval(above, clusters, CHANGE, alpha)


def selective(right: np.ndarray, controls: np.ndarray, clusters: np.ndarray, alpha: float) -> tuple[float, ...]:
    """By how much a concept is read more often (texts,) than the best-read draw of control labels (texts, draws), with
    an interval, as it was chosen: from the lowest of the draws' intervals, since to be above all of them takes each,
    Berger (1982), to the lowest of their upper ends, which are adjusted for how many they are (Bonferroni). NaN without
    draws."""
    if not controls.size:
        return (np.nan,) * 3
    above = right[:, None] - controls
    low = bounded_interval(above, clusters, CHANGE, alpha).low.min()
    high = bounded_interval(above, clusters, CHANGE, alpha / above.shape[1]).high.min()
    return above.mean(axis=0).min(), low, high


def outcomes(twins: pd.DataFrame, probes: pd.DataFrame, accuracy: pd.DataFrame) -> pd.DataFrame:
    """All that erasing may change, a row for each pair or text: `measure, method, draw, depth, unit, cluster, value`.

    Measures are `gap`, `distance` and `changed` of `twin_measures`, the accuracy on test texts, and `{place}, {where}`:
    whether a probe that is learned afresh reads the group.
    """
    ways = ["method", "draw", "depth"]
    parts = [
        twins[[*ways, "cluster"]].assign(measure=name, unit=twins["pair"], value=twins[name])
        for name in (GAP, DISTANCE, CHANGED)
    ]
    parts.append(
        accuracy[ways].assign(
            measure=ACCURACY, unit=accuracy["text"], cluster=accuracy["text"], value=accuracy["right"]
        )
    )
    named = probes["place"] + ", " + probes["where"]
    parts.append(probes[[*ways, "cluster"]].assign(measure=named, unit=probes["text"], value=probes["right"]))
    return pd.concat(parts, ignore_index=True).astype({"value": float})


def erased_table(found: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """ERASED: by method and depth the mean of every measure, over its draws, and its change from what it is with
    nothing erased; intervals over clusters. What is read HERE, where it is erased, has none but at the embeddings: with
    nothing erased it is read there alone."""
    parts = []
    for measure, own in found.groupby("measure", sort=False):
        clusters = own.drop_duplicates("unit").set_index("unit")["cluster"]
        means = own.groupby(["unit", "method", "depth"])["value"].mean().unstack(["method", "depth"])
        names, values = clusters.loc[means.index].to_numpy(), means.to_numpy()
        change = values - means[NOTHING].to_numpy()
        within, apart = (CHANGE, DOUBLE) if measure == GAP else (SHARE, CHANGE)
        low, high = bounded_interval(values, names, within, alpha)
        change_low, change_high = bounded_interval(change, names, apart, alpha)
        numbers = {"value": values.mean(axis=0), "low": low, "high": high, "change": change.mean(axis=0)}
        numbers |= {"change_low": change_low, "change_high": change_high, "texts": len(means)}
        table = means.columns.to_frame(index=False).assign(measure=measure, **numbers)
        incomparable = measure.endswith(f", {HERE}") & (table["depth"] > 0)
        table.loc[incomparable, ["change", "change_low", "change_high"]] = np.nan
        parts.append(table)
    return pd.concat(parts, ignore_index=True)[ERASED]


def steered_table(steered: pd.DataFrame, name: str, alpha: float) -> pd.DataFrame:
    """STEERED: by method, depth and dose how far the class's probability moves to where the other group has it: the
    mean over texts, of random directions over draws too; positive is towards what the first group has more of."""
    key = ["pair", "value"]
    table = steered.assign(value=steered["value"].astype(int), p=steered[f"p_{name}"].astype(float))
    before = table[table["method"] == NOTHING].set_index(key)
    rows = []
    for (method, depth, dose), own in table[table["method"] != NOTHING].groupby(
        ["method", "depth", "dose"], sort=False
    ):
        after = own.groupby(key)["p"].mean().reindex(before.index)
        sign = np.where(before.index.get_level_values("value") == 1, 1, -1)
        moved = sign * (after - before["p"]).to_numpy()
        interval = bounded_interval(moved, before["cluster"].to_numpy(), CHANGE, alpha)
        rows.append((method, depth, dose, moved.mean(), *interval, len(moved)))
    return pd.DataFrame(rows, columns=STEERED)


def readings_found(table: pd.DataFrame) -> Iterator[Finding]:
    """`{concept}.read.{place}.{depth}`, and in its place `.over_words`, `.over_majority` and, where there are control
    labels, `.selectivity`; `{concept}.without.{method}`, of what reads without the model."""
    for row in table.to_dict("records"):
        note, place = f"{row['texts']} texts, {row['clusters']} independent.", in_findings(row["place"])
        numbers = row["right"], row["low"], row["high"], note
        if row["depth"] == NONE:
            yield Finding(f"{row['concept']}.without.{place}", *numbers)
            continue
        yield Finding(f"{row['concept']}.read.{place}.{row['depth']}", *numbers)
        for beside in ("selectivity", "over_words", "over_majority"):
            numbers = row[beside], row[f"{beside}_low"], row[f"{beside}_high"], note
            if not np.isnan(row[beside]):
                yield Finding(f"{row['concept']}.{beside}.{place}.{row['depth']}", *numbers)


def erasures_found(axis: str, table: pd.DataFrame, name: str) -> Iterator[Finding]:
    """`{axis}.{measure}.{method}`, erased at every depth that is tried, and `{axis}.change.{measure}.{method}`, its
    change from what it is with nothing erased; `{axis}.embeddings.{measure}.{method}`, erased there alone."""
    for row in table[table["depth"] == 0].to_dict("records"):
        quoted = f"{axis}.embeddings.{in_findings(row['measure'])}.{in_findings(row['method'])}"
        yield Finding(quoted, row["value"], row["low"], row["high"], f"{row['texts']} pairs or texts.")
    for row in table[table["depth"] == EVERYWHERE].to_dict("records"):
        note = f"{row['texts']} pairs or texts." + (f" The class is {name}." if row["measure"] == GAP else "")
        measure, method = in_findings(row["measure"]), in_findings(row["method"])
        yield Finding(f"{axis}.{measure}.{method}", row["value"], row["low"], row["high"], note)
        if row["method"] != NOTHING:
            numbers = row["change"], row["change_low"], row["change_high"], note
            yield Finding(f"{axis}.change.{measure}.{method}", *numbers)


def steps_found(axis: str, table: pd.DataFrame) -> Iterator[Finding]:
    """`{axis}.steered.{method}.{depth}.{dose}`."""
    for row in table.to_dict("records"):
        where = f"{in_findings(row['method'])}.{row['depth']}.{row['dose']:g}"
        note = f"{row['texts']} texts."
        yield Finding(f"{axis}.steered.{where}", row["value"], row["low"], row["high"], note)
