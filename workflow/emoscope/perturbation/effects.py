"""What a perturbation does to the predictions, with intervals: rates, mean changes, gaps between two groups, accuracy,
and what is left of it beyond the null baseline of neutral word swaps."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.perturbation.pairs import (
    BEYOND,
    CUT,
    DISTANCES,
    NAMES_OF,
    NEUTRAL_OF,
    RATES,
    SUITE,
    beside_neutral,
    countable,
    decisions,
    distinct,
    flagged,
    moved,
    named_first,
    pair_classes,
    probabilities,
    right_in,
    scored,
)
from emoscope.perturbation.single_words import word_test, word_verdicts
from emoscope.statistics.adjustment import benjamini_hochberg, holm
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval, bounded_test
from emoscope.statistics.clusters import shown_by_all
from emoscope.statistics.equivalence import equivalence_verdict
from emoscope.statistics.rates import (
    excess_interval,
    excess_verdict,
    mcnemar_test,
    rate_difference_interval,
    rate_interval,
)
from emoscope.statistics.settings import alpha_of
from emoscope.storage.decisions import labelled
from emoscope.storage.files import write_table

# Of what, and under which name, the kinds of pairs that only serve as a baseline are measured.
BASELINES = {neutral: (origin, "control_") for origin, neutral in NEUTRAL_OF.items()}
BASELINES |= {names: (origin, "names_") for origin, names in NAMES_OF.items()}
KEY = ["origin", "term", "no_event", "left_out", CUT]
COLUMNS = ["measure", "value", "low", "high", "p", "p_equivalence", "detectable", "detectable_alone"]
COLUMNS += ["pairs", "texts", "clusters", "verdict"]


def summarise_effects(pairs: Path, scores: Path, statistics: dict, output: Path) -> None:
    """Write the summary of one axis: `origin, term, measure, value, low, high, p, p_adjusted, verdict, ...`."""
    table = scored(pd.read_parquet(pairs), pd.read_parquet(scores))
    parts = [summarise(part, statistics) for part in (*_whole(table), table)]
    write_table(pd.concat(parts, ignore_index=True), output)


def _whole(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The groups of a suite taken together, if there are several; a gap only between two groups of people."""
    if table["origin"].eq(SUITE).any() and table["term"].nunique() > 1:
        sides = {frozenset(direction.split(" to ")) for direction in table["direction"] if " to " in direction}
        yield table.assign(term="", **({"direction": ""} if len(sides) > 1 else {}))


def summarise(table: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """Measures of every kind of pair (`origin`, `term`); those that are not `countable` are left out, and how many; of
    these, how many the model reads as one and the same text (`beyond_context`); and the largest rate that the others
    would still allow if none of them had changed (`no_event`).

    - `changed`: share of texts whose prediction changes, the class or any of several labels; `large`: whose probability
      of some class moves by 10 % or more; `changed_first`, `changed_second`: the share among the texts that name the
      first group of the axis (male, white) or the second, and `changed_difference` between these; intervals are of
      `rate_interval` or Newcombe's;
    - `distance`: mean total variation between the two predictions; `divergence`: mean Jensen-Shannon divergence, bits;
    - `control_changed` and so on: these four of the kind's neutral swaps, for all words together; `names_changed` and
      so on: of given names exchanged within one gender; `excess_changed` and so on: the kind minus its neutral swaps,
      over the texts that have some;
    - `accuracy_before`, `accuracy_after`, `accuracy_change`: of the texts with a label, p by McNemar's test
      if no two share a cluster; where a text may be given several labels and one is known, it has to be among them;
      `accuracy_lost`, `accuracy_gained`: shares that were right and became wrong, and the reverse;
    - `gained_{class}`, `lost_{class}`: of several labels a text, shares of texts that are given this one only after, or
      only before;
    - `change_{class}`: mean change of a class's probability, after minus before;
    - `gap_{class}`: mean of P(class | first group) - P(class | second group); pairs that name both are left out.

    Rates count every text once, of a suite every pair, means every pair; intervals and tests take `clusters` for
    independent, the distinct texts or, where several are made from one template, the templates. `p_adjusted` is
    Benjamini-Hochberg over all of an origin's changes, gaps and so on, and Holm over the words, which are named one by
    one. `verdict` uses it:
    - changes and gaps are judged against the margin: equivalent, different or underpowered; `detectable` is the
      smallest effect likely to be found, even if it were the only one of its family, `detectable_alone` if nothing else
      were tested;
    - `excess_changed` and `excess_large` are judged by their interval: no more, more or not settled: `excess_verdict`;
    - a word's `changed` is flagged, not flagged or cannot tell: `word_verdicts`.
    """
    alpha, margin = alpha_of(statistics), statistics["margin"]
    classes = pair_classes(table)
    groups = table["term"].mask(table["origin"] == NEUTRAL_OF["word"], "")  # the words have one baseline together
    kinds = dict(list(table.groupby(["origin", groups], sort=False)))
    counted = table[countable(table)]
    neutral = moved(distinct(counted[counted["origin"] == NEUTRAL_OF["word"]]))
    words = counted.loc[counted["origin"] == "word", "term"].nunique()
    terms = {origin: _terms(own) for origin, own in counted.groupby("origin")}
    parts = []
    for (origin, term), kind in kinds.items():
        pairs = kind[countable(kind)]
        if pairs.empty:
            continue
        if origin in BASELINES:
            origin, name = BASELINES[origin]
            if origin not in terms:
                continue
            rows = [*_rates(pairs, alpha, name), *_distances(pairs, alpha, name)]
        else:
            rows = [*_rates(pairs, alpha), *_distances(pairs, alpha)]
            rows += [*_accuracy(pairs, alpha), *_labels(pairs, classes, alpha), *_directions(pairs, alpha)]
            rows += _means(pairs, classes, margin, alpha, terms[origin])
            swapped = counted[(counted["origin"] == NEUTRAL_OF[origin]) & (counted["term"] == term)]
            if swapped["id"].isin(pairs["id"]).any():
                rows += _excess(pairs, swapped, margin, alpha)
            if origin == "word":
                rows[0] |= word_test(moved(pairs.drop_duplicates("text")), neutral, margin, alpha / words)
        lost = {"left_out": len(kind) - len(pairs), CUT: int(flagged(kind, BEYOND).sum())}
        clusters = distinct(pairs)["cluster"]
        lost["no_event"] = rate_interval(np.zeros(len(clusters), dtype=bool), clusters, alpha).high
        parts.append(pd.DataFrame(rows, columns=COLUMNS).assign(origin=origin, term=term, **lost))
    return _judged(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=KEY + COLUMNS), alpha)


def _judged(summary: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """The summary with `p_adjusted` and `verdict`."""
    words, excess = ((summary["origin"] == "word") & (summary["measure"] == f"{of}changed") for of in ("", "excess_"))
    means = summary["measure"].str.match("change_|gap_")
    family = [summary["origin"], summary["measure"].str.split("_").str[0]]
    adjusted = summary.groupby(family)["p"].transform(lambda p: benjamini_hochberg(p.to_numpy(dtype=float)))
    adjusted[words] = holm(summary.loc[words, "p"].to_numpy(dtype=float))
    judged = equivalence_verdict(summary["p_equivalence"].to_numpy(dtype=float), adjusted.to_numpy(dtype=float), alpha)
    summary = summary.assign(p_adjusted=adjusted, verdict=np.where(means, judged, summary["verdict"].fillna("")))
    summary.loc[words, "verdict"] = word_verdicts(summary[words], summary[excess], alpha)
    return summary


def _rates(pairs: pd.DataFrame, alpha: float, prefix: str = "") -> Iterator[dict]:
    once = distinct(pairs)
    for measure, event in RATES.items():
        yield _rate(prefix + measure, event(once), once, alpha)


def _distances(pairs: pd.DataFrame, alpha: float, prefix: str = "") -> Iterator[dict]:
    for measure, distance in DISTANCES.items():
        values = distance(pairs)
        yield _row(prefix + measure, values.mean(), bounded_interval(values, pairs["cluster"], SHARE, alpha), pairs)


def _excess(pairs: pd.DataFrame, swapped: pd.DataFrame, margin: float, alpha: float) -> Iterator[dict]:
    own, swapped = beside_neutral(pairs, swapped)
    once = own.index.isin(distinct(own).index)
    for measure, event in RATES.items():
        events = event(own[once]).to_numpy(), event(swapped[once]).to_numpy()
        interval = excess_interval(*events, own["cluster"][once].to_numpy(), alpha)
        verdict = excess_verdict(interval, margin)
        yield _row(f"excess_{measure}", events[0].mean() - events[1].mean(), interval, own[once], verdict=verdict)
    for measure, distance in DISTANCES.items():
        values = distance(own) - distance(swapped)
        yield _row(f"excess_{measure}", values.mean(), bounded_interval(values, own["cluster"], CHANGE, alpha), own)


def _accuracy(pairs: pd.DataFrame, alpha: float) -> Iterator[dict]:
    known = distinct(pairs[labelled(pairs)])
    if known.empty:
        return
    before, after = (right_in(known, found) for found in decisions(known))
    yield _rate("accuracy_before", before, known, alpha)
    yield _rate("accuracy_after", after, known, alpha)
    clusters = known["cluster"].to_numpy()
    interval = rate_difference_interval(after, before, paired=True, clusters=(clusters, clusters), alpha=alpha)
    independent = len(np.unique(clusters)) == len(clusters)  # which McNemar's test takes for granted
    p = mcnemar_test(before, after) if independent else np.nan
    yield _row("accuracy_change", after.mean() - before.mean(), interval, known, p=p)
    yield _rate("accuracy_lost", before & ~after, known, alpha)
    yield _rate("accuracy_gained", ~before & after, known, alpha)


def _labels(pairs: pd.DataFrame, classes: list[str], alpha: float) -> Iterator[dict]:
    """Of several labels a text."""
    if "pred_before" not in pairs:
        return
    once = distinct(pairs)
    before, after = decisions(once)
    for number, name in enumerate(classes):
        for way, one, other in (("gained", after, before), ("lost", before, after)):
            yield _rate(f"{way}_{name}", one[:, number] & ~other[:, number], once, alpha)


def _directions(pairs: pd.DataFrame, alpha: float) -> Iterator[dict]:
    once = distinct(pairs)
    sides = named_first(once)
    groups = [once[sides == side] for side in (1, -1)]
    for name, group in zip(("first", "second"), groups, strict=True):
        if len(group):
            yield _rate(f"changed_{name}", moved(group), group, alpha)
    if all(map(len, groups)):
        events, clusters = [moved(group) for group in groups], [group["cluster"] for group in groups]
        interval = rate_difference_interval(*events, paired=False, clusters=clusters, alpha=alpha)
        yield _row("changed_difference", events[0].mean() - events[1].mean(), interval, pd.concat(groups))


def _terms(pairs: pd.DataFrame) -> dict[str, int]:
    """Of how many terms of an origin the mean change is tested, and the gap: families, together with the classes."""
    directed = sum(bool(named_first(own).any()) for _, own in pairs.groupby("term"))
    return {"change": pairs["term"].nunique(), "gap": directed}


def _means(
    pairs: pd.DataFrame, classes: list[str], margin: float, alpha: float, terms: Mapping[str, int]
) -> Iterator[dict]:
    """Where the same `people` stand in all texts, what is made of single ones does not average out over the texts. So
    they are taken for clusters, too, as texts are, and only what both show is shown; `clusters` are the fewer."""
    before, after = probabilities(pairs)
    sign = named_first(pairs)
    for name, differences in (("change", after - before), ("gap", (before - after) * sign[:, None])):
        chosen = np.ones(len(pairs), dtype=bool) if name == "change" else sign != 0
        if not chosen.any():
            continue
        own, tests = pairs[chosen], terms[name] * len(classes)
        kinds = [own[column] for column in ("cluster", "people") if column in own and own[column].ne("").all()]
        each = [bounded_test(differences[chosen], kind.to_numpy(), margin, CHANGE, alpha, tests) for kind in kinds]
        tested = shown_by_all(each)
        columns = {"p": tested.p_difference, "p_equivalence": tested.p_within}
        columns |= {"detectable": tested.detectable_in_family, "detectable_alone": tested.detectable}
        for number, label in enumerate(classes):
            interval = tested.low[number], tested.high[number]
            told = {column: values[number] for column, values in columns.items()}
            yield _row(f"{name}_{label}", tested.value[number], interval, own, clusters=tested.n, **told)


def _rate(measure: str, events: Sequence[bool], rows: pd.DataFrame, alpha: float) -> dict:
    return _row(measure, np.mean(events), rate_interval(events, rows["cluster"], alpha), rows)


def _row(measure: str, value: float, interval: tuple[float, float], rows: pd.DataFrame, **others: float | str) -> dict:
    counts = {"pairs": len(rows), "texts": rows["text"].nunique(), "clusters": rows["cluster"].nunique()}
    empty = dict.fromkeys(("p", "p_equivalence", "detectable", "detectable_alone"), np.nan)
    return {"measure": measure, "value": value, "low": interval[0], "high": interval[1]} | counts | empty | others
