"""Detect damaged files; tell disk errors from bugs."""

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from emoscope.errors import UserError
from emoscope.storage.files import read_json, write_json
from emoscope.storage.hashes import sha256_of

SEAL = "checksums.json"
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def seal(folder: Path) -> None:
    """Write the SHA-256 of every file of a model folder into it, so that a changed byte is noticed."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SEAL)
    write_json({path.name: sha256_of(path) for path in files}, folder / SEAL)


def check_whole(paths: Iterable[Path]) -> None:
    """Read those of the files and sealed folders that exist; UserError names the first damaged one.

    Tables carry a checksum for every page, sealed folders one for every file; a JSON file must parse.
    """
    for path in paths:
        for file, reason in _damages(path):
            raise UserError(f"{file}: damaged ({reason}); delete {path} and run again")


def disk_trouble(error: BaseException | None, paths: Iterable[Path]) -> str | None:
    """What is wrong with the disk if that caused the error, in one line; None if it did not.

    `paths` are those that the failed command knows. Some libraries hide the reason, so a disk without a free byte below
    one of them counts as one.
    """
    free = {path: shutil.disk_usage(_existing(path)).free for path in paths}
    tightest = min(free, key=free.get, default=None)
    while error:
        reason = getattr(error, "errno", None) or next((n for n in DISK if os.strerror(n) in str(error)), None)
        if reason in DISK:
            where = [*getattr(error, "__notes__", ()), getattr(error, "filename", None), f"on the disk of {tightest}"]
            return _explained(reason, next(filter(None, where)))
        error = error.__cause__ or error.__context__
    return _explained(errno.ENOSPC, f"on the disk of {tightest}") if tightest and free[tightest] == 0 else None


def _existing(path: Path) -> Path:
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())


def _explained(reason: int, where: str) -> str:
    return f"{os.strerror(reason)}, {where}; nothing half-written is kept: mend that and run again"


def _damages(path: Path) -> Iterator[tuple[Path, str]]:
    if (path / SEAL).is_file():
        yield from _broken_seals(path)
    elif path.is_file() and path.suffix == ".parquet":
        import pyarrow.parquet

        try:
            with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as table:
                for _ in table.iter_batches():
                    pass
        except (OSError, ValueError) as error:  # what pyarrow raises for bytes it cannot read
            yield path, str(error).splitlines()[0]
    elif path.is_file() and path.suffix == ".json":
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            yield path, str(error)


def _broken_seals(folder: Path) -> Iterator[tuple[Path, str]]:
    yield from _damages(folder / SEAL)
    for name, wanted in read_json(folder / SEAL).items():
        if not (folder / name).is_file():
            yield folder / name, "it is missing"
        elif sha256_of(folder / name) != wanted:
            yield folder / name, "its SHA-256 is not the one recorded when it was written"
