"""The documents below docs that explain a page, and the way to them."""

import os
from collections.abc import Iterable
from pathlib import Path


def links_to(documents: Iterable[Path], page: Path) -> dict[str, str]:
    """Each document by its name in the workflow's folder, with its address on a page; empty where no link would last.

    One lasts if the page lies below `reports` beside `docs`. From a storage, or the folder of a workflow that has this
    one as a module, the way to the documents is this machine's own.
    """
    return {f"docs/{document.name}": _address(document, page) for document in documents}


def _address(document: Path, page: Path) -> str:
    beside = document.resolve().parents[1] / "reports"
    lasts = document.is_file() and page.resolve().is_relative_to(beside)
    return Path(os.path.relpath(document, page.parent)).as_posix() if lasts else ""
