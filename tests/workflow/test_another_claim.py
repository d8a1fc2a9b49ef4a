"""The recipe for a claim holds: an entry in claims.yaml is enough, whichever experiment it names."""

import pytest

from project import copy_project, planned, snakemake

CLAIM = """
- id: words.it
  source: elsewhere
  says: Something is 1.
  published: 1
  finding: {}
  judge: value
  tolerance: 0
"""


@pytest.mark.slow
def test_a_claim_on_another_experiment_asks_for_its_findings(tmp_path):
    project = copy_project(tmp_path)
    listed = project / "data/reference/claims.yaml"
    before = listed.read_text()
    assert "summarise_words" not in planned(project, "results/tiny-s1/claims.csv")
    listed.write_text(before + CLAIM.format("words/it"))
    assert planned(project, "results/tiny-s1/claims.csv")["summarise_words"] == 1
    listed.write_text(before + CLAIM.format("wrods/it"))
    found = snakemake(project, "--dry-run", "results/tiny-s1/claims.csv")
    assert found.returncode and "results/tiny-s1/wrods/findings.csv" in found.stdout
