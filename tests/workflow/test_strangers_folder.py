"""Nothing that lies in the working folder is run, whatever its name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from project import ROOT, copy_project, snakemake

NAMES = ("tokenize", "pandas", "yaml", "numpy", "emoscope", "torch", "random", "sitecustomize")
TRAP = "open({!r}, 'a').write(__name__ + '\\n')\nraise SystemExit('a file of the working folder was run')\n"


@pytest.fixture
def trapped(tmp_path) -> Path:
    """A folder of Python files that leave a trace when they are run: `ran.txt`."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(TRAP.format(str(tmp_path / "ran.txt")))
    return tmp_path


def test_the_trap_works(trapped):
    subprocess.run([sys.executable, "-c", "import pandas"], cwd=trapped, capture_output=True)
    assert (trapped / "ran.txt").read_text() == "pandas\n"


def test_jobs_run_no_file_of_the_working_folder(trapped):
    copy_project(trapped)
    found = snakemake(trapped, "data/corpora/calibration/test.parquet", warm=False)
    assert found.returncode == 0, found.stdout
    assert not (trapped / "ran.txt").exists()


@pytest.mark.parametrize("safe", ["1", ""])
def test_notebooks_run_no_file_of_the_working_folder(trapped, safe):
    """Python is told to look there first by `-m`, and by the notebook's kernel; both have to be stopped."""
    cells = [nbformat.v4.new_markdown_cell("# Page"), nbformat.v4.new_code_cell("run, paths, settings = '', {}, {}")]
    cells[1].metadata["tags"] = ["parameters"]
    cells.append(nbformat.v4.new_code_cell("import pandas, random\nprint('read')"))
    about = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=about), trapped / "page.ipynb")
    parameters = json.dumps({"run": "", "paths": {}, "settings": {}, "links": {}})
    command = "render-report --notebook page.ipynb --executed done.ipynb --figures figures --output page.html"
    found = subprocess.run(
        [sys.executable, "-m", "emoscope", *command.split(), "--tables", "--documents", "--parameters", parameters],
        cwd=trapped,
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "PYTHONSAFEPATH": safe},
        text=True,
        capture_output=True,
    )
    assert (trapped / "ran.txt").exists() == (not safe), found.stderr
    assert (found.returncode == 0) == bool(safe), found.stderr


def test_processes_of_a_training_on_several_gpus_run_no_file_of_the_working_folder(trapped):
    found = subprocess.run(
        ["torchrun", "--standalone", "--nproc-per-node", "1", "-m", "emoscope", "--help"],
        cwd=trapped,
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "PYTHONSAFEPATH": "1"},
        text=True,
        capture_output=True,
    )
    assert found.returncode == 0 and "finetune" in found.stdout, found.stderr
    assert not (trapped / "ran.txt").exists()
