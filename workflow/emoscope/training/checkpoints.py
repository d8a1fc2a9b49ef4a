"""Where trainings of one run keep their checkpoints: work/{run}/, a folder for each of its settings.

`wanted` there names the folder of the latest that was started, so that one which outlived its Snakemake, and which
other settings, or a classifier that was trained elsewhere, have replaced by then, writes nothing.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import IO

import accelerate
import torch
import transformers

from emoscope.errors import UserError
from emoscope.storage.files import occupy, read_json, remove_if_left, write_text
from emoscope.storage.hashes import sha256_of

VERSIONS = {module.__name__: module.__version__ for module in (torch, transformers, accelerate)}
WANTED = "wanted"


def begin(scratch: Path) -> list[IO]:
    """Say that the training in a folder is the one that is wanted; keep others out of it, and of the run, until the
    returned files are closed. UserError if another is at work."""
    write_text(scratch.name, scratch.parent / WANTED)
    return [occupy(scratch), occupy(scratch.parent)]


def check_wanted(scratch: Path, output: Path) -> None:
    """UserError if a training with other settings was started since this one began, or a classifier adopted."""
    if (scratch.parent / WANTED).read_text() != scratch.name:
        raise UserError(
            f"{output}: not written, since a training with other settings was started meanwhile, or a classifier taken "
            "over; run that again"
        )


def clear(scratch: Path, locks: list[IO]) -> None:
    """Remove the checkpoints of a training that has ended, let others in, and remove what others left."""
    shutil.rmtree(scratch, ignore_errors=True)
    for lock in locks:
        lock.close()
    remove_left(scratch)


def fingerprint(config: dict, files: list[Path]) -> str:
    """Sixteen hexadecimal digits that change with the settings, with what trains, and with the content of any file."""
    digest = hashlib.sha256(json.dumps([config, VERSIONS], sort_keys=True).encode())
    for file in files:
        digest.update(sha256_of(file).encode())
    return digest.hexdigest()[:16]


def remove_left(scratch: Path) -> None:
    """Remove the folders beside one of checkpoints in which no process is at work any more, and say so."""
    for folder in sorted(scratch.parent.iterdir()):
        if folder != scratch and remove_if_left(folder):
            print(f"{folder}: removed; a training with other settings had left it", file=sys.stderr)


def last_checkpoint(folder: Path) -> str | None:
    """The newest complete checkpoint: the Trainer writes `trainer_state.json` last, if it is not stopped in it."""
    complete = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json") if _is_whole(path)]
    return str(max(complete, key=lambda path: int(path.name.split("-")[1]))) if complete else None


def _is_whole(file: Path) -> bool:
    try:
        read_json(file)
    except ValueError:
        return False
    return True
