"""Each rule's conda environment holds what its command imports; a page's has no torch."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from emoscope.cli import COMMANDS
from emoscope.plan.code_inputs import code_of, file_of, python_of
from envs.write_conda import ENVIRONMENTS, environment, extra_pins, needed, pins

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "envs" / "requirements.lock").read_text(encoding="utf-8")
OTHERS = re.compile(r"cuda-|nvidia-|triton")  # what a CUDA build of torch brings, which the lock leaves to pip
RULES = {
    found[1]: found[0]
    for file in (ROOT / "workflow" / "rules").glob("*.smk")
    for found in re.finditer(r"^rule (\w+):.*?(?=^\S|\Z)", file.read_text(), flags=re.M | re.S)
}
KEYS = {"name", "channels", "dependencies", "variables", "prefix"}  # VALID_KEYS of conda, which drops others
SPEC = re.compile(r"[a-z][a-z0-9_.-]*(=[\d.]+)?")  # of a package of conda: a name, or a name and a version
CALL = re.compile(r"emoscope (?:--\w+ \{[\w.]+\} )*([a-z]+(?:-[a-z]+)+|predict|evaluate|finetune)\b")
COMMAND_OF = {name: found[1] for name, text in RULES.items() if (found := CALL.search(text.partition("shell:")[2]))}
IMPORTING = """
import importlib, json, sys
from importlib.machinery import PathFinder
hidden, modules = set(json.loads(sys.argv[1])), json.loads(sys.argv[2])
class Rest:
    find_spec = lambda name, *where: None if name in hidden else PathFinder.find_spec(name, *where)
    find_distributions = PathFinder.find_distributions
sys.meta_path[sys.meta_path.index(PathFinder)] = Rest
for module in modules:
    importlib.import_module(module)
"""


def environment_of(rule: str) -> str:
    [name] = re.findall(r'^    conda:\n        "../../envs/(\w+)\.yaml"$', RULES[rule], flags=re.M)
    return name


@cache
def packages_of(name: str) -> set[str]:
    """The packages of an environment, by their names as indexes spell them."""
    read = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8"))
    return set(pins("\n".join(read["dependencies"][-1]["pip"])))


@cache
def imported(source: Path) -> set[str]:
    """The packages of others that a file imports or looks for, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(python_of(source))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "find_spec":
            found.add(node.args[0].value)
    return found - sys.stdlib_module_names - {"emoscope"}


def sources_of(name: str) -> list[Path]:
    """All code that runs in an environment, that of pages in notebooks."""
    modules = {
        COMMANDS[command].partition(":")[0] for rule, command in COMMAND_OF.items() if environment_of(rule) == name
    }
    notebooks = (ROOT / "workflow" / "notebooks").glob("*.ipynb") if "reporting.render" in modules else []
    return code_of(file_of("cli"), *map(file_of, modules), *notebooks)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_rules_import_is_in_their_environment(name):
    known, there = packages_distributions(), packages_of(name)
    lacking = {
        (source.name, module)
        for source in sources_of(name)
        for module in imported(source)
        if not {canonicalize_name(package) for package in known.get(module, [module])} & there
    }
    assert not lacking


def test_every_command_of_the_workflow_is_looked_at():
    by_hand = {"doctor", "flip", "replace", "explain"}
    assert set(COMMAND_OF.values()) | by_hand == set(COMMANDS)
    assert {name for name, text in RULES.items() if "conda:" in text} - set(COMMAND_OF) == {"share_truth"}  # cp


def test_light_rules_wait_for_no_heavy_environment():
    assert "torch" in packages_of("models") and "seaborn" in packages_of("pages")
    for light, foreign in (("pages", {"torch", "transformers", "datasets"}), ("tables", {"torch", "matplotlib"})):
        assert not packages_of(light) & foreign
    assert "snakemake" not in packages_of("models") | packages_of("tables") | packages_of("pages")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_has_the_pins_of_the_lock_and_lacks_nothing(name):
    purpose, names = ENVIRONMENTS[name]
    expected = environment(purpose, names, LOCK, extra_pins(name))
    assert (ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8") == expected
    lacking = needed(names) - set(pins(LOCK)) - {"setuptools"}  # which pip brings itself
    assert not [package for package in lacking if not OTHERS.match(package)]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_conda_takes_all_that_an_environment_says(name):
    said = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert said.keys() <= KEYS
    assert all(isinstance(channel, str) for channel in said["channels"])
    *packages, from_pypi = said["dependencies"]
    assert all(SPEC.fullmatch(package) for package in packages) and "pip" in packages
    assert from_pypi.keys() == {"pip"} and all(Requirement(pin).specifier for pin in from_pypi["pip"])


def test_requirements_are_followed_through_extras_and_markers():
    said = {
        "a": ['b[more]>=1; python_version > "3"', 'old; python_version < "3"'],
        "b": ["c", 'd; extra == "more"', 'e; extra == "other"'],
        "c": ["a"],
    }
    assert needed(["a"], lambda name: said.get(name)) == {"a", "b", "c", "d"}
    assert needed(["b"], lambda name: said.get(name)) == {"b", "c", "a", "d"}


def test_there_is_an_environment_for_each_that_rules_name():
    assert {path.stem for path in (ROOT / "envs").glob("*.yaml")} == set(ENVIRONMENTS)
    assert {environment_of(rule) for rule in COMMAND_OF} == set(ENVIRONMENTS)
    assert environment_of("render_report") == "pages" and environment_of("finetune") == "models"


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_commands_can_be_imported_where_nothing_else_is_installed(name):
    """What packages import in turn cannot be read from our code."""
    there = packages_of(name)
    hidden = [
        module
        for module, packages in packages_distributions().items()
        if module != "emoscope" and not {canonicalize_name(package) for package in packages} & there
    ]
    modules = {
        COMMANDS[command].partition(":")[0] for rule, command in COMMAND_OF.items() if environment_of(rule) == name
    }
    words = [json.dumps(hidden), json.dumps(sorted(f"emoscope.{module}" for module in modules))]
    found = subprocess.run([sys.executable, "-c", IMPORTING, *words], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
