"""Which files of the package a file depends on. Imported by the Snakefile: nothing heavy in here."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def file_of(module: str) -> Path:
    """The file of a module by its name inside the package, such as `models.families`."""
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


def code_of(*sources: Path) -> list[Path]:
    """The sources and every module of this package that they import, directly or not, sorted.

    A source is a Python file or a notebook. Snakemake does not notice edits to imported modules, so rules name these
    files as inputs.
    """
    found: set[Path] = set()
    waiting = list(sources)
    while waiting:
        source = waiting.pop()
        if source not in found:
            found.add(source)
            waiting.extend(_imports(source))
    return sorted(found)


def _imports(source: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(_python(source))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            package, _, module = name.partition(".")
            if package == PACKAGE.name and (path := file_of(module)).is_file():
                yield path


def _python(source: Path) -> str:
    text = source.read_text(encoding="utf-8")
    if source.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
