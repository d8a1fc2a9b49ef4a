"""Do the tests of statistics/ guard every operator? `python -m benchmarks operators [MODULE ...]`, such as `rates auc`.

mutmut changes one operator, number, argument or string at a time, in a copy, and the tests of statistics/ have to fail.
Printed are the counts, and the names of what survived or took too long; what each survivor changed goes to stderr. It
is a question, not a fault: many changes change nothing, such as `<` for `<=` between numbers that are never equal.
`mutants` beside this are sabotages thought of by hand, over all experiments.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from emoscope.doctor import cores

ROOT = Path(__file__).parents[1]
PACKAGE = Path("workflow/emoscope")
STATISTICS = ROOT / PACKAGE / "statistics"
MISSING = "operators: mutmut is not installed; run `pip install mutmut==3.8.1`"
PYPROJECT = """\
[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src", "tests"]
addopts = "--import-mode=importlib"
filterwarnings = ["ignore"]
[tool.mutmut]
source_paths = ["src"]
only_mutate = {files}
timeout_constant = 20.0  # a minute for what takes seconds, no more: there are endless loops
timeout_multiplier = 2.0
pytest_add_cli_args_test_selection = ["tests"]
"""
CONFTEST = """\
from hypothesis import Phase, settings

failing_is_enough = (Phase.explicit, Phase.generate)  # nobody asks for the smallest example
settings.register_profile("operators", phases=failing_is_enough, deadline=None, max_examples=20, derandomize=True)
settings.load_profile("operators")
"""


def measure(*modules: str) -> dict:
    unknown = [module for module in modules if not (STATISTICS / f"{module}.py").exists()]
    if unknown:
        sys.exit(f"operators: statistics/ has no {', '.join(unknown)}")
    if importlib.util.find_spec("mutmut") is None:
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory() as scratch:
        write_project(Path(scratch), modules)
        print(_mutmut(scratch, "run", "--max-children", str(cores())).splitlines()[-1])
        found = outcome(_mutmut(scratch, "results", "--all", "true"))
        for name in found["survivors"]:
            print(_mutmut(scratch, "show", f"emoscope.statistics.{name}"))
    return found


def write_project(folder: Path, modules: tuple[str, ...] = ()) -> None:
    """A project of statistics/ and its tests alone, set to change these modules, or all."""
    package = folder / "src" / PACKAGE.name
    shutil.copytree(STATISTICS, package / "statistics", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / PACKAGE / "__init__.py", package / "__init__.py")
    tests = folder / "tests"
    tests.mkdir()
    for test in [*(ROOT / "tests/unit/statistics").glob("test_*.py"), ROOT / "tests/clustered_rows.py"]:
        shutil.copyfile(test, tests / test.name)
    (tests / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    files = [f"src/{PACKAGE.name}/statistics/{module}.py" for module in modules or ("*",)]
    (folder / "pyproject.toml").write_text(PYPROJECT.format(files=files), encoding="utf-8")


def outcome(results: str) -> dict:
    """Counts and names from the lines `NAME: STATUS` of `mutmut results --all`."""
    names = defaultdict(list)
    for line in results.splitlines():
        name, _, status = line.strip().rpartition(": ")
        names[status].append(name.removeprefix("emoscope.statistics."))
    other = names.keys() - {"killed", "survived", "timeout", "no tests"}
    if other:
        sys.exit(f"operators: mutmut says of some that they are: {', '.join(sorted(other))}")
    return {
        "tried": sum(map(len, names.values())),
        "killed": len(names["killed"]),
        "survived": len(names["survived"]),
        "without_a_test": len(names["no tests"]),
        "survivors": names["survived"],
        "too_long": names["timeout"],
    }


def _mutmut(folder: str, *arguments: str) -> str:
    """What mutmut says; exits with it if it fails."""
    single = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "mutmut", *arguments]
    found = subprocess.run(command, cwd=folder, env=os.environ | single, capture_output=True, text=True)
    if found.returncode:
        sys.exit(f"operators: mutmut {arguments[0]} failed\n{found.stdout[-3000:]}{found.stderr[-3000:]}")
    return found.stdout.strip()
