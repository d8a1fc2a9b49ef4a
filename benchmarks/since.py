"""The numbers of an earlier commit beside today's: `python -m benchmarks since COMMIT [NAME ...]`.

Each benchmark runs in a clone of that commit, with the scripts it had and this environment, and then here, so that both
meet the same hour of the machine. Without names, those that `python -m benchmarks` runs.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.__main__ import FASTER
from benchmarks.measuring import ROOT, clone_of

LIMIT = 900  # seconds: benchmarks of early commits do not size themselves
OF_THE_MACHINE = ("cores", "load_before")  # the numbers among what a benchmark says of where it ran


def measure(commit: str, *names: str) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        earlier = clone_of(commit, Path(scratch))
        found = {name: beside(result(name, earlier), result(name, ROOT)) for name in names or FASTER}
    return {"before": commit, "before_and_after": found}


def result(name: str, folder: Path) -> dict:
    """What a benchmark of the checkout in `folder` prints; nothing where it fails or outlasts LIMIT."""
    environment = os.environ | {"PYTHONPATH": str(folder / "workflow")}
    print(f"{name} in {folder}", file=sys.stderr)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks", name],
            cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, timeout=LIMIT, check=True,
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return {}
    return json.loads(ended.stdout)


def beside(before: dict, after: dict) -> dict[str, list]:
    """[before, after] of every number, by the names that lead to it; None where only the other has it."""
    earlier, later = dict(numbers(before)), dict(numbers(after))
    return {name: [earlier.get(name), later.get(name)] for name in earlier | later if name not in OF_THE_MACHINE}


def numbers(found: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number of nested dictionaries and lists, with the names that lead to it."""
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from numbers(value, f"{name}.{key}" if name else str(key))
    elif isinstance(found, int | float) and not isinstance(found, bool):
        yield name, found
