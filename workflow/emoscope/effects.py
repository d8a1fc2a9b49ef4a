"""What a perturbation does to the predictions, with intervals: rates, mean changes, and gaps between two groups."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.files import write_table
from emoscope.pairs import LARGE, countable, largest_change, moved, probabilities, scored
from emoscope.stats import benjamini_hochberg, equivalence_verdict, estimate_mean, total_variation, wilson_interval

FIRST_GROUP = {"male to female", "white to black"}  # the original names the first group of the axis
SECOND_GROUP = {"female to male", "black to white"}


def summarise_effects(pairs: Path, scores: Path, statistics: dict, output: Path) -> None:
    """Write the summary of one axis: `origin, term, measure, value, low, high, p, p_adjusted, verdict, ...`."""
    table = scored(pd.read_parquet(pairs), pd.read_parquet(scores))
    write_table(summarise(table, **statistics), output)


def summarise(table: pd.DataFrame, confidence: float, margin: float, resamples: int, seed: int) -> pd.DataFrame:
    """Measures of every kind of pair (`origin`, `term`); those that are not `countable` are left out, and how many.

    - `changed`: share of pairs whose predicted class changes; `large`: whose probability of some class moves by 10 % or
      more; both with Wilson intervals;
    - `distance`: mean total variation between the two predictions;
    - `change_{class}`: mean change of a class's probability, after minus before;
    - `gap_{class}`: mean of P(class | first group) - P(class | second group), male or white being first; pairs that
      name both are left out.
    `p_adjusted` is Benjamini-Hochberg over all of an origin's changes, or gaps. `verdict` judges "no effect" against
    +/- `margin`: equivalent, different or underpowered; `detectable` is the smallest effect likely to be found.
    """
    parts = []
    for (origin, term), kind in table.groupby(["origin", "term"], sort=False):
        counted = countable(kind)
        rows = list(_measures(kind[counted], confidence, margin, resamples, seed)) if counted.any() else []
        left_out = int((~counted).sum())
        parts.append(pd.DataFrame(rows, columns=COLUMNS).assign(origin=origin, term=term, left_out=left_out))
    if not parts:
        return pd.DataFrame(columns=["origin", "term", *COLUMNS, "left_out", "p_adjusted"])
    summary = pd.concat(parts, ignore_index=True)
    family = [summary["origin"], summary["measure"].str.split("_").str[0]]
    summary["p_adjusted"] = summary.groupby(family)["p"].transform(
        lambda p: benjamini_hochberg(p.to_numpy(dtype=float))
    )
    return summary


COLUMNS = ["measure", "value", "low", "high", "p", "verdict", "detectable", "pairs", "texts"]


def _measures(pairs: pd.DataFrame, confidence: float, margin: float, resamples: int, seed: int) -> Iterator[tuple]:
    classes = [name.removeprefix("before_") for name in pairs.columns if name.startswith("before_")]
    before, after = probabilities(pairs)
    texts = pairs["text"].to_numpy()
    options = {"seed": seed, "resamples": resamples, "alpha": 1 - confidence}
    counts = (len(pairs), len(np.unique(texts)))

    first = ~pairs.duplicated("text").to_numpy()  # a rate counts every text once
    events = {"changed": moved(pairs), "large": largest_change(pairs) >= LARGE}
    for measure, event in events.items():
        low, high = wilson_interval(event[first].sum(), first.sum(), 1 - confidence)
        yield (measure, event[first].mean(), low, high, np.nan, "", np.nan, *counts)

    distance = estimate_mean(total_variation(before, after), texts, **options)
    yield ("distance", distance.value, distance.low, distance.high, np.nan, "", np.nan, *counts)

    direction = pairs["direction"]
    sign = direction.isin(FIRST_GROUP).to_numpy(dtype=int) - direction.isin(SECOND_GROUP).to_numpy(dtype=int)
    for name, differences in (("change", after - before), ("gap", (before - after) * sign[:, None])):
        chosen = np.ones(len(pairs), dtype=bool) if name == "change" else sign != 0
        if not chosen.any():
            continue
        values, clusters = differences[chosen], texts[chosen]
        estimate = estimate_mean(values, clusters, **options)
        judged = equivalence_verdict(values, clusters, margin, seed=seed, alpha=1 - confidence)
        for number, label in enumerate(classes):
            yield (
                f"{name}_{label}",
                estimate.value[number],
                estimate.low[number],
                estimate.high[number],
                estimate.p[number],
                str(judged.verdict[number]),
                judged.detectable[number],
                int(chosen.sum()),
                estimate.n,
            )
