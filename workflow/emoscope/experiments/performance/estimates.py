"""Numbers with their intervals, in `metrics.json` and read from it."""

import numpy as np
import pandas as pd

from emoscope.statistics.rates import wilson_interval


def with_intervals(**estimates: tuple[float, float, float]) -> dict[str, float | list[float]]:
    """Estimates as JSON: each value under its name, its bounds under `{name}_interval`."""
    found = {}
    for name, (value, low, high) in estimates.items():
        found |= {name: float(value), f"{name}_interval": [float(low), float(high)]}
    return found


def estimates_of(found: dict) -> dict[str, dict[str, float]]:
    """The metrics with an interval among those that `metrics` found, each as `value, low, high`."""
    bounds = {name: f"{name}_interval" for name in found}
    return {
        name: dict(zip(("value", "low", "high"), (found[name], *found[interval]), strict=True))
        for name, interval in bounds.items()
        if interval in found
    }


def accuracy_of(predictions: pd.DataFrame, alpha: float) -> dict[str, float]:
    """`value, low, high` of the accuracy of some predictions, with Wilson's interval, and `texts`, their number."""
    right, texts = int((predictions["label"] == predictions["pred"]).sum()), len(predictions)
    low, high = wilson_interval(right, texts, alpha)
    return {"value": right / texts if texts else np.nan, "low": low, "high": high, "texts": texts}
