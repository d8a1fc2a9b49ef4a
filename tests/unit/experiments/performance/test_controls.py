"""The controls of a generated corpus: what was planted, on the test texts whose labels are right, each text once."""

import pandas as pd
import pytest

from emoscope.experiments.performance.controls import controls, reached

EFFECTS = {"duplicates": {"size": 0.1}, "negation": {"size": 0.2}, "contrast": {"size": 0.1}}
METRICS = {"test": {"distinct": {"accuracy": 0.94, "accuracy_interval": [0.935, 0.945]}}}


def verdicts(texts: list[str], wrong: set[int] = frozenset(), **counts: int) -> list[str]:
    """Of a corpus of 40 rows, the last 20 of them for testing; the first 10 of these are negations, the others
    contrasts. The first of either has a wrong label, and the model errs in `wrong`."""
    ids = {"noisy": [20, 30], "negation": [*range(10), *range(20, 30)], "contrast": [*range(10, 20), *range(30, 40)]}
    predictions = pd.DataFrame({"id": range(40), "label": 0, "pred": [int(k in wrong | {20, 30}) for k in range(40)]})
    test = pd.DataFrame({"id": range(39, 19, -1), "text": texts[::-1]})
    audit = {"rows": 100, "duplicate_rows": 10} | counts
    rows = controls({"ceiling": 0.95, "effects": EFFECTS, "ids": ids}, METRICS, audit, predictions, test, 0.05)
    return [row["verdict"] for row in rows]


TEXTS = [f"text {k}" for k in range(20)]


@pytest.mark.parametrize(
    ("wrong", "counts", "told"),
    [
        ({*range(20)}, {}, ["found"] * 4),
        ({*range(21, 29)}, {}, ["found", "found", "missed", "found"]),
        ({*range(31, 35)}, {}, ["found", "found", "found", "cannot tell"]),
        (set(), {"duplicate_rows": 0}, ["found", "missed", "found", "found"]),
    ],
)
def test_controls_are_told_by_clean_test_texts(wrong, counts, told):
    assert verdicts(TEXTS, wrong, **counts) == told


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.92, 0.94, "found"),
        (0.74, 0.92, "cannot tell"),
        (0.90, 0.97, "cannot tell"),
        (0.2, 0.99, "cannot tell"),
        (0.88, 0.91, "partly found"),
        (0.2, 0.4, "missed"),
        (0.94, 0.96, "missed"),
    ],
)
def test_a_ceiling_is_reached_by_what_is_shown_to_be_close_to_it(low, high, told):
    """Too few texts fit it, and much less; what beats it has seen the answers."""
    assert reached(0.935, low, high) == told


def test_a_text_that_stands_ten_times_shows_no_more_than_one():
    assert verdicts(["not glad"] * 10 + TEXTS[10:]) == ["found", "found", "cannot tell", "found"]
