"""How well attention agrees with effects: rank correlation and agreement on the largest, source by source."""

import numpy as np
from scipy.stats import rankdata

FEWEST_TARGETS = 4  # a rank correlation over fewer says nothing


def rank_agreement(maps: np.ndarray, effects: np.ndarray, start: int = 0) -> np.ndarray:
    """Spearman's rank correlation, over targets, of weights with effects: (..., source, target) -> (..., source).

    Targets before `start` are left out; NaN for sources with fewer than FEWEST_TARGETS targets.
    """
    found = np.full(maps.shape[:-1], np.nan)
    for source in range(start + FEWEST_TARGETS - 1, maps.shape[-1]):
        ranks = rankdata(maps[..., source, start : source + 1], axis=-1)
        wanted = rankdata(effects[source, start : source + 1])
        ranks, wanted = ranks - ranks.mean(axis=-1, keepdims=True), wanted - wanted.mean()
        spread = np.sqrt((ranks**2).sum(axis=-1) * (wanted**2).sum())
        found[..., source] = np.divide(ranks @ wanted, spread, out=np.zeros(spread.shape), where=spread > 0)
    return found


def top_agreement(maps: np.ndarray, effects: np.ndarray, start: int = 0) -> np.ndarray:
    """Whether the largest weight and the largest effect have one target, 1 or 0, for each source.

    Shapes, and the sources and targets that count, are those of `rank_agreement`.
    """
    found = np.full(maps.shape[:-1], np.nan)
    for source in range(start + FEWEST_TARGETS - 1, maps.shape[-1]):
        wanted = effects[source, start : source + 1].argmax()
        found[..., source] = maps[..., source, start : source + 1].argmax(axis=-1) == wanted
    return found
