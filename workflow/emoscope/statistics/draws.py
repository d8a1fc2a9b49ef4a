"""Whether something lies where one more draw would, beside several that are known, whatever their distribution."""

import numpy as np

from emoscope.statistics.clusters import Interval

ROUNDED = 1e-9  # of a number that should be whole


def next_draw(values: np.ndarray, alpha: float = 0.05) -> Interval:
    """Between which of the values (n,) one more draw like them lies, with probability 1 - alpha or more.

    Of n + 1 draws alike, each is as likely as any other to be among the k smallest. So the bounds are the k-th smallest
    and the k-th largest of the n, with k / (n + 1) at most alpha / 2: at 5 % no fewer than 39 will do, of which the
    bounds are the smallest and the largest. NaN if there are fewer, or one is NaN. Wilks (1941), Annals of Mathematical
    Statistics 12, 91.
    """
    outside = int(alpha / 2 * (len(values) + 1) + ROUNDED)
    if not outside or np.isnan(values).any():
        return Interval(np.nan, np.nan)
    rising = np.sort(values)
    return Interval(float(rising[outside - 1]), float(rising[-outside]))


def above_draws(values: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """p (n,) of values (n,) that lie so far above draws (n, m), adjusted over all n; twice the share of one side.

    A column of draws belongs together, as the values do. If these are one more such column, each of the m + 1 is as
    likely as any other to have the largest distance over its rows, from the mean of a row's m + 1 and in their standard
    deviations. Westfall and Young (1993), Resampling-based multiple testing, maxT in one step. With 39 draws, a value
    further above than any draw of any row has 0.05; fewer show nothing at 5 %.
    """
    every = np.column_stack([values, draws])
    far = every - every.mean(axis=1, keepdims=True)
    spread = every.std(axis=1, keepdims=True)
    far = np.divide(far, spread, out=np.zeros_like(far), where=spread > 0)
    reached = (far[:, 1:].max(axis=0) >= far[:, :1]).sum(axis=1)
    return np.minimum(1, 2 * (1 + reached) / every.shape[1])
