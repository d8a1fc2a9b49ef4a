"""How often a corpus holds each word, and which words tell a class: what a fair null is matched on and kept free of."""

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from emoscope.perturbation.edits import tokenise
from emoscope.statistics.adjustment import holm
from emoscope.storage.decisions import class_count, truth_of

LEVEL = 0.05  # of the tests that words go with classes, over all words together
TOLD = 0.1  # and by how much: total variation between the classes of the word's texts and of all


@dataclass(frozen=True)
class Frequencies:
    """counts: how often each lower-case word stands in a model's training texts; telling: words that tell a class."""

    counts: Mapping[str, int]
    telling: frozenset[str]

    @classmethod
    def of(cls, texts: pd.DataFrame, asked: Collection[str]) -> "Frequencies":
        """Of the columns `text` and `label` (below 0: unlabelled) or `labels`, of which a text counts for each; only
        words that are `asked` about can be telling."""
        words = [[token.lower for token in tokenise(text)] for text in texts["text"]]
        truth = truth_of(texts, class_count(texts))
        rows = {word: np.zeros(truth.shape[1]) for word in asked}  # labelled texts of each class that hold the word
        for labels, held in zip(truth, words, strict=True):
            for word in rows.keys() & held if labels.any() else ():
                rows[word] += labels
        counts = Counter(word for held in words for word in held)
        return cls(counts, _telling(rows, truth.sum(axis=0)))

    def log10(self, phrase: str) -> float:
        """log10(1 + count) of a word, or of a phrase's rarest one."""
        return math.log10(1 + min((self.counts.get(word, 0) for word in phrase.lower().split()), default=0))

    def neutral(self, word: str) -> bool:
        """Whether the texts hold a word, and it tells no class."""
        return self.counts.get(word, 0) > 0 and word not in self.telling


def _telling(rows: Mapping[str, np.ndarray], texts: np.ndarray) -> frozenset[str]:
    """Words whose texts are of other classes than texts in general: by more than `TOLD`, and not by chance (chi-squared
    test of independence, Holm over the words)."""
    held = {word: counts for word, counts in rows.items() if counts.sum() and (texts - counts).sum()}
    if not held:
        return frozenset()
    used = texts > 0
    if used.sum() < 2:
        return frozenset()
    p = [chi2_contingency([counts[used], (texts - counts)[used]])[1] for counts in held.values()]
    far = [np.abs(counts / counts.sum() - texts / texts.sum()).sum() / 2 for counts in held.values()]
    adjusted = holm(np.array(p))
    return frozenset(word for word, q, d in zip(held, adjusted, far, strict=True) if q <= LEVEL and d > TOLD)
