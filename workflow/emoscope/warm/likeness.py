"""Whether a fork of one process can stand for another: all that a job takes over from whoever starts it."""

import json
import os
import resource
import socket
import struct
import sys
from pathlib import Path

from emoscope.threads import VARIABLES

# may differ: a fork takes these over itself, or no library reads them when it is imported
OWN = {
    *VARIABLES,
    *("GOTO_NUM_THREADS", "NUMEXPR_NUM_THREADS", "MKL_DYNAMIC", "OMP_WAIT_POLICY"),
    *("TMPDIR", "TMP", "TEMP", "TEMPDIR", "PWD", "OLDPWD", "SHLVL", "_"),
    *("EMOSCOPE_WARM", "PYTHONPATH", "JPY_PARENT_PID", "JPY_SESSION_NAME"),
}


def likeness() -> str:
    """Python and its packages, the environment, the user, limits, cores, and what the system shows of itself: alike in
    two processes if and only if a fork of one can be the other. Containers, conda environments and jobs of a cluster
    differ in it. Linux only; raises OSError or AttributeError elsewhere."""
    limits = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})
    spaces = Path("/proc/self/ns")
    facts = {
        "python": [sys.executable, sys.prefix, sys.version],
        "packages": [folder for folder in sys.path if not Path(folder, "emoscope").is_dir()],  # ours is imported anew
        "environment": {name: value for name, value in os.environ.items() if name not in OWN},
        "user": [os.getresuid(), os.getresgid(), sorted(os.getgroups())],
        "limits": [resource.getrlimit(limit) for limit in limits],
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "cores": sorted(os.sched_getaffinity(0)),
        "spaces": {space.name: str(space.readlink()) for space in spaces.iterdir()},
        "group": Path("/proc/self/cgroup").read_text(),
        "root": [os.stat("/").st_dev, os.stat("/").st_ino],
    }
    return json.dumps(facts, sort_keys=True)


def same_user(other_end: socket.socket) -> bool:
    """Whether the process at the other end is this user's: a socket that is no file can be opened by anyone."""
    _, user, _ = struct.unpack("3i", other_end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return user == os.getuid()
