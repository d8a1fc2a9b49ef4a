"""What a perturbation does to the predictions, with intervals: rates, mean changes, gaps between two groups, accuracy,
and what is left of it beyond the null baseline of neutral word swaps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.files import write_table
from emoscope.pairs import CONTROL_OF, CONTROLS, LARGE, countable, largest_change, moved, probabilities, scored
from emoscope.stats import (
    benjamini_hochberg,
    bootstrap_mean,
    detectable_mean,
    equivalence_verdict,
    estimate_mean,
    holm,
    jensen_shannon,
    mcnemar_test,
    rate_difference_interval,
    rate_excess_test,
    tost_mean,
    total_variation,
    wilson_interval,
)

FIRST_GROUP = {"male to female", "white to black"}  # the original names the first group of the axis
SECOND_GROUP = {"female to male", "black to white"}
ORIGIN_OF = {control: origin for origin, control in CONTROL_OF.items()}
KEY = ["origin", "term", "left_out"]
COLUMNS = ["measure", "value", "low", "high", "p", "p_equivalence", "detectable", "pairs", "texts"]


def summarise_effects(pairs: Path, scores: Path, statistics: dict, output: Path) -> None:
    """Write the summary of one axis: `origin, term, measure, value, low, high, p, p_adjusted, verdict, ...`."""
    table = scored(pd.read_parquet(pairs), pd.read_parquet(scores))
    write_table(summarise(table, **statistics), output)


def summarise(table: pd.DataFrame, confidence: float, margin: float, resamples: int, seed: int) -> pd.DataFrame:
    """Measures of every kind of pair (`origin`, `term`); those that are not `countable` are left out, and how many.

    - `changed`: share of texts whose predicted class changes; `large`: whose probability of some class moves by 10 % or
      more; `changed_first`, `changed_second`: the share among the texts that name the first group of the axis (male,
      white) or the second, and `changed_difference` between these; all with Wilson intervals or Newcombe's;
    - `distance`: mean total variation between the two predictions; `divergence`: mean Jensen-Shannon divergence, bits;
    - `control_changed` and so on: these four of the kind's controls, for all words together; `excess_changed` and so
      on: the kind minus its control, over the texts that have one;
    - `accuracy_before`, `accuracy_after`, `accuracy_change`: of the texts with a label, p by McNemar's test;
      `accuracy_lost`, `accuracy_gained`: shares that were right and became wrong, and the reverse;
    - `change_{class}`: mean change of a class's probability, after minus before;
    - `gap_{class}`: mean of P(class | first group) - P(class | second group); pairs that name both are left out.

    Rates count every text once, means every pair, with intervals clustered by text. `p_adjusted` is Benjamini-Hochberg
    over all of an origin's changes, gaps and so on, and Holm over the words, which are named one by one. `verdict` uses
    it:
    - changes and gaps are judged against +/- `margin`: equivalent, different or underpowered; `detectable` is the
      smallest effect likely to be found;
    - a word's `changed` is flagged if it is above that of the controls by more than `margin`, see `rate_excess_test`.
    """
    alpha = 1 - confidence
    options = {"seed": seed, "resamples": resamples, "alpha": alpha}
    classes = [name.removeprefix("before_") for name in table.columns if name.startswith("before_")]
    kinds = dict(list(table.groupby(["origin", "term"], sort=False)))
    sizes = table.groupby("origin")["term"].nunique() * len(classes)
    neutral = moved(table[table["origin"] == CONTROL_OF["word"]])
    parts = []
    for (origin, term), kind in kinds.items():
        pairs = kind[countable(kind)]
        if pairs.empty:
            continue
        if origin in CONTROLS:
            origin = ORIGIN_OF[origin]
            rows = [*_rates(pairs, alpha, "control_"), *_distances(pairs, options, "control_")]
        else:
            rows = [*_rates(pairs, alpha), *_distances(pairs, options)]
            rows += [*_accuracy(pairs, alpha), *_directions(pairs, alpha)]
            rows += _means(pairs, classes, margin, options | {"tests": int(sizes[origin])})
            control = kinds.get((CONTROL_OF[origin], term))
            if control is not None:
                rows += _excess(pairs, control, options)
            if origin == "word":
                rows[0]["p"] = rate_excess_test(moved(pairs.drop_duplicates("text")), neutral, margin)
        left_out = len(kind) - len(pairs)
        parts.append(pd.DataFrame(rows, columns=COLUMNS).assign(origin=origin, term=term, left_out=left_out))
    return _judged(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=KEY + COLUMNS), alpha)


def _judged(summary: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """The summary with `p_adjusted` and `verdict`."""
    words = (summary["origin"] == "word") & (summary["measure"] == "changed")
    means = summary["measure"].str.match("change_|gap_")
    family = [summary["origin"], summary["measure"].str.split("_").str[0]]
    adjusted = summary.groupby(family)["p"].transform(lambda p: benjamini_hochberg(p.to_numpy(dtype=float)))
    adjusted[words] = holm(summary.loc[words, "p"].to_numpy(dtype=float))
    judged = equivalence_verdict(summary["p_equivalence"].to_numpy(dtype=float), adjusted.to_numpy(dtype=float), alpha)
    flagged = np.where(adjusted <= alpha, "flagged", "not flagged")
    return summary.assign(p_adjusted=adjusted, verdict=np.select([words, means], [flagged, judged], ""))


def _rates(pairs: pd.DataFrame, alpha: float, prefix: str = "") -> Iterator[dict]:
    once = pairs.drop_duplicates("text")
    for measure, event in RATES.items():
        yield _rate(prefix + measure, event(once), alpha)


def _distances(pairs: pd.DataFrame, options: dict, prefix: str = "") -> Iterator[dict]:
    texts = pairs["text"].to_numpy()
    for measure, distance in DISTANCES.items():
        values = distance(pairs)
        low, high = bootstrap_mean(values, texts, **options)
        yield _row(prefix + measure, values.mean(), low, high, pairs=len(pairs), texts=len(np.unique(texts)))


def _excess(pairs: pd.DataFrame, control: pd.DataFrame, options: dict) -> Iterator[dict]:
    n = len(control)
    for measure, event in RATES.items():
        own, baseline = _matched(event, pairs, control)
        low, high = rate_difference_interval(own, baseline, paired=True, alpha=options["alpha"])
        yield _row(f"excess_{measure}", own.mean() - baseline.mean(), low, high, pairs=n, texts=n)
    for measure, distance in DISTANCES.items():
        own, baseline = _matched(distance, pairs, control)
        low, high = bootstrap_mean(own - baseline, np.arange(n), **options)
        yield _row(f"excess_{measure}", (own - baseline).mean(), low, high, pairs=n, texts=n)


def _accuracy(pairs: pd.DataFrame, alpha: float) -> Iterator[dict]:
    labelled = pairs[pairs["label"] >= 0].drop_duplicates("text")
    if labelled.empty:
        return
    before, after = (p.argmax(axis=1) == labelled["label"].to_numpy() for p in probabilities(labelled))
    yield _rate("accuracy_before", before, alpha)
    yield _rate("accuracy_after", after, alpha)
    low, high = rate_difference_interval(after, before, paired=True, alpha=alpha)
    change, n = after.mean() - before.mean(), len(labelled)
    yield _row("accuracy_change", change, low, high, p=mcnemar_test(before, after).p, pairs=n, texts=n)
    yield _rate("accuracy_lost", before & ~after, alpha)
    yield _rate("accuracy_gained", ~before & after, alpha)


def _directions(pairs: pd.DataFrame, alpha: float) -> Iterator[dict]:
    once = pairs.drop_duplicates("text")
    groups = [moved(once[once["direction"].isin(group)]) for group in (FIRST_GROUP, SECOND_GROUP)]
    for name, events in zip(("first", "second"), groups, strict=True):
        if len(events):
            yield _rate(f"changed_{name}", events, alpha)
    if all(map(len, groups)):
        low, high = rate_difference_interval(*groups, paired=False, alpha=alpha)
        n = sum(map(len, groups))
        yield _row("changed_difference", groups[0].mean() - groups[1].mean(), low, high, pairs=n, texts=n)


def _means(pairs: pd.DataFrame, classes: list[str], margin: float, options: dict) -> Iterator[dict]:
    before, after = probabilities(pairs)
    direction = pairs["direction"]
    sign = direction.isin(FIRST_GROUP).to_numpy(dtype=int) - direction.isin(SECOND_GROUP).to_numpy(dtype=int)
    for name, differences in (("change", after - before), ("gap", (before - after) * sign[:, None])):
        chosen = np.ones(len(pairs), dtype=bool) if name == "change" else sign != 0
        if not chosen.any():
            continue
        values, texts = differences[chosen], pairs["text"].to_numpy()[chosen]
        estimate = estimate_mean(values, texts, **options)
        p_equivalence = tost_mean(values, texts, margin).p
        detectable = detectable_mean(values, texts, options["alpha"])
        for number, label in enumerate(classes):
            yield _row(
                f"{name}_{label}",
                estimate.value[number],
                estimate.low[number],
                estimate.high[number],
                p=estimate.p[number],
                p_equivalence=p_equivalence[number],
                detectable=detectable[number],
                pairs=len(values),
                texts=estimate.n,
            )


def _matched(measure: Callable, pairs: pd.DataFrame, control: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """A measure of each text that has a control, and of that control."""
    own = pairs.set_index("id").loc[control["id"]]
    return np.asarray(measure(own)), np.asarray(measure(control))


RATES = {"changed": moved, "large": lambda pairs: largest_change(pairs) >= LARGE}
DISTANCES = {
    "distance": lambda pairs: total_variation(*probabilities(pairs)),
    "divergence": lambda pairs: jensen_shannon(*probabilities(pairs)),
}


def _rate(measure: str, events, alpha: float) -> dict:
    low, high = wilson_interval(np.sum(events), len(events), alpha)
    return _row(measure, np.mean(events), low, high, pairs=len(events), texts=len(events))


def _row(measure: str, value: float, low: float, high: float, **others) -> dict:
    empty = {"p": np.nan, "p_equivalence": np.nan, "detectable": np.nan}
    return {"measure": measure, "value": value, "low": low, "high": high} | empty | others
