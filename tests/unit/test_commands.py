"""Every command of README and docs is one that can be typed: what it names is there.

Those of Snakemake, emoscope and the benchmarks are tried in tests/workflow/test_documented_commands.py.
"""

import importlib.util
import re
import shlex
import tomllib
from argparse import REMAINDER, ArgumentParser, Namespace

import pytest
from packaging.requirements import Requirement
from snakemake.cli import parse_args

from documented import PAGES, ROOT, fenced, inline
from emoscope import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
MARKERS = {line.partition(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PINNED = [ROOT / "pyproject.toml", ROOT / "envs" / "requirements.lock", *(ROOT / "benchmarks").glob("*.py")]
PINS = "\n".join(path.read_text(encoding="utf-8") for path in PINNED)
IMAGES = {"emoscope", f"registry.example.org/emoscope:{__version__}"}
PROGRAMS = {  # the flags, the options with a value and the other words that the pages use
    "pip install": ("--no-deps", "-e -r", "packages*"),
    "docker build": ("", "--tag", "folder"),
    "docker run": ("--rm", "--user --volume", "image words..."),
    "docker tag": ("", "", "image other"),
    "docker push": ("", "", "image"),
    "docker save": ("", "--output", "image"),
    "apptainer build": ("", "", "file source"),
    "apptainer run": ("", "", "file words..."),
    "python": ("", "-c -m", "words..."),
    "pytest": ("", "-m -n --dist", "paths*"),
}
TRIED = {"snakemake", "emoscope"}
OF_OTHERS = {"git", "cd", "generate-slurm-partition-config", "pre-commit"}  # they name nothing that is ours


def options(program: str, words: list[str]) -> Namespace:
    """What a program is told; exits if it takes no such words."""
    flags, values, places = PROGRAMS[program]
    parser = ArgumentParser(prog=program, add_help=False, allow_abbrev=False)
    for flag in flags.split():
        parser.add_argument(flag, action="store_true")
    for value in values.split():
        parser.add_argument(value)
    for place in places.split():
        name = place.rstrip("*.")
        parser.add_argument(name, nargs={"*": "*", "...": REMAINDER}.get(place.removeprefix(name)))
    return parser.parse_args(words)


def pip(words: list[str]) -> None:
    asked = options("pip install", words[1:])
    assert words[0] == "install" and (asked.e or asked.r or asked.packages)
    assert asked.r is None or (ROOT / asked.r).is_file()
    if asked.e:
        [extras] = re.fullmatch(r"\.(?:\[([\w,-]+)\])?", asked.e).groups()
        assert set(extras.split(",") if extras else ()) <= EXTRAS.keys()
    for package in map(Requirement, asked.packages):
        assert not package.specifier or str(package) in PINS


def make(words: list[str]) -> None:
    variables = {word.partition("=")[0] for word in words if "=" in word}
    targets = {word for word in words if "=" not in word}
    assert variables <= set(re.findall(r"^(\w+) \?=", MAKEFILE, flags=re.MULTILINE))
    assert targets and targets <= set(re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE))


def container(tool: str, words: list[str]) -> Namespace:
    asked = options(f"{tool} {words[0]}", words[1:])
    images = {getattr(asked, name, None) for name in ("image", "other", "tag")}
    assert images - {None} <= IMAGES
    folder = getattr(asked, "folder", "-")  # the archive of a commit comes through the pipe
    assert folder == "-" or (ROOT / folder / "Dockerfile").is_file()
    parse_args(getattr(asked, "words", []))  # as Snakemake takes them
    return asked


def python(words: list[str]) -> None:
    asked = options("python", words)
    assert (asked.c is None) != (asked.m is None)
    if asked.c:
        compile(asked.c, "documented", "exec")
    else:
        assert importlib.util.find_spec(asked.m)


def pytest_(words: list[str]) -> None:
    asked = options("pytest", words)
    assert set(re.findall(r"\w+", asked.m or "")) - {"and", "or", "not"} <= MARKERS
    assert all((ROOT / path.removesuffix("NAME")).exists() for path in asked.paths)


def ruff(words: list[str]) -> None:
    assert words in (["check"], ["format"])


def export(words: list[str]) -> None:
    assert words and all(re.fullmatch(r"[A-Z_0-9]+=\S+", word) for word in words)


def activate(words: list[str]) -> None:
    assert words == [".venv/bin/activate"] and "-m venv --clear .venv" in MAKEFILE


READERS = {"pip": pip, "make": make, "python": python, "python3": python, "pytest": pytest_, "ruff": ruff}
READERS |= {tool: lambda words, tool=tool: container(tool, words) for tool in ("docker", "apptainer")}
READERS |= {"export": export, ".": activate}


def parts(line: str) -> list[list[str]]:
    """The commands of a line of shell, each as its words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&")
    lexer.whitespace_split, lexer.commenters = True, ""
    found: list[list[str]] = [[]]
    for word in lexer:
        if word in ("&&", "|"):
            found.append([])
        else:
            found[-1].append(word)
    return found


def read(line: str) -> None:
    """Fail if a command of the line is unknown, or names what is not there."""
    for tool, *words in parts(line):
        assert tool in TRIED | OF_OTHERS | READERS.keys()
        READERS.get(tool, lambda words: None)(words)


INLINE = re.compile(rf"({'|'.join(map(re.escape, READERS))}) ")
LINES = {line for page in PAGES for line in (*fenced(page), *filter(INLINE.match, inline(page)))}


@pytest.mark.parametrize("line", sorted(LINES))
def test_what_a_command_names_is_there(line):
    read(line)


def test_a_file_that_a_container_is_made_from_is_made_on_the_way():
    asked = [
        container(tool, words) for line in LINES for tool, *words in parts(line) if tool in ("docker", "apptainer")
    ]
    saved = {f"docker-archive:{told.output}" for told in asked if hasattr(told, "output")}
    built = {told.file for told in asked if hasattr(told, "source")}
    assert {told.source for told in asked if hasattr(told, "source")} == saved != set()
    assert {told.file for told in asked if hasattr(told, "file")} == built


@pytest.mark.parametrize(
    "line",
    [
        "pip install -e '.[clusters]'",
        "pip install -r envs/requirements.txt",
        "pip install wn==0.0.1",
        "make tests",
        "make CORE=2 run",
        "docker build --tag emoscope docs",
        "docker run --rm --volumes .:/study emoscope",
        "docker push registry.example.org/emoscope:0.1.0",
        "apptainer run emoscope.sif --no-such-option",
        "python -m benchmark",
        'python -c "print("',
        "pytest -m slower",
        "pytest tests/units",
        "cd . && conda install emoscope",
    ],
)
def test_a_command_that_names_what_is_not_there_is_noticed(line):
    with pytest.raises((AssertionError, SyntaxError, SystemExit)):
        read(line)
