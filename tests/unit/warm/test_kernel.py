"""A page's notebook runs in a fork of the warm process, too."""

import subprocess
from pathlib import Path

import nbformat
import pytest

from emoscope.warm.client import VARIABLE

pytestmark = pytest.mark.skipif(not Path("/proc/self/ns").exists(), reason="the warm process is for Linux")
PROGRAM = """
import sys, papermill
from emoscope.reporting.render import Kernel
papermill.execute_notebook(*sys.argv[1:], kernel_name="python3", kernel_manager_class=Kernel, progress_bar=False)
"""
CELL = "import os, pathlib\nprint(pathlib.Path(f'/proc/{os.getppid()}/cmdline').read_text())"


def test_a_notebook_runs_in_a_fork(environment, server, tmp_path):
    cells = [nbformat.v4.new_code_cell(CELL)]
    about = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=about), tmp_path / "asked.ipynb")
    command = ["python", "-c", PROGRAM, tmp_path / "asked.ipynb", tmp_path / "done.ipynb"]
    subprocess.run(command, env=environment | {VARIABLE: server.name}, check=True, capture_output=True)
    [cell] = nbformat.read(tmp_path / "done.ipynb", 4).cells
    assert server.name in cell.outputs[0]["text"], "its parent is another process"
