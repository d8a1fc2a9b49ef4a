"""Detect damaged files; tell disk errors from bugs."""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from emoscope.errors import UserError
from emoscope.storage.files import write_json
from emoscope.storage.hashes import sha256_of
from emoscope.storage.places import WRITTEN

SEAL = "checksums.json"
SHA256 = re.compile("[0-9a-f]{64}")
MADE = (*WRITTEN, "results", ".snakemake")  # where what can be made again lies; in the last, a storage's copies
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def seal(folder: Path) -> None:
    """Write the SHA-256 of every file of a model folder into it, so that a changed byte is noticed."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SEAL)
    write_json({path.name: sha256_of(path) for path in files}, folder / SEAL)


def check_whole(paths: Iterable[Path]) -> None:
    """Read those of the files and sealed folders that exist; UserError names the first damaged one.

    Tables carry a checksum for every page, sealed folders one for every file; a JSON file must parse. To delete one is
    only told of what the workflow makes again.
    """
    for path in paths:
        made = _made(path)
        for file, reason in _damages(path, made):
            if made:
                raise UserError(f"{file}: damaged ({reason}); delete {path} and run again")
            if path.is_dir():
                raise UserError(
                    f"{file}: {path / SEAL} does not fit it ({reason}); remove {SEAL} if you changed the folder, else "
                    "bring it whole"
                )
            raise UserError(f"{file}: damaged ({reason}); put it there whole and run again")


def disk_trouble(error: BaseException | None, paths: Iterable[Path]) -> str | None:
    """What is wrong with the disk if that caused the error, in one line; None if it did not.

    `paths` are those that the failed command knows. Some libraries hide the reason, so a disk without a free byte below
    one of them that may be written counts as one.
    """
    places = {path: _existing(path) for path in paths}
    free = {path: shutil.disk_usage(place).free for path, place in places.items()}
    tightest = min(free, key=free.get, default=None)
    while error:
        reason = getattr(error, "errno", None) or next((n for n in DISK if os.strerror(n) in str(error)), None)
        if reason in DISK:
            where = [*getattr(error, "__notes__", ()), getattr(error, "filename", None), f"on the disk of {tightest}"]
            return _explained(reason, next(filter(None, where)))
        error = error.__cause__ or error.__context__
    # an image that can only be read has no free byte either, and needs none
    full = [path for path, place in places.items() if free[path] == 0 and os.access(place, os.W_OK)]
    return _explained(errno.ENOSPC, f"on the disk of {full[0]}") if full else None


def _existing(path: Path) -> Path:
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())


def _explained(reason: int, where: str) -> str:
    return f"{os.strerror(reason)}, {where}; nothing half-written is kept: fix that and run again"


def _made(path: Path) -> bool:
    """Whether the workflow made a file or folder, by where it lies: jobs run in the folder that all lies in."""
    return any(Path(os.path.relpath(path)).is_relative_to(folder) for folder in MADE)


def _damages(path: Path, made: bool) -> Iterator[tuple[Path, str]]:
    if (path / SEAL).is_file():
        yield from _broken_seals(path, made)
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


def _broken_seals(folder: Path, made: bool) -> Iterator[tuple[Path, str]]:
    if (sealed := _sealed(folder / SEAL)) is None:
        if made:  # elsewhere it is another program's file of this name
            yield folder / SEAL, "it names no SHA-256 of each file"
        return
    for name, wanted in sealed.items():
        if not (folder / name).is_file():
            yield folder / name, "it is missing"
        elif sha256_of(folder / name) != wanted:
            yield folder / name, "its SHA-256 is not the one recorded when it was written"


def _sealed(seal: Path) -> dict[str, str] | None:
    """The SHA-256 of each file by its name; None if that is not what the file holds."""
    try:
        found = json.loads(seal.read_bytes())
    except ValueError:
        return None
    fits = isinstance(found, dict) and all(isinstance(one, str) and SHA256.fullmatch(one) for one in found.values())
    return found if fits else None
