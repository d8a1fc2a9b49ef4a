"""What the samples behind the paper's statements of "no effect" could have shown, had not one text been affected."""

import pandas as pd

from emoscope.statistics.equivalence import minimum_detectable_mean
from emoscope.statistics.rates import zero_event_bound
from emoscope.statistics.sample_size import texts_for_rate


def power_of(samples: pd.DataFrame, margin: float, alpha: float) -> pd.DataFrame:
    """The samples, of so many `texts` with a `spread`, and what they could have shown: `share, change, enough`.

    share: of all such texts, how many may be affected though none of the sample is: the end of the exact interval.
    change: the mean change that a t test detects with 80 % power; NaN where the spread is not known. enough: whether a
    sample without one affected text excludes that a share of `margin` is (exact binomial test).
    """
    found = [
        {
            "share": zero_event_bound(n, alpha),
            "change": minimum_detectable_mean(spread, n, alpha),
            "enough": n >= texts_for_rate(0, margin, alpha),
        }
        for n, spread in zip(samples["texts"].astype(int), samples["spread"], strict=True)
    ]
    return samples.join(pd.DataFrame(found, index=samples.index))


def claims_by_power(samples: pd.DataFrame, margin: float, alpha: float) -> dict[str, list[str]]:
    """The claims whose texts were too `few` to exclude a share of `margin`, too few in `parts` only, or `enough`."""
    needed = texts_for_rate(0, margin, alpha)
    sizes = samples.groupby("claim", sort=False)["texts"]
    few, enough = sizes.max() < needed, sizes.min() >= needed
    kinds = {"few": few, "parts": ~few & ~enough, "enough": enough}
    return {kind: list(chosen.index[chosen]) for kind, chosen in kinds.items()}
