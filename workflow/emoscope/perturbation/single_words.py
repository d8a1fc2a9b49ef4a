"""Which words, replaced alone, change more predictions than neutral words do, by more than a margin."""

import numpy as np
import pandas as pd

from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.rates import detectable_excess, rate_excess_test

VISIBLE = 0.2  # where nothing is seen, that counts for nothing unless an effect of this size would have been seen


def word_test(events: np.ndarray, neutral: np.ndarray, margin: float, alpha: float) -> dict[str, float]:
    """`p` of a word's changed predictions against those of the neutral swaps of all words, and the `detectable` rate.

    Boolean vectors, a text each; `alpha` is the level of one word of many. `detectable` is NaN if no rate at all would
    be found.
    """
    detectable = detectable_excess(len(events), neutral, margin, alpha)
    return {"p": rate_excess_test(events, neutral, margin), "detectable": detectable}


def word_verdicts(words: pd.DataFrame, excess: pd.DataFrame, alpha: float) -> np.ndarray:
    """Judge the words by their rows of `changed`, with `p_adjusted` and `detectable`, and of `excess_changed`.

    `flagged`: more than the neutral swaps of all words, by more than the margin, and more than those of its own texts,
    where FEWEST_CLUSTERS of them have some: texts may differ in how easily any word changes them. `not flagged`: no
    more than these, for certain; or not the first, though a rate of VISIBLE would have shown it. Else `cannot tell`.
    """
    own = excess.set_index("term").reindex(words["term"].to_numpy())
    beside = own["verdict"].where(own["texts"] >= FEWEST_CLUSTERS, "more").to_numpy()
    beyond = (words["p_adjusted"] <= alpha).to_numpy()
    seen = ~beyond & (words["detectable"] <= VISIBLE).to_numpy()
    told = [beyond & (beside == "more"), seen | (beside == "no more")]
    return np.select(told, ["flagged", "not flagged"], "cannot tell")
