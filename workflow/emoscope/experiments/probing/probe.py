"""Linear probes: what a logistic regression reads out of states, and what reads as much without them.

The penalty is that of `training.baselines`, fixed before any result and the same for all: states are standardised on
the texts that are learned from, so that the variance of a logit is `PRIOR` before a text is seen.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from emoscope.experiments.probing.names import BAG, LOOKUP, MAJORITY
from emoscope.training.baselines import PRIOR, state_features, word_features

MOST_STEPS = 500
ROUNDING = 1e-5  # of the largest state: a dimension that varies less is what erasing left of it, and no reading


def probed(states: np.ndarray, others: np.ndarray, learned: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Whether a probe that learns to read `learned` (texts,) from `states` (texts, width) reads `judged` in `others`,
    bool (texts,)."""
    varies = states.std(axis=0) > ROUNDING * np.abs(states).max()
    features = state_features(np.where(varies, states, 0), np.where(varies, others, 0))
    return _read(*features, learned) == judged


def cheapest(learned: pd.DataFrame, judged: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Whether the concept is read in each judged text without the model: by its most frequent value, a bag of words,
    and, if single words say it, the value that the text's word type has most often."""
    values, asked = learned["value"], judged["value"].to_numpy()
    most = values.mode()[0]
    yield MAJORITY, asked == most
    yield BAG, _read(*word_features(learned["text"], judged["text"]), values.to_numpy()) == asked
    if not learned["kind"].all():
        return
    known = values.groupby(learned["kind"]).agg(lambda own: own.mode()[0])
    yield LOOKUP, judged["kind"].map(known).fillna(most).to_numpy() == asked


def _read(learned, judged, values: np.ndarray) -> np.ndarray:
    """What a logistic regression of the learned features (texts, columns) says of the judged ones."""
    if len(np.unique(values)) == 1:  # as of control labels, if all others are of texts that are judged
        return np.full(judged.shape[0], values[0])
    return LogisticRegression(C=PRIOR, max_iter=MOST_STEPS).fit(learned, values).predict(judged)
