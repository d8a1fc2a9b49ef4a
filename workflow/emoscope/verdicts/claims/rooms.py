"""On which room's findings a claim is judged. Imported by the Snakefile: nothing heavy in here."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from emoscope.storage.yaml_files import read_yaml

WRITEUPS = Path(__file__).parents[2] / "writeups"


def room_of(claim: Mapping[str, Any]) -> str:
    """The room whose findings a claim is judged on; one that nobody measures belongs to the room of its id."""
    return (claim["finding"] or claim["id"].replace(".", "/", 1)).partition("/")[0]


@cache
def rooms_of_runs(claims: Path) -> list[str]:
    """The rooms that a classifier's claims are judged on: all that the listed claims name, but for the write-ups and
    those on demand."""
    left = rooms_on_demand(claims)
    rooms = dict.fromkeys(map(room_of, read_yaml(claims)))
    return [room for room in rooms if room not in left and not (WRITEUPS / room).is_dir()]


@cache
def rooms_on_demand(claims: Path) -> list[str]:
    """The rooms of claims that say `on_demand`: made only by the target of that name, and judged once they are."""
    return list(dict.fromkeys(room_of(claim) for claim in read_yaml(claims) if claim.get("on_demand")))
