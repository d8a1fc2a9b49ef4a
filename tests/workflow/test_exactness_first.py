"""Texts are predicted behind the check of the model, if that allows it, and not anew when the check is done again."""

import json
from pathlib import Path

import pytest

from project import copy_project, planned, snakemake

RUN = "results/tiny-s1"
ASKED = (f"{RUN}/exactness.json", f"{RUN}/predictions/1-of-1.parquet")
JOB = """
import json, re, sys
from pathlib import Path
command = next(word for word in sys.argv[1:] if re.fullmatch("[a-z][a-z-]+", word))
output = Path(sys.argv[sys.argv.index("--output") + 1])
with Path("ran.txt").open("a") as ran:
    ran.write(f"{command}\\n")
if Path("refused").exists():
    sys.exit("refused")
output.write_text(json.dumps(str(output)))
"""


@pytest.fixture
def project(tmp_path) -> Path:
    """A project whose model and texts are there, and whose jobs do no more than to say that they ran."""
    folder = copy_project(tmp_path / "project")
    corpus = folder / "data" / "corpora" / "calibration"
    for file in (corpus / "train.parquet", corpus / "test.parquet", folder / RUN / "model" / "config.json"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (folder / "workflow" / "emoscope" / "__main__.py").write_text(JOB)
    return folder


@pytest.mark.slow
def test_texts_are_predicted_behind_the_check_and_not_anew_when_that_is_done_again(project):
    (project / "refused").touch()
    assert snakemake(project, *ASKED).returncode == 1
    assert (project / "ran.txt").read_text().split() == ["check-exactness"]
    (project / "refused").unlink()
    found = snakemake(project, *ASKED)
    assert found.returncode == 0, found.stdout
    assert (project / "ran.txt").read_text().split() == ["check-exactness", "check-exactness", "predict"]

    (project / ASKED[0]).write_text(json.dumps("with other last digits"))
    assert planned(project, *ASKED) == {}
    code = project / "workflow" / "emoscope" / "models" / "inside" / "exactness.py"
    code.write_text(code.read_text() + "\n# a remark\n")
    assert planned(project, *ASKED) == {"check_exactness": 1}
