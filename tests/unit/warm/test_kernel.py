"""A page's notebook runs in a fork of the warm process, too, and always in the Python that makes the page."""

import json
import subprocess
import sys
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


def printed(environment, folder, code):
    """What a cell prints whose notebook is executed for a page."""
    cells = [nbformat.v4.new_code_cell(code)]
    about = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=about), folder / "asked.ipynb")
    command = ["python", "-c", PROGRAM, folder / "asked.ipynb", folder / "done.ipynb"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    [cell] = nbformat.read(folder / "done.ipynb", 4).cells
    return cell.outputs[0]["text"]


def test_a_notebook_runs_in_a_fork(environment, server, tmp_path):
    found = printed(environment | {VARIABLE: server.name}, tmp_path, CELL)
    assert server.name in found, "its parent is another process"


def test_a_kernel_of_another_python_is_not_taken(environment, tmp_path):
    """Jupyter finds it first, as after `module load jupyter` or `ipykernel install --user` in another environment."""
    other = tmp_path / "kernels" / "python3"
    other.mkdir(parents=True)
    command = ["/no/other/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    about = {"argv": command, "display_name": "Other", "language": "python", "env": {"ELSEWHERE": "yes"}}
    (other / "kernel.json").write_text(json.dumps(about))
    there = environment | {VARIABLE: "no", "JUPYTER_PATH": str(tmp_path), "JUPYTER_PREFER_ENV_PATH": "0"}
    found = printed(there, tmp_path, "import os, sys\nprint(sys.prefix, 'ELSEWHERE' in os.environ)")
    assert found.split() == [sys.prefix, "False"]
