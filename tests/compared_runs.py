"""Runs of three set-ups to compare, with a made-up masking summary of each."""

import numpy as np
import pandas as pd

from emoscope.storage.names import ALL, WHOLE_BLOCK


def masking_summary(falls, heads: int = 2, seed: int = 0) -> pd.DataFrame:
    """A masking summary in which block b costs falls[b], of the margin four times as much; heads share it."""
    rng, rows = np.random.default_rng(seed), []
    for block, fall in enumerate(falls):
        for head in (WHOLE_BLOCK, *range(heads)):
            for condition in ("described", "mean") if head == WHOLE_BLOCK else ("zero",):
                for measure in ("probability", "first_class", "margin", "accuracy"):
                    scale = 4 if measure == "margin" else 1
                    change = -scale * (fall if head == WHOLE_BLOCK else fall * rng.uniform() / heads)
                    rows.append((block, head, condition, ALL, measure, change, 0.02 * scale))
    names = ["block", "head", "condition", "group", "measure", "change", "equivalence_margin"]
    table = pd.DataFrame(rows, columns=names)
    large = table["change"].abs() > table["equivalence_margin"]
    return table.assign(
        low=table["change"] - 0.01,
        high=table["change"] + 0.01,
        p_equivalence=np.where(large, 1.0, 1e-4),
        p_beyond=np.where(large, 1e-4, 1.0),
        p_adjusted=np.where(large, 1e-4, 0.5),
        verdict=np.where(large, "different", "equivalent"),
    )


FALLS = {
    "narrow-s1": [0.5, 0.003, 0.001, 0.002, 0.0],
    "narrow-s2": [0.6, 0.003, 0.002, 0.001, 0.0],
    "deep-s1": [0.0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.2],
    "warm-s1": [0.0, 0.1, 0.01, 0.02, 0.3],
    "warm-s2": [0.01, 0.1, 0.0, 0.02, 0.3],
}
SETTINGS = {
    run: {"name": run.split("-")[0], "seed": int(run[-1]), "corpus": "texts", "model": run.split("-")[0]}
    | {"training": {"epochs": 2}}
    for run in FALLS
}
MODELS = {
    "narrow": {"source": "scratch", "blocks": 5},
    "deep": {"source": "scratch", "blocks": 8},
    "warm": {"source": "path", "path": "warm", "blocks": 5},
}
COMPARED = {
    run: {"group": run.split("-")[0], "blocks": len(falls), "weights": {"path": "warm"} if "warm" in run else None}
    for run, falls in FALLS.items()
}
