"""The number of cores decides how long a run takes, and nothing else; neither does forking jobs from a warm process."""

import pytest

from benchmarks.determinism import differing, tables
from project import copy_project, snakemake


@pytest.mark.release
def test_one_core_and_two_give_the_same_bytes(finished, tmp_path):
    folder = copy_project(tmp_path / "project")
    records = ["results/tiny-s1/provenance.json", "results/models/language/provenance.json", "reports/claims.csv"]
    found = snakemake(folder, "--cores", "1", *records, warm=False)
    assert found.returncode == 0, found.stdout
    one, two = tables(folder), tables(finished)
    assert {*records, "results/tiny-s1/model/model.safetensors", "data/corpora/calibration/test.parquet"} <= set(one)
    assert len(one) > 80
    assert differing(one, {name: two.get(name) for name in one}) == []
