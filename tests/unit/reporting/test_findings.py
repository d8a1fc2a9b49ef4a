"""Findings come back from their file as they went in."""

import numpy as np
import pandas as pd
import pytest

from emoscope.reporting.findings import Finding, read_findings, write_findings

FOUND = {
    "nothing but a value": [Finding("a", 1.0)],
    "numbers that are all 0": [Finding("a", 0.0, code=0.0, code_low=0.0, code_high=0.0, within=0.0, beyond=0.0)],
    "some of each": [Finding("a", 1.0, 0.5, 1.5, "8 of 9", texts=9), Finding("b", 0.1, rate=True, sentences=4)],
}


@pytest.mark.parametrize("findings", FOUND.values(), ids=FOUND)
def test_what_is_written_is_read(findings, tmp_path):
    write_findings(findings, tmp_path / "findings.csv")
    read = read_findings(tmp_path / "findings.csv")
    assert list(read) == [one.name for one in findings]
    for one in findings:
        for name, value in one._asdict().items():
            found = getattr(read[one.name], name)
            assert found == value or (np.isnan(found) and np.isnan(value)), name


def test_columns_that_say_nothing_are_left_out(tmp_path):
    write_findings(FOUND["nothing but a value"], tmp_path / "findings.csv")
    assert list(pd.read_csv(tmp_path / "findings.csv")) == ["name", "value", "low", "high", "note"]
