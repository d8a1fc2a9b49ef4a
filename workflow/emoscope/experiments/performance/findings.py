"""The quotable numbers of how well a classifier does."""

from collections.abc import Iterator, Mapping

import numpy as np

from emoscope.reporting.findings import Finding
from emoscope.statistics.equivalence import detectable_from_interval

SCORES = {"accuracy": "accuracy", "auc": "auc_ovr", "macro_f1": "macro_f1"}
LABEL_SCORES = ("micro_f1", "average_precision", "hamming_loss")  # of several labels a text


def findings_of(metrics: Mapping, audit: Mapping, alpha: float) -> Iterator[Finding]:
    """`distinct_texts`; `class_rows.{class}`; `accuracy`, `auc` and `macro_f1` over all rows of `.train` and
    `.test`; of several labels a text, when accuracy is of exact matches, also LABEL_SCORES."""
    count = audit["rows"] - audit["duplicate_rows"]
    yield Finding("distinct_texts", count, note=f"The corpus has {audit['rows']} rows. A count has no interval.")
    for name, rows in audit["class_counts"].items():
        yield Finding(f"class_rows.{name}", rows, note="A count has no interval.")
    for part in ("train", "test"):
        found, distinct = metrics[part]["all"], metrics[part]["distinct"]
        several = {name: name for name in LABEL_SCORES if name in found}
        for name, score in (SCORES | several).items():
            note = f"On distinct texts that do not leak: {distinct['accuracy']:.3f}." if name == "accuracy" else ""
            note = f"Texts whose labels are all right, exact matches. {note}" if note and several else note
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


def baseline_findings(baselines: Mapping, alpha: float) -> Iterator[Finding]:
    """`accuracy.{method}`, a cheap classifier's on all rows of the test set, and by how much the model's lies above it;
    `.distinct` is the same of distinct texts that do not leak. Of several labels a text, also of `macro_f1` and
    `micro_f1`."""
    for method, found in baselines.items():
        for kind, ending in (("all", ""), ("distinct", ".distinct")):
            rows = found[kind]
            named = {f"accuracy.{method}": "accuracy", f"accuracy.above_{method}": "difference"}
            for name in ("macro_f1", "micro_f1"):
                if name in rows:
                    named |= {f"{name}.{method}": name, f"{name}.above_{method}": f"{name}_difference"}
            for name, score in named.items():
                low, high = _numbers(rows[f"{score}_interval"])
                detectable = detectable_from_interval(low, high, alpha)
                value = _numbers([rows[score]])
                yield Finding(f"{name}{ending}", *value, low, high, texts=rows["rows"], detectable=detectable)


def _numbers(values: list[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in values]
