"""Whether attributions agree with what flips and synonyms do: a word whose change moves the answer should rank high.

And what the words that name one group of people, and those that name the other, do to each class.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from emoscope.experiments.words.methods import SPECIAL
from emoscope.experiments.words.scores import methods_in
from emoscope.perturbation.pairs import LARGE, countable
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.clusters import FEWEST_CLUSTERS

AGREEMENT = ["axis", "method", "pairs", "correlation", "moved", "rank_moved", "rank_others"]
GROUPS = ["axis", "group", "class", "value", "low", "high", "texts"]


def changed_words(scores: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The words of the first class of each explained text that a pair of it changes; and by how much it moves that
    class's probability: columns of `scores` and `pair`, `change`, `direction`, `rank_{method}` from 0 (first) to 1."""
    own = scores[scores["word"] != SPECIAL]
    own = own[own["class"] == own.groupby("id")["class"].transform("first")]
    names = methods_in(own)
    ranks = own.groupby("id")[names].rank(ascending=False, method="average") - 1
    last = (own.groupby("id")["word"].transform("size") - 1).clip(lower=1)
    own = own.join(ranks.div(last, axis=0).add_prefix("rank_"))
    texts = dict(iter(own.groupby("id")))
    parts = []
    for number, pair in enumerate(pairs[countable(pairs)].to_dict("records")):
        if (words := texts.get(pair["id"])) is None:
            continue
        touched = touches(words, pair["spans"])
        kind = words["class"].iloc[0]
        change = pair[f"after_{kind}"] - pair[f"before_{kind}"]
        parts.append(words[touched].assign(pair=number, change=change, direction=pair.get("direction", "")))
    return pd.concat(parts, ignore_index=True) if parts else own.head(0).assign(pair=0, change=0.0, direction="")


def agreement(changed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """By axis and method, the rank correlation over pairs of the changed words' summed score with the fall of the
    probability; and the mean rank (0 is the first word, 1 the last) of the best of them, where the answer moves by
    LARGE or more and elsewhere."""
    rows = []
    for axis, table in changed.items():
        for name in methods_in(table):
            by_pair = table.groupby("pair").agg(
                score=(name, "sum"), change=("change", "first"), rank=(f"rank_{name}", "min")
            )
            far = by_pair["change"].abs() >= LARGE
            enough = len(by_pair) >= FEWEST_CLUSTERS and by_pair[["score", "change"]].nunique().min() > 1
            found = spearmanr(by_pair["score"], -by_pair["change"])[0] if enough else np.nan
            ranks = by_pair["rank"][far].mean(), by_pair["rank"][~far].mean()
            rows.append((axis, name, len(by_pair), found, int(far.sum()), *ranks))
    return pd.DataFrame(rows, columns=AGREEMENT)


def group_pulls(
    pushed: pd.DataFrame, pairs: Mapping[str, pd.DataFrame], classes: Sequence[str], options: dict
) -> pd.DataFrame:
    """By axis, group and class, the mean push (`beyond_others`) of the words that name somebody of the group, over
    the texts that have them, with interval. The group is the first half of a pair's `direction`, such as
    `male to female`."""
    rows = []
    for axis, table in pairs.items():
        chosen = table[countable(table) & table["direction"].str.contains(" to ")]
        for group, part in chosen.assign(group=chosen["direction"].str.split(" to ").str[0]).groupby("group"):
            spans = dict(zip(part["id"], part["spans"], strict=True))
            words = pushed[pushed["id"].isin(spans)].groupby("id", sort=False)
            there = pd.concat([pushed.head(0), *(text[touches(text, spans[number])] for number, text in words)])
            if len(there):
                values, ids = there[[f"push_{name}" for name in classes]].to_numpy(dtype=float), there["id"].to_numpy()
                means = zip(classes, values.mean(axis=0), *bootstrap_mean(values, ids, **options), strict=True)
                rows += [(axis, group, *numbers, len(set(ids))) for numbers in means]
    return pd.DataFrame(rows, columns=GROUPS)


def touches(words: pd.DataFrame, spans: Sequence[Sequence[int]]) -> np.ndarray:
    """Which words, by their places in a text, the spans of a pair change there, bool (rows,)."""
    starts, ends = words["start"].to_numpy(), words["end"].to_numpy()
    found = np.zeros(len(words), dtype=bool)
    for start, end, *_ in spans:
        found |= (starts < end) & (ends > start)
    return found
