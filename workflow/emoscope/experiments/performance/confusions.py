"""Which class or label is taken for which."""

from collections.abc import Sequence

import numpy as np

from emoscope.statistics.equivalence import largest
from emoscope.statistics.rates import wilson_interval


def most_frequent_confusion(
    confusion: Sequence[Sequence[int]], rows: Sequence[int], trials: Sequence[float], alpha: float
) -> tuple[int, int, dict[str, float]] | None:
    """The (label, pred) that is the largest share of its label's rows: both, and `value, low, high` of the largest
    share; None if no row is given another label.

    `confusion` counts rows by (label, pred); `rows` and `trials`, those with each label and how many independent ones
    they are worth. The pair was chosen for its share, so the interval is of the largest share of all, from Wilson's of
    each.
    """
    counts, rows, trials = (np.array(one, dtype=float) for one in (confusion, rows, trials))
    others = ~np.eye(len(rows), dtype=bool) & (rows > 0)[:, None]
    shares = np.where(others, counts / np.maximum(rows, 1)[:, None], 0)
    if not shares.any():
        return None
    true, taken = np.unravel_index(shares.argmax(), shares.shape)
    trials = np.broadcast_to(trials[:, None], shares.shape)[others]
    each = np.array([(p, *wilson_interval(p * n, n, alpha)) for p, n in zip(shares[others], trials, strict=True)])
    _, (low, high) = largest(*each.T, alpha)
    return int(true), int(taken), {"value": shares[true, taken], "low": max(low, 0.0), "high": high}
