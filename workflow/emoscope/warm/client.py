"""A job's first act: let the warm process run it, if there is one and a fork of it would be what this process is.

This process then waits, passes on signals, and ends as the fork ended. Every job imports this: nothing heavy in here.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

from emoscope.warm.likeness import likeness, same_user

VARIABLE = "EMOSCOPE_WARM"  # the name of the socket
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def hand_over(module: str) -> None:
    """Let the warm process run `python -m module` with this process's arguments, and end as that ends.

    Returns if nobody is there, or if a job there would be another than here: then it is to run here.
    """
    if not (name := os.environ.get(VARIABLE)):
        return
    with socket.socket(socket.AF_UNIX) as server, server.makefile("rb", buffering=0) as answers:
        try:
            server.connect(f"\0{name}")
            if not same_user(server):
                return
            socket.send_fds(server, [b" "], [0, 1, 2])
            server.sendall(json.dumps(this_job(module)).encode() + b"\n")
            fork = answers.readline()
        except OSError:
            return
        if fork:
            stand_for(int(fork), server)
            end_as(answers.readline())


def this_job(module: str) -> dict:
    """What a fork needs to become this process."""
    mask = os.umask(0)
    os.umask(mask)
    return {
        "module": module,
        "arguments": sys.argv[1:],
        "path": sys.path,
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "mask": mask,
        "group": None if leads() else os.getpgrp(),
        "interruptible": signal.getsignal(signal.SIGINT) is not signal.SIG_IGN,
        "session": None if leads() else os.getsid(0),
        "likeness": likeness(),
    }


def leads() -> bool:
    """Whether this process has a session of its own, as kernels of notebooks have."""
    return os.getsid(0) == os.getpid()


def stand_for(fork: int, server: socket.socket) -> None:
    """Let the fork have the signals that this process gets, and be found by those who look for it.

    A terminal interrupts all of a group and so the fork itself, unless it has a group of its own.
    """
    Path("/proc/self/comm").write_text(f"warm {fork}")
    for number in (*PASSED_ON, *([signal.SIGINT] if leads() else [])):
        signal.signal(number, lambda got, _: server.sendall(bytes([got])))
    if not leads():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def end_as(status: bytes) -> None:
    """End with the exit code or by the signal that the fork ended with."""
    if not status:
        raise SystemExit("emoscope: the process that watched over this job was killed, and the job with it; run again")
    code = os.waitstatus_to_exitcode(int(status))
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
