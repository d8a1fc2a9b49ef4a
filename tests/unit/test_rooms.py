"""The plan of the house: data flows down through its rooms, so imports go one way, and no room is a hall."""

import ast
import re

import pytest

from emoscope.plan.code_inputs import PACKAGE, file_of

# a room may use itself and those above it in this list
ROOMS = [
    *("errors", "taken", "threads", "gpus", "warm", "storage", "statistics", "reporting"),
    *("models", "data", "training", "perturbation"),
    *("experiments", "writeups", "verdicts", "plan", "doctor", "filters", "cli"),
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.stem not in ("__init__", "__main__"))
APART = ("experiments", "writeups", "verdicts")  # rooms with rooms of their own, which know nothing of one another

MOST_LINES = 250  # of a module
MOST_LINES_OF_RULES = 150
MOST_MODULES = 16  # of a folder


def place(path) -> tuple[str, ...]:
    """Where a module is: its room, and the room inside that if there is one."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:2] if parts[0] in APART else parts[:1]


def imports(path) -> set:
    """The modules of the package that a module names, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == PACKAGE.name:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {file for name in names if (file := file_of(name.partition(".")[2])).is_file()}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    room = place(path)
    for other in map(place, imports(path)):
        assert ROOMS.index(other[0]) <= ROOMS.index(room[0]), f"{room} imports {other}, which lies further down"
        if other[0] == room[0] in APART:
            assert other == room, f"{room} and {other} are rooms apart"


def test_there_is_no_circle():
    graph = {path: imports(path) for path in MODULES}
    while leaves := {path for path, used in graph.items() if not used & graph.keys()}:
        for path in leaves:
            del graph[path]
    assert not graph, f"these import one another: {sorted(map(str, graph))}"


def test_rooms_are_those_listed_and_none_is_too_full():
    assert {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES} == set(ROOMS)
    for folder in {path.parent for path in MODULES}:
        assert len(list(folder.glob("*.py"))) <= MOST_MODULES, folder
    for init in PACKAGE.rglob("*/__init__.py"):
        assert init.read_text() == "", "code_of would have to follow it"


def test_files_are_short_enough_to_be_read_at_once():
    limits = dict.fromkeys(MODULES, MOST_LINES)
    limits |= dict.fromkeys((PACKAGE.parent / "rules").glob("*.smk"), MOST_LINES_OF_RULES)
    lines = {path: len(path.read_text().splitlines()) for path in limits}
    assert {str(path.relative_to(PACKAGE.parent)): count for path, count in lines.items() if count > limits[path]} == {}


def test_the_documentation_lists_every_room_from_top_to_bottom_and_the_limits():
    text = " ".join((PACKAGE.parents[1] / "docs" / "extending.md").read_text(encoding="utf-8").split())
    table = text.partition("| room | holds |")[2].partition(" A page that measures")[0]
    rows = re.findall(r"\| ((?:`\w+`(?:, )?)+) \|", table)
    assert [room for row in rows for room in re.findall(r"\w+", row)] == ROOMS[::-1]
    assert f"more than {MOST_LINES} lines, a rule file of more than {MOST_LINES_OF_RULES}, a folder" in text
    assert f"a folder of more than {MOST_MODULES} modules" in text
