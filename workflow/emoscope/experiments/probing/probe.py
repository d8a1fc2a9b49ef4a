"""Linear probes: what a logistic regression reads out of states, and what reads as much without them.

The penalty is that of `training.baselines`, fixed before any result and the same for all: states are standardised on
the texts that are learned from, so that the variance of a logit is `PRIOR` before a text is seen.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from emoscope.experiments.probing.concepts import control_labels
from emoscope.experiments.probing.names import BAG, LOOKUP, MAJORITY
from emoscope.training.baselines import PRIOR, state_features, word_features

MOST_STEPS = 500
ROUNDING = 1e-5  # of the largest state: a dimension that varies less is what erasing left of it, and no reading
Dealt = Sequence[dict[str, int]]  # control labels by word type, for each draw


def dealt(learned: pd.DataFrame, judged: pd.DataFrame, draws: int, seed: int) -> Dealt:
    """Control labels for the word types of all examples."""
    rng = np.random.default_rng(seed)
    kinds = pd.concat([learned["kind"], judged["kind"]])
    return [control_labels(kinds, learned["value"].to_numpy(), rng) for _ in range(draws)]


def probed(
    states: np.ndarray, others: np.ndarray, learned: pd.DataFrame, judged: pd.DataFrame, controls: Dealt = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Whether a probe of `states` (texts, width), those of `learned`, reads the concept in `others`, those of `judged`,
    bool (texts,); and the share of the draws of control labels in which it reads these, NaN without draws."""
    varies = states.std(axis=0) > ROUNDING * np.abs(states).max()
    features = state_features(np.where(varies, states, 0), np.where(varies, others, 0))
    right = _read(*features, learned["value"]) == judged["value"].to_numpy()
    control = [
        _read(*features, learned["kind"].map(labels)) == judged["kind"].map(labels).to_numpy() for labels in controls
    ]
    return right, np.mean(control, axis=0) if control else np.full(len(judged), np.nan)


def cheapest(learned: pd.DataFrame, judged: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Whether the concept is read in each judged text without the model: by its most frequent value, a bag of words,
    and the value that the text's word type has most often."""
    values, asked = learned["value"], judged["value"].to_numpy()
    most = values.mode()[0]
    yield MAJORITY, asked == most
    yield BAG, _read(*word_features(learned["text"], judged["text"]), values) == asked
    known = values.groupby(learned["kind"]).agg(lambda own: own.mode()[0])
    yield LOOKUP, judged["kind"].map(known).fillna(most).to_numpy() == asked


def _read(learned, judged, values: pd.Series) -> np.ndarray:
    """What a logistic regression of the learned features (texts, columns) says of the judged ones."""
    if values.nunique() == 1:  # as of control labels, if there is one word type
        return np.full(judged.shape[0], values.iloc[0])
    return LogisticRegression(C=PRIOR, max_iter=MOST_STEPS).fit(learned, values).predict(judged)
