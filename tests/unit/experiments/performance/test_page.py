"""The performance page: every number has its interval."""

import numpy as np
import pandas as pd

from emoscope.experiments.performance import page as performance_report
from emoscope.experiments.performance.summarise import metrics


def test_every_metric_on_the_page_has_its_interval():
    label = np.arange(60) % 3
    pred = np.where(np.arange(60) % 7 == 0, 0, label)
    scores = {f"p_{name}": np.where(pred == k, 0.8, 0.1) for k, name in enumerate("abc")}
    table = pd.DataFrame({"text": map(str, range(60)), "label": label, "pred": pred, "confidence": 0.8} | scores)
    found = metrics(table, list("abc"), alpha=0.05, resamples=100, seed=0)
    published = pd.DataFrame({"metric": [f"{a}_{b}" for a in ("train", "test") for b in ("accuracy", "auc_ovr")]})
    sets = {part: {"all": found, "distinct": found} for part in ("train", "test")}
    page = performance_report.main_table(sets, published.assign(paper_text=0.9))
    assert page.count('class="interval"') == 4 * 3 and "100 resamples" in page
    counts = pd.DataFrame({"label": list("abc"), "rows": 20})
    assert performance_report.per_class(found, dict.fromkeys("abc", 20), counts).count('class="interval"') == 3 * 4
    assert 'class="interval"' in performance_report.calibration(found)
    assert 'class="interval"' in performance_report.confusions(found, list("abc"), 0.05)
    right = performance_report.confusions({"confusion": [[50, 0], [0, 40]]}, list("ab"), 0.05)
    assert right == "<p>No text is taken for one of another class.</p>"


def test_of_a_classifier_trained_elsewhere_nothing_is_said_of_what_it_saw():
    rows = {"accuracy": 0.8, "accuracy_interval": [0.7, 0.9]}
    kinds = {"all": rows, "distinct": rows}
    names = ("test_minus_distinct", "train_minus_test", "train_minus_test_distinct")
    found = {"test": kinds, "train": kinds, "differences": dict.fromkeys(names, rows)}
    audit = dict.fromkeys(["duplicate_rows", "conflicting_texts", "leaked_test_rows", "test_rows"], 1)
    audit |= {"rows": 10, "leaked_share": 0.1}
    here, elsewhere = (performance_report.leak(audit, found, adopted) for adopted in (False, True))
    assert "has not seen" in here and "its training texts" in here
    assert "has not seen" not in elsewhere and "its training texts" not in elsewhere and "is not known" in elsewhere
