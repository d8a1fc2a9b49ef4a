"""What was planted in a generated corpus that accuracy should show, and whether it does."""

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.performance.estimates import accuracy_of, estimates_of
from emoscope.reporting.html import cell, number, outcome, percent

CLOSE = 0.02  # an accuracy this near to the ceiling counts as having reached it
COMPOSED = {
    "negation": "negate a feeling; a count of words fails on half of them",
    "contrast": "name a past and a present feeling; a count of words cannot tell which holds",
}


def controls(
    truth: dict, metrics: dict, audit: dict, predictions: pd.DataFrame, test: pd.DataFrame, alpha: float
) -> list:
    """Planted effects that accuracy should show; `predictions` cover all texts, `test` is the test set."""
    fresh = estimates_of(metrics["test"]["distinct"])["accuracy"]
    ceiling, effects, ids = truth["ceiling"], truth["effects"], truth["ids"]
    repeated, planted = audit["duplicate_rows"] / audit["rows"], effects["duplicates"]["size"]
    rows = [
        {
            "planted": f"Label noise and ambiguous sentences; no classifier can beat an accuracy of {ceiling:.3f}.",
            "found": cell(fresh, number),
            "verdict": outcome(
                fresh["low"] <= ceiling and fresh["high"] >= ceiling - CLOSE,
                missed=True,
                partly=0.5 < fresh["low"] <= ceiling,
            ),
        },
        {
            "planted": f"{percent(planted)} of the rows repeat another's text.",
            "found": percent(repeated),
            "verdict": outcome(abs(repeated - planted) < 0.005, missed=True),
        },
    ]
    tested = test[["id", "text"]].merge(predictions, on="id", validate="1:1")
    clean = tested[~tested["id"].isin(ids["noisy"])]
    for kind, meaning in COMPOSED.items():
        accuracy = accuracy_of(clean[clean["id"].isin(ids[kind])], alpha)
        rows.append(
            {
                "planted": f"{percent(effects[kind]['size'], 0)} of the sentences {meaning}.",
                "found": Markup("accuracy {}, {} texts").format(cell(accuracy, number), accuracy["texts"]),
                "verdict": outcome(accuracy["low"] > 0.5, missed=accuracy["high"] < 0.5),
            }
        )
    return rows
