"""Numbers with their intervals, in `metrics.json` and read from it."""

import numpy as np
import pandas as pd

from emoscope.data.known_texts import keys_of
from emoscope.statistics.rates import effective_rows, wilson_interval


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


def texts_of(table: pd.DataFrame) -> np.ndarray:
    """Which text each row holds, int (rows,): what differs in case or blanks alone is one."""
    return pd.factorize(keys_of(table["text"]))[0]


def text_rate(hits: np.ndarray, texts: np.ndarray, alpha: float) -> tuple[float, float, float]:
    """The share of the rows that are `hits`, bool (rows,), with Wilson's interval on effective rows, as those of one of
    the `texts` (rows,) are not independent; however few there are. NaN without rows."""
    if not len(hits):
        return (np.nan,) * 3
    share, rows = np.mean(hits), effective_rows(hits, texts, alpha)
    return share, *wilson_interval(share * rows, rows, alpha)


def accuracy_of(predictions: pd.DataFrame, alpha: float) -> dict[str, float]:
    """`value, low, high` of the accuracy of some predictions, `text, label, pred`, and `texts`, their number."""
    right = (predictions["label"] == predictions["pred"]).to_numpy()
    value, low, high = text_rate(right, texts_of(predictions), alpha)
    return {"value": value, "low": low, "high": high, "texts": len(predictions)}
