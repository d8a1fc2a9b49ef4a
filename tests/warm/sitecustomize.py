"""Python imports this first in every job of a test's workflow: the job is handed to the server of `warm/server.py`.

The server forks with everything heavy imported already; this process passes on its arguments, environment, folder and
standard streams, waits, and ends as the job ended.
"""

import os
import sys


def hand_over(address: str, module: str, arguments: list[str]) -> None:
    """Let the server run `python -m module arguments`, and exit with its status; 255 if the server broke off."""
    import json
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        job = {"module": module, "arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
        socket.send_fds(server, [b" "], [0, 1, 2])
        server.sendall(json.dumps(job).encode())
        server.shutdown(socket.SHUT_WR)
        status = server.recv(1)
    os._exit(status[0] if status else 255)


if (address := os.environ.get("EMOSCOPE_WARM")) and "-m" in sys.orig_argv:
    module, *arguments = sys.orig_argv[sys.orig_argv.index("-m") + 1 :]
    if module in ("emoscope", "ipykernel_launcher"):
        hand_over(address, module, arguments)
