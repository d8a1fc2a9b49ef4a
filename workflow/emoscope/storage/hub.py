"""The Hugging Face hub: whatever keeps it from giving what was asked for becomes one line."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from emoscope.errors import UserError, first_line
from emoscope.storage.integrity import disk_trouble


@contextmanager
def asking_hub(
    repository: str, hint: str = "the default configuration and workflow/configs/tweets.yaml work offline"
) -> Iterator[None]:
    """Turn any error of the block, but those of a disk, into a UserError that names the repository and ends with the
    hint."""
    try:
        yield
    except Exception as error:  # the hub's clients raise many unrelated types when it is out of reach
        trouble = disk_trouble(error, ())
        if trouble and os.strerror(errno.EACCES) not in trouble:  # which firewalls answer, too
            error.add_note("where the hub's files are kept (HF_HOME) or written to")
            raise
        raise UserError(f"the hub did not give {repository}: {first_line(error)}; {hint}") from error
