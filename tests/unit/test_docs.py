"""What a reader of the README and docs finds where they point."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")
OWN_FILE = re.compile(r"`((?:docs|data/(?:reference|lexicons)|envs|profiles|workflow)/[\w./-]+)`")
MADE = {"profiles/slurm/partitions.yaml"}  # by a command that the README gives


@pytest.mark.parametrize("page", ["README.md", "docs/results.md", "docs/reliability.md", "benchmarks/README.md"])
def test_what_a_page_names_is_in_the_repository(page):
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is in the repository is not known")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    tracked = {*listed, *(str(folder) for name in listed for folder in Path(name).parents)}
    text = (ROOT / page).read_text()
    linked = {os.path.normpath(Path(page).parent / target) for target in LINK.findall(text)}
    named = {name.rstrip("/") for name in OWN_FILE.findall(text)}
    assert not sorted((linked | named) - tracked - MADE)
