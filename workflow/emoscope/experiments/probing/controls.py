"""Control labels: what a probe reads of a text's words that has nothing to do with the concept.

Control tasks: Hewitt and Liang (2019), "Designing and interpreting probes with control tasks". A probe that does as
well on them reads word types, and not the concept.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer

from emoscope.experiments.probing.names import FEWEST_TYPES

WORD = r"\b\w+\b"  # words of one letter count, too
Controls = Sequence[tuple[np.ndarray, np.ndarray]]  # of each draw, labels of the texts learned from and of those judged


def dealt(learned: pd.DataFrame, judged: pd.DataFrame, draws: int, seed: int) -> Controls:
    """Control labels of all examples, for each draw: by their word types if single words say the concept, else by all
    of their words. None where fewer than FEWEST_TYPES word types say it: their labels are the concept, or nearly."""
    rng = np.random.default_rng(seed)
    examples = pd.concat([learned, judged], ignore_index=True)
    values = examples["value"].to_numpy()
    if not examples["kind"].all():
        counts = CountVectorizer(token_pattern=WORD).fit_transform(examples["text"])
        drawn = (by_sums(counts @ rng.standard_normal(counts.shape[1]), values, rng) for _ in range(draws))
    elif examples["kind"].nunique() < FEWEST_TYPES:
        return []
    else:
        rows = zip(examples["text"], examples["spans"], strict=True)
        said = [{text[start:end].lower() for start, end in spans} for text, spans in rows]
        drawn = islice(by_types(said, values, rng), draws)
    return [(labels[: len(learned)], labels[len(learned) :]) for labels in drawn]


def by_types(said: Sequence[set[str]], values: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Draw after draw, labels (texts,) of texts that say the concept by these word types: every type gets one of the
    values by chance, by their shares and whatever the others get. What is the concept by other names, or one label for
    all, is no control. Of several types in a text, the first in an order drawn by chance decides: weights for the types
    can tell that, as they tell the concept, and no word order is needed."""
    names, counts = np.unique(values, return_counts=True)
    types = sorted(set().union(*said))
    has = np.array([[one in own for one in types] for own in said])
    while True:
        order = rng.permutation(len(types))
        decides = order[has[:, order].argmax(axis=1)]
        labels = rng.choice(names, size=len(types), p=counts / len(values))[decides]
        known, both = len(np.unique(labels)), np.unique(np.stack([labels, values]), axis=1).shape[1]
        if known > 1 and not known == both == len(names):
            yield labels


def by_sums(sums: np.ndarray, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The values (texts,) dealt out again by the order of `sums`, each to as many texts as have it: which of them gets
    the smallest sums, and so on, is chance."""
    names = rng.permutation(np.unique(values))
    labels = np.empty_like(values)
    labels[np.argsort(sums, kind="stable")] = np.repeat(names, [(values == name).sum() for name in names])
    return labels
