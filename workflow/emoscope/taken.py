"""What one process has for itself until it ends, of all on this machine: a core, a GPU."""

import socket
from collections.abc import Iterable
from contextlib import suppress


def take(called: str, things: Iterable, wanted: int) -> list:
    """So many of the things, which this process then has until it ends, also if it becomes another program: no other
    one, of whatever run, is given them. None if not enough are free.

    `called` is what a process calls a socket by which others see that it has a thing, which goes where the braces are.
    """
    taken = {}
    for thing in things:
        with suppress(OSError):  # another process has it, or sockets are not allowed
            claim = socket.socket(socket.AF_UNIX)
            claim.bind("\0" + called.format(thing))  # Linux's names without a file, which end with their process
            claim.set_inheritable(True)
            taken[thing] = claim
        if len(taken) == wanted:
            break
    for claim in taken.values():
        claim.detach() if len(taken) == wanted else claim.close()  # what is detached stays open
    return list(taken) if len(taken) == wanted else []
