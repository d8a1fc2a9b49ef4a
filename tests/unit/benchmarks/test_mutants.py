"""The list of sabotages fits the code, and every one of them is noticed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.mutants import ROOT, Mutant, _copies, _tried, _verdict, measure, read_mutants

MUTANTS = read_mutants()
FEWEST = 60  # over all experiments; a list that shrinks guards less


def test_there_are_many_and_no_two_alike():
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS) >= FEWEST
    rooms = {Path(mutant.file).parent.name for mutant in MUTANTS}
    for part in ("experiments", "writeups", "verdicts"):
        folders = {path.parent.name for path in (ROOT / "workflow/emoscope" / part).glob("*/__init__.py")}
        assert folders <= rooms, part


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.experiment}: {mutant.sabotage}")
def test_a_sabotage_fits_its_file_and_names_tests(mutant):
    text = mutant.applied((ROOT / mutant.file).read_text(encoding="utf-8"))
    if mutant.file.endswith(".py"):
        ast.parse(text)
    assert mutant.tests and all((ROOT / test.split("::")[0]).exists() for test in mutant.tests)


def test_no_sabotage_names_what_is_not_there(tmp_path):
    """A NameError fails every test that comes by, and shows nothing."""
    for number, mutant in enumerate(MUTANTS):
        if mutant.file.endswith(".py"):
            text = mutant.applied((ROOT / mutant.file).read_text(encoding="utf-8"))
            (tmp_path / f"{mutant.experiment}_{number}.py").write_text(text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821", str(tmp_path)]
    found = subprocess.run(ruff, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_a_sabotage_that_no_longer_fits_says_so():
    mutant = Mutant("x", "signs exchanged", "a.py", "a - b", "b - a", ("tests",))
    assert mutant.applied("x = a - b") == "x = b - a"
    for text in ("x = a + b", "a - b, a - b"):
        with pytest.raises(ValueError, match=r"signs exchanged: a\.py"):
            mutant.applied(text)


@pytest.mark.slow
def test_a_sabotage_is_tried_on_the_copy_that_has_it():
    """Or the tests would pass whatever it does, as they do on the project that has none."""
    [mutant] = [one for one in MUTANTS if one.sabotage == "the sides of a gap stand as the first pair has them"]
    with _copies(1) as free:
        assert (_verdict(free, list(mutant.tests)), _tried(mutant, free)) == ("survived", "killed")


@pytest.mark.release
def test_every_sabotage_is_noticed():
    found = measure()
    assert found["killed"] == found["mutants"], found
