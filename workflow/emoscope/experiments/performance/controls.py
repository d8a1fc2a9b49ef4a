"""What was planted in a generated corpus that accuracy should show, and whether it does."""

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.performance.estimates import accuracy_of, estimates_of
from emoscope.reporting.html import cell, number, outcome, percent

CLOSE = 0.02  # an accuracy that is shown to be this near to the ceiling has reached it
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
            "planted": f"Label noise and ambiguous sentences; no classifier can beat an accuracy of {ceiling:.3f}, and"
            f" what can be learnt is learnt within {CLOSE:g} of it.",
            "found": cell(fresh, number),
            "verdict": reached(ceiling, fresh["low"], fresh["high"]),
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


def reached(ceiling: float, low: float, high: float) -> str:
    """Whether an accuracy with this interval is shown to be within CLOSE of the ceiling: missed if it is shown not to
    be, partly found if it is below and yet right more often than not, cannot tell if it may be either."""
    below = high < ceiling - CLOSE
    return outcome(ceiling - CLOSE <= low <= ceiling, missed=below or low > ceiling, partly=below and low > 0.5)
