"""Do the tests guard the science? `python -m benchmarks mutants [EXPERIMENT ...]`.

Each file beside this one lists sabotages of one experiment: before and after exchanged, training texts judged, an
intervention that does nothing. Each is put alone into a copy of the project, and the tests named with it have to fail.
Printed are how many were killed, and those that survived or were no mutants (the copy did not import).
"""

import contextlib
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from multiprocessing.pool import ThreadPool
from pathlib import Path
from queue import SimpleQueue

import pytest
import yaml
from tqdm import tqdm

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # emoscope has it, too, but is to be imported from a copy
PRELOADED = ["numpy", "pandas", "pytest", "scipy.stats", "sklearn", "torch", "transformers"]  # imported once for all


@dataclass(frozen=True)
class Mutant:
    """A `sabotage` in words: in `file`, `old`, which stands there once, becomes `new`, and `tests` must fail."""

    experiment: str
    sabotage: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The file's text with the sabotage; raises ValueError if it does not fit."""
        if text.count(self.old) != 1 or self.old == self.new:
            raise ValueError(f"{self.sabotage}: {self.file} has its text {text.count(self.old)} times, need 1")
        return text.replace(self.old, self.new)


def read_mutants(experiments: tuple[str, ...] = ()) -> list[Mutant]:
    """The mutants of these experiments, or all."""
    names = experiments or sorted(path.stem for path in LISTS.glob("*.yaml"))
    return [
        Mutant(name, **{**entry, "tests": tuple(entry["tests"].split())})
        for name in names
        for entry in yaml.load((LISTS / f"{name}.yaml").read_text(encoding="utf-8"), Loader=LOADER)
    ]


def measure(*experiments: str) -> dict:
    mutants = read_mutants(experiments)
    with _copies(os.cpu_count() or 1) as free, ThreadPool(free.qsize()) as pool:
        files = _by_file({test for mutant in mutants for test in mutant.tests})
        sound = pool.imap(lambda tests: (tests[0], _verdict(free, tests)), files)
        for test, verdict in tqdm(sound, desc="without a mutant", total=len(files), mininterval=2):
            if verdict != "survived":
                sys.exit(f"mutants: {test} does not pass without a mutant ({verdict}); nothing can be told")
        verdicts = pool.imap(lambda mutant: _tried(mutant, free), mutants)
        verdicts = list(tqdm(verdicts, desc="mutants", total=len(mutants), mininterval=2))
    outcome = {"mutants": len(mutants)}
    for kind in ("killed", "survived", "no mutant"):
        found = [m for m, verdict in zip(mutants, verdicts, strict=True) if verdict == kind]
        outcome[kind] = len(found) if kind == "killed" else [f"{m.experiment}: {m.sabotage}" for m in found]
    return outcome


@contextlib.contextmanager
def _copies(count: int) -> Iterator[SimpleQueue]:
    """A queue of copies of the project, for as many tests at once."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    with tempfile.TemporaryDirectory() as scratch:
        free: SimpleQueue = SimpleQueue()
        for number in range(count):
            for name in filter(None, listed.stdout.split("\0")):
                target = Path(scratch, str(number), name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, target)
            free.put(Path(scratch, str(number)))
        yield free


def _by_file(tests: set[str]) -> list[list[str]]:
    """Tests of one file belong together: what they share is made once."""
    return [list(group) for _, group in groupby(sorted(tests), lambda test: test.partition("::")[0])]


def _tried(mutant: Mutant, free: SimpleQueue) -> str:
    folder = free.get()
    try:
        file = folder / mutant.file
        original = file.read_text(encoding="utf-8")
        file.write_text(mutant.applied(original), encoding="utf-8")
        try:
            return _run(folder, list(mutant.tests))
        finally:
            file.write_text(original, encoding="utf-8")
    finally:
        free.put(folder)


def _verdict(free: SimpleQueue, tests: list[str]) -> str:
    folder = free.get()
    try:
        return _run(folder, tests)
    finally:
        free.put(folder)


def _run(folder: Path, tests: list[str]) -> str:
    """Run tests in a copy: killed if one fails, survived if all pass, no mutant if they could not run."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=_pytest, args=(folder, tests))
    process.start()
    process.join()
    kinds = {pytest.ExitCode.OK: "survived", pytest.ExitCode.TESTS_FAILED: "killed"}
    return kinds.get(process.exitcode, "no mutant")


def _pytest(folder: Path, tests: list[str]) -> None:
    os.chdir(folder)
    os.environ |= {"PYTHONPATH": f"{folder / 'workflow'}:{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True  # a file written twice within a second would be read from its old bytecode
    sys.path[:] = [str(folder / "workflow"), str(folder), *(path for path in sys.path if path != str(ROOT))]
    if "emoscope" in sys.modules:  # that of the project, which no sabotage has touched
        sys.exit(pytest.ExitCode.INTERNAL_ERROR)
    log = os.open(folder.with_suffix(".log"), os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.exit(pytest.main(["-x", "-q", "-m", "", "-p", "no:cacheprovider", *tests]))
