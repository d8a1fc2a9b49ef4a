"""Which files of the workflow a job depends on, and by what names. Imported by the Snakefile: nothing heavy in here."""

import ast
import json
import os
import re
import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
IMPORT = re.compile(rf"^[ \t]*((?:from|import) {PACKAGE.name}\b(?:[^\n(]*\([^)]*\)|.*))", re.MULTILINE)


def seen_from_here(checkout: Path) -> Path:
    """The workflow's folder as the working directory names it: wherever it is moved, names of inputs stay the same.

    If the working directory is another one, that is a link, `.snakemake/emoscope`.
    """
    if checkout.samefile(os.curdir):
        return Path()
    link = Path(".snakemake", "emoscope")
    try:
        if not link.is_symlink() or link.readlink() != checkout:
            link.parent.mkdir(exist_ok=True)
            temporary = link.with_name(f"emoscope.{secrets.token_hex(8)}")
            temporary.symlink_to(checkout)
            temporary.replace(link)  # other jobs may do the same, on other machines, too
    except OSError:  # a disk without links
        return Path(os.path.relpath(checkout))
    return link


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


def page_code(page: str) -> list[Path]:
    """What a page is made with: its notebook and what that imports, what renders it, its templates, style and words."""
    workflow, shared = PACKAGE.parent, "several_labels"
    code = code_of(workflow / "notebooks" / f"{page}.ipynb", file_of("reporting.render"))
    pages = [page, shared] if file_of(f"reporting.{shared}") in code else [page]
    names = ("page.html.j2", "page.css", "sort_tables.js", *(f"pages/{name}.html.j2" for name in pages))
    words = [workflow / "report" / name for name in names]
    return [*code, *(path for path in words if path.is_file())]


@cache  # most rules share most modules, and reading one takes milliseconds
def _imports(source: Path) -> tuple[Path, ...]:
    """The files of this package that a source imports; to parse more than that would take a second for all modules."""
    return tuple(_imported_by(ast.parse("\n".join(IMPORT.findall(python_of(source))))))


def _imported_by(tree: ast.Module) -> Iterator[Path]:
    for node in ast.walk(tree):
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


def python_of(source: Path) -> str:
    """The Python of a source, which may be a notebook."""
    text = source.read_text(encoding="utf-8")
    if source.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
