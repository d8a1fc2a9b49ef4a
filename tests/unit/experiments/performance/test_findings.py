"""Findings of performance: training is not testing, and accuracy is not AUC."""

import numpy as np
import pytest

from emoscope.experiments.performance.findings import findings_of

SCORES = {"accuracy": 0.9, "auc_ovr": 0.8, "macro_f1": 0.7}


def part(shift: float) -> dict:
    found = {name: value + shift for name, value in SCORES.items()}
    per_class = {"joy": {"rows": 30}, "anger": {"rows": 60}, "fear": {"rows": 10}}
    intervals = {f"{name}_interval": [value - 0.1, value + 0.2] for name, value in found.items()}
    return {"rows": 100, "per_class": per_class, **found, **intervals}


def found(metrics: dict) -> dict:
    about = {"rows": 120, "duplicate_rows": 20, "class_counts": {"joy": 40, "anger": 80}}
    return {finding.name: finding for finding in findings_of(metrics, about, alpha=0.05)}


def test_every_number_is_where_its_name_says():
    shifts = {"train": 0.05, "test": 0}
    findings = found({name: {"all": part(shift), "distinct": part(shift - 0.5)} for name, shift in shifts.items()})
    assert findings["distinct_texts"].value == 100
    assert findings["accuracy.train"].value == pytest.approx(0.95)
    tested = [findings[f"{name}.test"].value for name in ("accuracy", "auc", "macro_f1")]
    assert tested == pytest.approx([0.9, 0.8, 0.7])
    assert (findings["auc.test"].low, findings["auc.test"].high) == pytest.approx((0.7, 1.0))
    assert "do not leak: 0.400" in findings["accuracy.test"].note
    assert (findings["class_rows.joy"].value, findings["class_rows.anger"].value) == (40, 80)


def test_a_score_that_is_not_known_has_no_value():
    absent = part(0) | {"auc_ovr": None, "auc_ovr_interval": [None, None]}
    findings = found({name: {"all": absent, "distinct": absent} for name in ("train", "test")})
    assert np.isnan(findings["auc.test"].value) and np.isnan(findings["auc.test"].low)
