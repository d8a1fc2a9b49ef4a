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
