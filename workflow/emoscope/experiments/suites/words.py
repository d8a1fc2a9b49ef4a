"""What a bag of words makes of the pairs that ask for something: the cheapest way to do what they ask."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from emoscope.perturbation.pairs import PAIR_KEY, SUITE
from emoscope.storage.decisions import as_column, has_several, truth_of
from emoscope.storage.files import read_json, write_table
from emoscope.training.baselines import log_odds, word_features


def score_by_words(pairs: Path, train: Path, audit: Path, words: Path) -> None:
    """Write `before_{class}` and `after_{class}` of a suite's pairs with a goal, as of a model, by a bag of words that
    learned from the training set; where a text may have several labels, also `pred_before` and `pred_after`."""
    classes, training, table = read_json(audit)["classes"], pd.read_parquet(train), pd.read_parquet(pairs)
    asked = table[(table["origin"] == SUITE) & (table["goal"] != "")]
    odds = np.empty((2 * len(asked), len(classes)))
    if len(asked):
        texts = pd.concat([asked["text"], asked["perturbed"]])
        counts, sides = word_features(training["text"], texts)
        odds = log_odds(counts, truth_of(training, len(classes)).astype(np.int8), sides)
    found = expit(odds)
    if not has_several(training):
        found /= found.sum(axis=1, keepdims=True)
    result = asked[PAIR_KEY].reset_index(drop=True)
    for when, shares, own in zip(("before", "after"), np.split(found, 2), np.split(odds, 2), strict=True):
        result[[f"{when}_{name}" for name in classes]] = shares
        if has_several(training):
            result[f"pred_{when}"] = as_column(own > 0)
    write_table(result, words)
