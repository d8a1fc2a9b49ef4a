"""The warm process: it has imported what jobs need and forks for each, which spares them these seconds.

`python -m emoscope.warm.server NAME PARENT MODULE ...` imports the modules and then waits for jobs at a socket that is
no file, so nothing is left of it when it ends, which it does with the process PARENT. Jobs come from `client.py`. Each
imports this package itself: code that is edited is the code that runs.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
from pathlib import Path

from emoscope.threads import VARIABLES, wait_asleep
from emoscope.warm.likeness import likeness, same_user

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(name: str, parent: str, *modules: str) -> None:
    end_with(int(parent))
    os.close(os.pidfd_open(os.getpid()))  # raises where the system is too old to be asked about processes
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the jobs
    mine = likeness()
    os.environ.update(dict.fromkeys(VARIABLES, "1"), MKL_DYNAMIC="FALSE")  # no thread but this one
    wait_asleep()
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    if others := other_threads():
        raise SystemExit(f"emoscope: jobs run by themselves, as a library has started threads: {others}")
    gc.collect()
    gc.freeze()  # or the first collection in each fork would copy the memory that they share
    job = next_job(name, mine)
    become(job)
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)


def end_with(parent: int) -> None:
    """Let the system kill this process when its parent ends, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def other_threads() -> list[str]:
    """Names of this process's threads but the main one: what they hold would stay held in a fork. One is no harm:
    jemalloc, in pyarrow, sets its own right in forks."""
    others = (task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid()))
    return sorted({name for task in others if (name := task.joinpath("comm").read_text().strip()) != "jemalloc_bg_thd"})


def next_job(name: str, mine: str) -> dict:
    """Wait for jobs for good; returns in forks only, each with the job that it is to become."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the keepers
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0{name}")
        listening.listen()
        while True:
            client, _ = listening.accept()
            if os.fork() == 0:
                break
            client.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with client:
        return keep(client, mine)


def keep(client: socket.socket, mine: str) -> dict:
    """Take the job if it is one for a fork of this process, and watch over it; returns in the job."""
    if not same_user(client):
        os._exit(1)
    _, streams, *_ = socket.recv_fds(client, 1, 3)
    with client.makefile("rb") as said:
        job = json.loads(said.readline())
    if job["likeness"] != mine or job["session"] not in (None, os.getsid(0)):
        os._exit(1)
    keeper, number = os.getpid(), os.fork()
    if number == 0:
        end_with(keeper)
        return {**job, "streams": streams}
    for stream in streams:
        os.close(stream)
    watch(client, number)
    os._exit(0)


def watch(client: socket.socket, job: int) -> None:
    """Tell the client the job's number and, in the end, its status; pass on signals; kill it if the client is gone."""
    ended, waits = os.pidfd_open(job), select.poll()
    waits.register(ended, select.POLLIN)
    waits.register(client, select.POLLIN)
    with contextlib.suppress(OSError):  # the client is gone, as the socket will say
        client.sendall(b"%d\n" % job)
    while ended not in dict(waits.poll()):
        if not (signals := received(client)):
            waits.unregister(client)
        for number in signals or [signal.SIGKILL]:
            os.kill(job, number)
    with contextlib.suppress(OSError):
        client.sendall(b"%d\n" % os.waitpid(job, 0)[1])


def received(client: socket.socket) -> bytes:
    """The signals that came, each a byte; none if the client is gone."""
    try:
        return client.recv(64)
    except OSError:
        return b""


def become(job: dict) -> None:
    """Be what the client is: its streams, folder, environment, signals, and the threads that it was given."""
    for number, stream in enumerate(job["streams"]):
        os.dup2(stream, number)
        os.close(stream)
    if job["session"] is None:
        os.setsid()
    else:
        os.setpgid(0, job["group"])
    signal.signal(signal.SIGINT, signal.default_int_handler if job["interruptible"] else signal.SIG_IGN)
    os.umask(job["mask"])
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.argv[1:], sys.path[:] = job["arguments"], job["path"]
    sys.stdout.reconfigure(line_buffering=os.isatty(1))
    tempfile.tempdir = None  # it may have been looked up
    for module in [name for name in sys.modules if name.partition(".")[0] == "emoscope"]:
        del sys.modules[module]
    importlib.invalidate_caches()
    importlib.import_module("emoscope.threads").tell_loaded_libraries()


if __name__ == "__main__":
    main(*sys.argv[1:])
