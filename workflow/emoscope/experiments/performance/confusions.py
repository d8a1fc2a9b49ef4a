"""Which class or label is taken for which."""

import numpy as np

from emoscope.statistics.rates import wilson_interval


def most_frequent_confusion(
    confusion: list[list[int]], alpha: float, totals: list[int] | None = None
) -> tuple[int, int, dict[str, float]] | None:
    """The (label, pred) that is the largest share of its label's texts: both, and `value, low, high` of that share;
    None if no text is given another label.

    `confusion` counts texts by (label, pred); the interval is Wilson's. `totals` are the texts of each label, where one
    may be counted more than once.
    """
    counts = np.array(confusion, dtype=float)
    texts = counts.sum(axis=1) if totals is None else np.array(totals, dtype=float)
    shares = counts / np.maximum(texts, 1)[:, None]
    np.fill_diagonal(shares, 0)
    if not shares.any():
        return None
    true, taken = np.unravel_index(shares.argmax(), shares.shape)
    low, high = wilson_interval(counts[true, taken], texts[true], alpha)
    return int(true), int(taken), {"value": shares[true, taken], "low": low, "high": high}
