"""In conda environments, jobs run this package by the environment's Python. Conda is one that only pretends."""

import os
import sys
from pathlib import Path

from project import copy_project, snakemake

TARGET = "data/corpora/calibration/test.parquet"
CONDA = """#!/bin/sh
case "$*" in
    "info --json") echo '{{"conda_prefix": "{base}", "platform": "linux-64"}}' ;;
    "--version") echo "conda 24.7.1" ;;
    "config --get channel_priority --json") echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
    "env create "*)
        for prefix in "$@"; do :; done
        mkdir -p "$prefix/bin"
        cp "{base}/python" "$prefix/bin/python" ;;
    "clean "*) ;;
    *) exit 9 ;;
esac
"""
PYTHON = """#!/bin/sh
echo "$3 $PYTHONSAFEPATH $PYTHONPATH" >> "{base}/used"
exec "{python}" "$@"
"""


def test_jobs_find_this_package_from_their_environment(tmp_path, monkeypatch):
    project, base = copy_project(tmp_path / "project"), tmp_path / "conda"
    texts = {"bin/conda": CONDA, "bin/activate": 'PATH="$1/bin:$PATH"\n', "python": PYTHON}
    (base / "bin").mkdir(parents=True)
    for name, text in texts.items():
        (base / name).write_text(text if name == "bin/activate" else text.format(base=base, python=sys.executable))
        (base / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{base / 'bin'}:{os.environ['PATH']}")
    found = snakemake(project, TARGET, "--sdm", "conda", warm=False)
    assert found.returncode == 0, found.stdout
    used = (base / "used").read_text().splitlines()
    assert used == [f"{command} 1 {Path(project, 'workflow')}" for command in ("generate-corpus", "split-corpus")]
