"""p values adjusted for the number of tests in a family.

statsmodels' `multipletests`, number for number; importing that costs a second, and forty jobs adjust some.
"""

from collections.abc import Callable

import numpy as np


def benjamini_hochberg(p: np.ndarray, chosen_from: float = 1) -> np.ndarray:
    """FDR-adjusted p over the whole array as one family, same shape; NaN stays NaN and does not count as a test.

    If the tests were chosen by a look at the same data, out of `chosen_from` times as many, those left out count with
    a p of 1, or the choice would not be paid for. Benjamini and Hochberg (1995), Journal of the Royal Statistical
    Society B 57, 289.
    """

    def step_up(rising: np.ndarray) -> np.ndarray:
        share = np.arange(1, len(rising) + 1) / (len(rising) * chosen_from)
        return np.minimum.accumulate((rising / share)[::-1])[::-1]

    return _adjusted(p, step_up)


def holm(p: np.ndarray) -> np.ndarray:
    """As `benjamini_hochberg`, but controls the family-wise error: use it to name single members.

    Holm (1979), Scandinavian Journal of Statistics 6, 65.
    """

    def step_down(rising: np.ndarray) -> np.ndarray:
        return np.maximum.accumulate(rising * np.arange(len(rising), 0, -1))

    return _adjusted(p, step_down)


def _adjusted(p: np.ndarray, adjust: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """p with those that were tested replaced by what `adjust` makes of them in rising order, at most 1."""
    p = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(p)
    if ((p[tested] < 0) | (p[tested] > 1)).any():
        raise ValueError("p values must lie in [0, 1]")
    adjusted = np.full(p.shape, np.nan)
    order = np.argsort(p[tested])
    ordered = np.minimum(adjust(p[tested][order]), 1)
    adjusted[tested] = ordered[np.argsort(order)]
    return adjusted
