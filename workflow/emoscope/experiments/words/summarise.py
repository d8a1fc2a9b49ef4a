"""The tables and the quotable numbers of which words decide."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from emoscope.experiments.words.flipped import agreement, changed_words, group_pulls
from emoscope.experiments.words.methods import METHODS
from emoscope.experiments.words.overall import beyond_others, counted, pushes
from emoscope.experiments.words.ranking import (
    ABOVE,
    AREA,
    ERROR,
    MEASURES,
    above_random,
    by_method,
    found_words,
    rank_methods,
)
from emoscope.experiments.words.scores import Scored, first_answers
from emoscope.perturbation.pairs import scored
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval
from emoscope.statistics.settings import resampling
from emoscope.storage.decisions import as_matrix, right
from emoscope.storage.files import read_json, write_table

BOUNDS = {"comprehensiveness": CHANGE, "sufficiency": CHANGE, "deletion": SHARE, "insertion": SHARE}
BOUNDS |= {AREA: CHANGE}
BOUNDS |= {"infidelity": SHARE}  # what scaled scores leave of a square is never more than all of it
APART = {AREA: (-2.0, 2.0)}  # bounds of the difference of two methods in one text; of the others CHANGE
BETTER = {"comprehensiveness": 1, "sufficiency": -1, "deletion": -1, "insertion": 1}  # the sign of an improvement
BETTER |= {AREA: 1, "infidelity": -1}
FAITHFUL = ["method", "kind", "measure", "value", "low", "high", *ABOVE, "texts"]
AGREED = ["method", "other", "correlation", "top", "texts"]


def summarise_words(
    scores: Path, texts: Path, accounts: Path, steadiness: Path, cuts: Path, faithfulness: Path, train: Path,
    audit: Path, axes: list[str], pairs: list[Path], pair_scores: list[Path], seed: int, statistics: dict,
    ranking: Path, faithful: Path, methods: Path, overall: Path, flips: Path, groups: Path, findings: Path,
    planted: list[Path] = (),
) -> None:  # fmt: skip
    """Write `rank_methods`, `faithful_means`, `method_agreement`, `pushes`, `agreement` with flips, `group_pulls`, and
    findings. `pairs` and `pair_scores` list the axes in the order of `axes`."""
    options, classes, margin = resampling(statistics), read_json(audit)["classes"], statistics["margin"]
    table, told = pd.read_parquet(scores), pd.read_parquet(texts)
    known = pd.read_parquet(planted[0]) if planted else None
    found = list(first_answers(table, known, seed))
    correct = dict(zip(told["id"], right(told, as_matrix(told["pred"], len(classes))), strict=True))
    ranks = rank_methods(found_words(found, correct), margin, options["alpha"])
    means = faithful_means(pd.read_parquet(faithfulness), margin, options["alpha"])
    both = [
        scored(pd.read_parquet(pair), pd.read_parquet(score)) for pair, score in zip(pairs, pair_scores, strict=True)
    ]
    natural = {axis: rows[rows["origin"].isin(("natural", "word"))] for axis, rows in zip(axes, both, strict=True)}
    changed = {axis: changed_words(table, rows) for axis, rows in natural.items()}
    moved = agreement(changed)
    alone = beyond_others(pd.read_parquet(cuts), classes)
    pushed = pushes(alone, pd.read_parquet(train), classes, options, margin)
    for rows, path in (
        (ranks, ranking),
        (means, faithful),
        (method_agreement(found), methods),
        (pushed, overall),
        (moved, flips),
        (group_pulls(alone, natural, classes, options), groups),
    ):
        write_table(rows, path)
    sums, steady = pd.read_parquet(accounts), pd.read_parquet(steadiness)
    write_findings(findings_of(ranks, means, sums, steady, moved, pushed), findings)


def faithful_means(faithfulness: pd.DataFrame, margin: float, alpha: float) -> pd.DataFrame:
    """By method, kind and measure, the mean over texts with interval; and by how much it is better than a random
    order's on the same texts (`above_random`). AREA is insertion minus deletion, text by text; infidelity is of the
    texts in which anything falls."""
    faithfulness = faithfulness.assign(**{AREA: faithfulness["insertion"] - faithfulness["deletion"]})
    parts = []
    for kind, own in faithfulness.groupby("kind", sort=False):
        for measure, bounds in BOUNDS.items():
            wide = by_method(own, measure).dropna()
            numbers = {"kind": kind, "measure": measure, "texts": len(wide)}
            if wide.empty:
                parts.append(pd.DataFrame(numbers, index=wide.columns).reindex(columns=FAITHFUL[1:]).assign(verdict=""))
                continue
            low, high = bounded_interval(wide.to_numpy(), np.arange(len(wide)), bounds, alpha)
            above = above_random(wide, margin, alpha, BETTER[measure], APART.get(measure, CHANGE))
            parts.append(above.assign(**numbers, value=wide.mean(), low=low, high=high))
    return pd.concat(parts).rename_axis("method").reset_index()[FAITHFUL]


def method_agreement(found: Sequence[Scored]) -> pd.DataFrame:
    """For every two methods, the mean over texts of their scores' rank correlation, and how often they put the same
    word first; texts of fewer than three words tell nothing."""
    found = [one for one in found if len(one.places) > 2]
    names = [name for name in METHODS if found and name in found[0].scores]
    ranks = [{name: rankdata(one.scores[name]) for name in names} for one in found]
    rows = []
    for one, other in combinations(names, 2):
        correlations = [_correlation(own[one], own[other]) for own in ranks]
        top = [own.scores[one].argmax() == own.scores[other].argmax() for own in found]
        rows.append((one, other, np.nanmean(correlations), np.mean(top), len(found)))
    return pd.DataFrame(rows, columns=AGREED)


def findings_of(
    ranks: pd.DataFrame,
    means: pd.DataFrame,
    sums: pd.DataFrame,
    steady: pd.DataFrame,
    moved: pd.DataFrame,
    pushed: pd.DataFrame,
) -> Iterator[Finding]:
    """`planted.{measure}.{method}` and `.chance`; `{kind}.{measure}.{method}` and `.{method}_above_random`;
    `completeness_error.{method}`, `refined.{method}`, `unsteadiness.{method}`; `flips.{axis}.{method}`;
    `pushes.up` and `pushes.{verdict}`."""
    for row in ranks.to_dict("records"):
        note = f"Over {row['texts']} texts that the classifier gets right."
        name = f"planted.{row['measure']}.{row['method']}"
        yield Finding(name, row["value"], row["low"], row["high"], note, texts=row["texts"])
    for row in ranks.drop_duplicates("measure").to_dict("records"):
        if row["measure"] != MEASURES[-1]:
            yield Finding(f"planted.{row['measure']}.chance", row["chance"], note="The share of planted words.")
    for row in means.to_dict("records"):
        name = f"{row['kind']}.{row['measure']}.{row['method']}"
        yield Finding(name, row["value"], row["low"], row["high"], texts=row["texts"])
        if row["method"] in METHODS and row["measure"] in BETTER:
            beside = row["above"], row["above_low"], row["above_high"], "By how much it is better than a random order."
            yield Finding(f"{name}_above_random", *beside, texts=row["texts"])
    for name, own in sums.groupby("method", sort=False):
        note = "Mean error over the mean difference of the logit from its baseline's."
        yield Finding(f"{ERROR}{name}", completeness_error(own), note=note, texts=own["id"].nunique())
        refined, note = own.groupby("id")["refined"].any(), "Texts that took more steps than configured."
        yield Finding(f"refined.{name}", int(refined.sum()), note=note, texts=len(refined))
    for name, own in steady.groupby("method", sort=False):
        note = "Mean over texts of the largest relative change of scores when embeddings move by 2 %."
        yield Finding(f"unsteadiness.{name}", own["change"].mean(), note=note, texts=len(own))
    for row in moved.to_dict("records"):
        note = "Rank correlation of the changed words' score with the fall of the probability."
        yield Finding(f"flips.{row['axis']}.{row['method']}", row["correlation"], note=note, texts=row["pairs"])
    for verdict, count in counted(pushed).items():
        note = f"Of {len(pushed)} pairs of a class and a word that were tested. A count has no interval."
        yield Finding(f"pushes.{verdict}", count, note=note)


def completeness_error(sums: pd.DataFrame) -> float:
    """How far scores are from summing to the difference that they explain: the mean error over the mean difference; NaN
    if any of these is no number."""
    differences = sums["difference"].to_numpy(dtype=float)
    errors = sums["sum"].to_numpy(dtype=float) - differences
    error = np.abs(errors).mean() / np.maximum(np.abs(differences).mean(), 1e-12)
    return float(error) if np.isfinite(error) else np.nan


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Of two vectors of ranks; NaN if either is the same throughout."""
    return np.corrcoef(one, other)[0, 1] if np.ptp(one) and np.ptp(other) else np.nan
