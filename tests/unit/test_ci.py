"""The checks of `.ci/run` leave no test out for want of a package."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envs.write_conda import pins

ROOT = Path(__file__).parents[2]
RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
LOCKED = set(pins((ROOT / "envs" / "requirements.lock").read_text(encoding="utf-8")))
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
WAITS = {
    path: packages
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    if (
        packages := {*map(canonicalize_name, re.findall(r'importorskip\("(\w+)', path.read_text(encoding="utf-8")))}
        - LOCKED
    )
}


def test_a_test_that_waits_for_more_than_the_lock_is_run_after_that_is_installed():
    [asked] = re.findall(r"^pip install .*'\.\[(.*)\]'$", RUN, flags=re.MULTILINE)
    installed = {canonicalize_name(Requirement(pin).name) for extra in asked.split(",") for pin in EXTRAS[extra]}
    _, after = RUN.split(asked)
    assert len(WAITS) > 2
    for path, packages in WAITS.items():
        assert packages <= installed, path
        named = str(path.relative_to(ROOT)) in after
        assert named or re.search(r"pytest\.mark\.(slow|cluster)\b", path.read_text(encoding="utf-8")), path
