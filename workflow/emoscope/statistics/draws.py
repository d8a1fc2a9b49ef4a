"""Where one more draw would lie, beside several that are known, whatever their distribution."""

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
