"""The quotable numbers of how well a classifier does."""

from collections.abc import Iterator, Mapping

import numpy as np

from emoscope.reporting.findings import Finding
from emoscope.statistics.equivalence import detectable_from_interval

SCORES = {"accuracy": "accuracy", "auc": "auc_ovr", "macro_f1": "macro_f1"}


def findings_of(metrics: Mapping, audit: Mapping, alpha: float) -> Iterator[Finding]:
    """`distinct_texts`; `class_rows.{class}`; `accuracy`, `auc` and `macro_f1` over all rows of `.train` and `.test`;
    and `accuracy_over_guessing.test`, the accuracy less that of always naming the test set's most frequent class."""
    count = audit["rows"] - audit["duplicate_rows"]
    yield Finding("distinct_texts", count, note=f"The corpus has {audit['rows']} rows. A count has no interval.")
    for name, rows in audit["class_counts"].items():
        yield Finding(f"class_rows.{name}", rows, note="A count has no interval.")
    for part in ("train", "test"):
        found, distinct = metrics[part]["all"], metrics[part]["distinct"]
        for name, score in SCORES.items():
            note = f"On distinct texts that do not leak: {distinct['accuracy']:.3f}." if name == "accuracy" else ""
            low, high = _numbers(found[f"{score}_interval"])
            yield Finding(
                f"{name}.{part}",
                *_numbers([found[score]]),
                low,
                high,
                note,
                texts=found["rows"],
                detectable=detectable_from_interval(low, high, alpha),
            )
    tested = metrics["test"]["all"]
    commonest = max(tested["per_class"], key=lambda name: tested["per_class"][name]["rows"])
    share = tested["per_class"][commonest]["rows"] / tested["rows"]
    value, low, high = (score - share for score in _numbers([tested["accuracy"], *tested["accuracy_interval"]]))
    note = f"{commonest} is {share:.3f} of the test rows."
    yield Finding("accuracy_over_guessing.test", value, low, high, note, texts=tested["rows"])


def _numbers(values: list[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in values]
