"""Which method of attribution finds the planted words, over five seeds? `python -m benchmarks words [FOLDER]`.

Runs the target `words` of workflow/configs/seeds.yaml (five trainings) in the folder, by default a scratch one. By
method: how often its top word is a planted one, the share of planted ones among as many top words, and average
precision; each the mean over the seeds' means, with the interval of Student's t over seeds, each of which has texts and
a model of its own.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.ground_truth import make


def measure(place: str | None = None) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(place or scratch).resolve()
        make(folder, "words")
        tables = [pd.read_parquet(path) for path in sorted(folder.glob("results/*/words/ranking.parquet"))]
    return {
        "runs": len(tables),
        "texts": [int(table["texts"].max()) for table in tables],
        "methods": over_seeds(tables),
    }


def over_seeds(tables: list[pd.DataFrame]) -> dict[str, dict[str, list[float]]]:
    """By method and measure, the mean over tables of one seed each, with interval; and the chance of the top word."""
    found: dict[str, dict[str, list[float]]] = {}
    for (method, measure), rows in pd.concat(tables).groupby(["method", "measure"], sort=False):
        found.setdefault(method, {})[measure] = [round(value, 3) for value in interval(rows["value"].to_numpy())]
    return found | {"chance": {"top": [round(float(np.mean([table["chance"].iloc[0] for table in tables])), 3)]}}


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """A mean with its 95 % interval; NaN bounds for one value."""
    if len(values) < 2:
        return float(values.mean()), np.nan, np.nan
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)
