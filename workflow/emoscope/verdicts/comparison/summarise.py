"""All runs of a configuration side by side: what each reaches, which blocks and heads it needs, how far they agree.

A group is one entry of `runs`: one corpus, model and recipe, trained with one or more seeds.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import combinations, permutations, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata, t

from emoscope.perturbation.single_words import VISIBLE
from emoscope.statistics.ranks import FEWEST_TARGETS
from emoscope.statistics.rates import wilson_interval
from emoscope.statistics.settings import alpha_of
from emoscope.storage.files import read_json, write_table
from emoscope.storage.names import ALL, WHOLE_BLOCK
from emoscope.verdicts.comparison.leaders import silenced_blocks
from emoscope.verdicts.comparison.scores import CHEAP, CLASS_PREFIXES, SCORES, performance

SHARES = ("changed", "large", "control_changed", "control_large", "words_flagged")
CHANGES = ("excess_changed", "excess_large", "accuracy_change")
KEY = ["topic", "origin", "measure"]
MASK = ["block", "head", "condition", "measure"]
MEASURES = ("probability", "margin", "accuracy")  # on which blocks are judged
SHUFFLES = 10_000  # orders that a rank correlation is tested against, at most


class Correlation(NamedTuple):
    value: float
    p: float


def compare_runs(
    runs: dict, axes: list[str], metrics: list[Path], perturbations: list[Path], statistics: dict, output: Path
) -> None:
    """Write what every run reaches, and every group, where `run` is "all"; `spread` and `seeds` belong to these.

    `runs` maps each run to its `group`, in the order of `metrics`; `perturbations` are the summaries of each run's
    `axes`. Columns: `group, run, topic, origin, measure, value, low, high, spread, seeds`.
    """
    parts = [performance(read_json(path)).assign(run=run) for run, path in zip(runs, metrics, strict=True)]
    alpha = alpha_of(statistics)
    for (run, axis), path in zip(product(runs, axes), perturbations, strict=True):
        parts.append(perturbed(pd.read_parquet(path), alpha).assign(run=run, topic=axis))
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "group", table["run"].map({run: about["group"] for run, about in runs.items()}))
    columns = ["group", "run", *KEY, "value", "low", "high"]
    write_table(with_groups(table[columns], KEY, alpha), output)


def compare_masks(
    runs: dict, summaries: list[Path], statistics: dict, heads: str, masks: Path, correlations: Path
) -> None:
    """Write the effect of every mask in every run and group, and the rank correlations of what they need.

    `runs` maps each run to its `group`, its number of `blocks`, and the pretrained `weights` it starts from (null for
    random ones), in the order of `summaries`. Single heads have rows of a group only where its runs share such weights,
    or there is but one: elsewhere the same number is another head in every run. None have any where `heads` were
    screened: each run then masked others.
    """
    parts = [
        profile(pd.read_parquet(path), about["blocks"]).assign(group=about["group"], run=run)
        for (run, about), path in zip(runs.items(), summaries, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    if heads == "screened":
        table = table[table["head"] == WHOLE_BLOCK]
    apart = {run for run, about in runs.items() if about["weights"] is None and _seeds(runs, about["group"]) > 1}
    loose = table["run"].isin(apart) & (table["head"] != WHOLE_BLOCK)
    pooled = with_groups(table[~loose], [*MASK, "depth"], alpha_of(statistics))
    places = {group: place for place, group in enumerate(dict.fromkeys(table["group"]))}
    together = pd.concat([pooled, table[loose]], ignore_index=True)
    write_table(together.sort_values("group", key=lambda names: names.map(places), kind="stable"), masks)
    write_table(correlate(table, runs, statistics["seed"]), correlations)


def perturbed(summary: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """How often predictions change, with and without the neutral baseline, and the gaps; the share of flagged words
    among those in texts enough to see a change of VISIBLE; that a word is flagged must not choose it."""
    whole = summary[summary["term"] == ""]
    chosen = whole[whole["measure"].isin([*SHARES, *CHANGES]) | whole["measure"].str.startswith("gap_")]
    words = summary[(summary["origin"] == "word") & (summary["measure"] == "changed")]
    words = words[words["detectable"] <= VISIBLE]
    rows = chosen[["origin", "measure", "value", "low", "high"]]
    if words.empty:
        return rows
    flagged = int((words["verdict"] == "flagged").sum())
    low, high = wilson_interval(flagged, len(words), alpha)
    share = {"origin": "word", "measure": "words_flagged", "value": flagged / len(words), "low": low, "high": high}
    return pd.concat([rows, pd.DataFrame([share])], ignore_index=True)


def profile(summary: pd.DataFrame, blocks: int) -> pd.DataFrame:
    """Effects of the masks on the confident texts of all classes together, with the relative depth of their block."""
    rows = summary[summary["group"] == ALL].rename(columns={"change": "value"})
    kept = [*MASK, "value", "low", "high", "equivalence_margin", "p_equivalence", "p_beyond", "p_adjusted", "verdict"]
    return rows[kept].assign(depth=depths(blocks)[rows["block"]])


def depths(blocks: int) -> np.ndarray:
    """The middles of so many blocks as shares of the way through the model, float (blocks,)."""
    return (np.arange(blocks) + 0.5) / blocks


def at_depths_of(values: np.ndarray, blocks: int) -> np.ndarray:
    """Interpolate a profile (len(values),) linearly to the relative depths of a model of `blocks` <= len(values)."""
    return np.interp(depths(blocks), depths(len(values)), values)


def over_seeds(table: pd.DataFrame, by: list[str], alpha: float) -> pd.DataFrame:
    """Means of `value` over the rows alike in `by`, the seeds of a group, with intervals that cover texts and seeds.

    Seeds share their texts, so a mean over them is no surer of the texts than one run is. Half of the width is
    sqrt(texts^2 + seeds^2): the mean of the runs' half-widths, and t * sd / sqrt(seeds); for each side on its own, as
    Zou & Donner (2008), Statistics in Medicine 27, 1693, add intervals. It errs on the wide side: chance that hits the
    texts of one run only, such as its own choice of confident ones, counts in both terms. With one seed the interval
    is the run's: of the texts alone. Columns: `by`, value, low, high, spread (the standard deviation), seeds.
    """
    known = table[table["value"].notna()]
    known = known.assign(below=known["value"] - known["low"], above=known["high"] - known["value"])
    grouped = known.groupby(by, sort=False)
    mean = grouped[["value", "below", "above"]].mean()
    spread, seeds = grouped["value"].std(ddof=1), grouped.size()
    chance = (t.isf(alpha / 2, seeds - 1) * spread / np.sqrt(seeds)).fillna(0)  # NaN for one seed
    low, high = mean["value"] - np.hypot(mean["below"], chance), mean["value"] + np.hypot(mean["above"], chance)
    return mean[["value"]].assign(low=low, high=high, spread=spread, seeds=seeds).reset_index()


def with_groups(table: pd.DataFrame, key: list[str], alpha: float) -> pd.DataFrame:
    """The rows of the runs and, with `run` = "all", those of the groups; no interval goes beyond what is possible."""
    pooled = over_seeds(table, ["group", *key], alpha).assign(run=ALL)
    bounds = np.array([_range(measure) for measure in pooled["measure"]]).reshape(-1, 2)
    pooled["low"] = np.maximum(pooled["low"], bounds[:, 0])
    pooled["high"] = np.minimum(pooled["high"], bounds[:, 1])
    return pd.concat([table, pooled], ignore_index=True)


def rank_correlation(one: np.ndarray, other: np.ndarray, seed: int) -> Correlation:
    """Spearman's rank correlation of two vectors (n,), with a two-sided permutation p.

    Exact if there are no more than SHUFFLES orders of n, else of as many random ones, the given one among them. NaN for
    fewer than FEWEST_TARGETS points, and where all are equal.
    """
    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (one, other)]
    size = math.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum())
    if len(one) < FEWEST_TARGETS or not size:
        return Correlation(np.nan, np.nan)
    # the same orders for every pair of runs; scipy.stats.permutation_test draws anew each time, 10 times slower
    drawn = ranks[1][orders(len(one), seed)] @ ranks[0] / size
    value = float(ranks[0] @ ranks[1] / size)
    return Correlation(value, float((np.abs(drawn) >= abs(value) - 1e-12).mean()))


@cache
def orders(n: int, seed: int) -> np.ndarray:
    """Orders of n things, int (orders, n): all, or SHUFFLES of them, first the given one and then random ones."""
    if math.factorial(n) <= SHUFFLES:
        return np.array(list(permutations(range(n))))
    drawn = np.tile(np.arange(n), (SHUFFLES, 1))
    drawn[1:] = np.random.default_rng(seed).permuted(drawn[1:], axis=1)
    return drawn


def correlate(masks: pd.DataFrame, runs: dict, seed: int) -> pd.DataFrame:
    """Rank correlations of importance, which is how much of a measure falls, between every two runs.

    `part` is blocks, at the relative depths of the shallower model, or heads, one by one, for runs that start from the
    same pretrained weights; `points` is how many. Rows: `part, condition, measure, first, second, first_group,
    second_group, points, value, p`.
    """
    columns = ["part", "condition", "measure", "first", "second", "first_group", "second_group", "points", "value", "p"]
    return pd.DataFrame(_correlations(masks, runs, seed), columns=columns)


def _correlations(masks: pd.DataFrame, runs: dict, seed: int) -> Iterator[tuple]:
    parts = np.where(masks["head"] == WHOLE_BLOCK, "blocks", "heads")
    for (part, condition, measure), rows in masks.groupby([parts, "condition", "measure"], sort=False):
        ordered = rows.sort_values(["block", "head"]).groupby("run")
        falls = {run: -found["value"].to_numpy() for run, found in ordered}
        for first, second in combinations([run for run in runs if run in falls], 2):
            one, other = falls[first], falls[second]
            if part == "blocks":
                blocks = min(len(one), len(other))
                one, other = at_depths_of(one, blocks), at_depths_of(other, blocks)
            elif runs[first]["weights"] is None or runs[first]["weights"] != runs[second]["weights"]:
                continue
            groups = runs[first]["group"], runs[second]["group"]
            yield part, condition, measure, first, second, *groups, len(one), *rank_correlation(one, other, seed)


def only_first_matters(rows: pd.DataFrame, alpha: float) -> str:
    """Judge "only the first block matters" on one run's silenced blocks and one measure, by the margin of no effect.

    reproduced: the first block's change is beyond the margin, and every other's was shown to lie within. contradicted:
    the first's lies within, or another's beyond (Bonferroni). underpowered: neither was shown. not testable here: there
    is no other block.
    """
    first = (rows["block"] == 0).to_numpy()
    if first.all():
        return "not testable here"
    within, beyond = rows["p_equivalence"].to_numpy(), rows["p_beyond"].to_numpy()
    if (within[first] <= alpha).any() or (beyond[~first] * (~first).sum() <= alpha).any():
        return "contradicted"
    return "reproduced" if (beyond[first] <= alpha).all() and (within[~first] <= alpha).all() else "underpowered"


def first_block_verdicts(masks: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Verdicts on "only the first block matters", rows are runs, columns MEASURES."""
    return pd.DataFrame(
        {
            measure: {
                run: only_first_matters(rows, alpha)
                for run, rows in silenced_blocks(masks, measure).groupby("run", sort=False)
            }
            for measure in MEASURES
        }
    )


def agreement(correlations: pd.DataFrame, part: str, condition: str, measure: str) -> pd.DataFrame:
    """Correlations by pair of groups: `first_group, second_group, within, points, pairs, mean, lowest, highest, p`."""
    rows = correlations[(correlations["part"] == part) & (correlations["condition"] == condition)]
    rows = rows[rows["measure"] == measure]
    groups = rows.groupby(["first_group", "second_group"], sort=False)
    found = groups.agg(
        points=("points", "first"),
        pairs=("value", "size"),
        mean=("value", "mean"),
        lowest=("value", "min"),
        highest=("value", "max"),
        p=("p", "max"),
    ).reset_index()
    return found.assign(within=found["first_group"] == found["second_group"])


def _range(measure: str) -> tuple[float, float]:
    """Between what a measure can lie: a share, a difference of shares or probabilities, or a margin of logits."""
    if measure == "margin":
        return -np.inf, np.inf
    return (0, 1) if measure in {*SCORES, *CHEAP, *SHARES} or measure.startswith(CLASS_PREFIXES) else (-1, 1)


def _seeds(runs: dict, group: str) -> int:
    return sum(about["group"] == group for about in runs.values())
