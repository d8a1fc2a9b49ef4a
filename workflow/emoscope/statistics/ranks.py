"""How well attention agrees with effects: rank correlation and agreement on the largest, source by source."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import rankdata

FEWEST_TARGETS = 4  # a rank correlation over fewer says nothing


def rank_agreement(maps: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation, over targets, of weights with effects: (..., source, target) -> (..., source).

    Targets whose effect is NaN are left out; NaN for sources with fewer than FEWEST_TARGETS targets, 0 where all
    weights or all effects are alike.
    """
    found = np.full(maps.shape[:-1], np.nan)
    for source, counts in _enough(effects):
        ranks = rankdata(maps[..., source, counts], axis=-1)
        wanted = rankdata(effects[source, counts])
        ranks, wanted = ranks - ranks.mean(axis=-1, keepdims=True), wanted - wanted.mean()
        spread = np.sqrt((ranks**2).sum(axis=-1) * (wanted**2).sum())
        found[..., source] = ranks @ wanted / np.where(spread > 0, spread, 1)
    return found


def top_agreement(maps: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """Whether the largest weight and the largest effect have one target, 1 or 0, for each source.

    Shapes, and the sources and targets that count, are those of `rank_agreement`.
    """
    found = np.full(maps.shape[:-1], np.nan)
    for source, counts in _enough(effects):
        found[..., source] = maps[..., source, counts].argmax(axis=-1) == effects[source, counts].argmax()
    return found


def _enough(effects: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Sources with enough targets, and which of theirs count."""
    counts = ~np.isnan(effects)
    return ((source, counts[source]) for source in np.flatnonzero(counts.sum(axis=-1) >= FEWEST_TARGETS))
