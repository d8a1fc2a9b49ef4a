"""What is read off metrics: estimates, the most frequent confusion, and the accuracy of some texts."""

import numpy as np
import pandas as pd

from emoscope.experiments.performance.confusions import most_frequent_confusion
from emoscope.experiments.performance.estimates import accuracy_of, estimates_of


def test_estimates_are_what_has_an_interval():
    found = estimates_of({"rows": 9, "accuracy": 0.5, "accuracy_interval": [0.4, 0.6], "confusion": [[1]]})
    assert found == {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}}


def test_the_most_frequent_confusion_is_the_largest_share_of_a_class():
    label, pred, share = most_frequent_confusion([[90, 10, 0], [3, 7, 0], [0, 0, 0]], alpha=0.05)
    assert (label, pred) == (1, 0), "3 of 10, though 10 of 100 are more texts"
    assert share["value"] == 0.3 and share["low"] < 0.3 < share["high"]


def test_without_a_confusion_none_is_the_most_frequent():
    assert most_frequent_confusion([[50, 0], [0, 40]], alpha=0.05) is None


def test_accuracy_of_no_text_is_unknown():
    found = accuracy_of(pd.DataFrame({"label": [0, 1, 1, 1], "pred": [0, 1, 1, 0]}), alpha=0.05)
    assert (found["value"], found["texts"]) == (0.75, 4) and found["low"] < 0.75 < found["high"]
    nothing = accuracy_of(pd.DataFrame({"label": [], "pred": []}), alpha=0.05)
    assert np.isnan(nothing["value"]) and nothing["texts"] == 0
