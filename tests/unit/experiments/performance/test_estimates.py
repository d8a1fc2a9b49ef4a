"""What is read off metrics: estimates, the most frequent confusion, and the accuracy of some texts."""

import numpy as np
import pandas as pd

from emoscope.experiments.performance.confusions import most_frequent_confusion
from emoscope.experiments.performance.estimates import accuracy_of, estimates_of


def test_estimates_are_what_has_an_interval():
    found = estimates_of({"rows": 9, "accuracy": 0.5, "accuracy_interval": [0.4, 0.6], "confusion": [[1]]})
    assert found == {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}}


def test_the_most_frequent_confusion_is_the_largest_share_of_a_class():
    counts, rows = [[90, 10, 0], [3, 7, 0], [0, 0, 0]], [100, 10, 0]
    label, pred, share = most_frequent_confusion(counts, rows, rows, alpha=0.05)
    assert (label, pred) == (1, 0), "3 of 10, though 10 of 100 are more texts"
    assert share["value"] == 0.3 and share["low"] < 0.3 < share["high"]


def test_the_interval_of_the_most_frequent_confusion_allows_for_the_choice():
    """Thirty classes that are all taken for one another as often: the largest of 870 shares is far above what it is."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(40):
        counts = rng.multinomial(100, [0.42] + [0.02] * 29, size=30)
        counts = np.array([np.roll(row, k) for k, row in enumerate(counts)])
        _, _, share = most_frequent_confusion(counts, [100] * 30, [100] * 30, alpha=0.05)
        covered.append(share["low"] <= 0.02 <= share["high"])
    assert np.mean(covered) > 0.9


def test_repeated_rows_make_no_confusion_surer():
    counts, rows = [[60, 40], [0, 100]], [100, 100]
    once, often = (most_frequent_confusion(counts, rows, trials, alpha=0.05)[2] for trials in (rows, [10, 10]))
    assert once["value"] == often["value"] and often["high"] - often["low"] > 2 * (once["high"] - once["low"])


def test_without_a_confusion_none_is_the_most_frequent():
    assert most_frequent_confusion([[50, 0], [0, 40]], [50, 40], [50, 40], alpha=0.05) is None


def test_accuracy_of_no_text_is_unknown():
    four = pd.DataFrame({"text": list("abcd"), "label": [0, 1, 1, 1], "pred": [0, 1, 1, 0]})
    found = accuracy_of(four, alpha=0.05)
    assert (found["value"], found["texts"]) == (0.75, 4) and found["low"] < 0.75 < found["high"]
    again = accuracy_of(pd.concat([four] * 9), alpha=0.05)
    assert (again["low"], again["high"], again["texts"]) == (found["low"], found["high"], 36)
    nothing = accuracy_of(four[:0], alpha=0.05)
    assert np.isnan(nothing["value"]) and nothing["texts"] == 0
