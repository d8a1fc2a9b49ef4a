"""Whether a user's own files lie where they can be taken from. Imported by the Snakefile: nothing heavy in here."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from emoscope.errors import UserError
from emoscope.storage.places import WRITTEN


def check_apart(given: Mapping[str, Iterable[str]], results: Iterable[str]) -> None:
    """UserError if a file or folder that is `given`, by its place in the configuration, lies where rules write, or is
    called so that Snakemake would look for another.

    A job's outputs are removed before it starts, even if they are its inputs. `results` are folders of this plan; what
    other plans have left below results/ may be read.
    """
    folders = {folder: _ways_to(folder) for folder in (*results, *WRITTEN)}
    for where, paths in given.items():
        for path in paths:
            if "{" in path or "}" in path:
                raise UserError(
                    f"config {where}: {path}: Snakemake takes what stands in braces for a wildcard; rename the file or "
                    "folder, or name a link to it that has none"
                )
            own = _ways_to(path)
            for folder, ways in folders.items():
                if any(one.is_relative_to(other) for one in own for other in ways):
                    raise UserError(
                        f"config {where}: {path} lies in {folder}, where this workflow writes and would delete it; "
                        "keep your own files in another folder and name that"
                    )


def _ways_to(path: str) -> set[Path]:
    """A path as it is written and as links lead it: one removes the link, the other what it leads to."""
    return {Path(os.path.abspath(path)), Path(os.path.realpath(path))}
