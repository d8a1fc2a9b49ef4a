"""The hash by which files are known. Imported by the Snakefile: nothing heavy in here."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digests(paths: Iterable[str]) -> list[str]:
    """The SHA-256 of each that is a file; what is none, such as a folder without texts, is for its job to refuse."""
    return [sha256_of(file) for file in map(Path, paths) if file.is_file()]
