"""Rows of the acceptance files, which lie beside the project where they are had."""

import csv
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
ACCEPTANCE = SHARED / "acceptance"
DATA_SETS = SHARED / "data"


def acceptance_rows(name: str) -> list[dict[str, str]]:
    """The rows of one file; skips the test without it."""
    path = ACCEPTANCE / name
    if not path.exists():
        pytest.skip(f"acceptance file {name} is not beside the project")
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
