"""A process that has imported what jobs need and forks for each: their imports are most of a tiny job's seconds.

`python server.py SOCKET`. A job is what `sitecustomize.py` sends: it runs in a fork with the streams, folder and
environment that it would have had. The package itself is not imported here: each project has its own copy.
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback

HEAVY = [
    *("torch", "transformers", "accelerate", "datasets", "pandas", "pyarrow.parquet", "scipy.stats", "scipy.special"),
    *("statsmodels.stats.multitest", "sklearn.metrics", "seaborn", "matplotlib.pyplot", "papermill", "nbconvert"),
    *("IPython.display", "ipykernel.kernelapp", "ipykernel.ipkernel", "bs4", "jinja2", "lemminflect"),
    *("transformers.models.gpt2.modeling_gpt2", "transformers.models.auto.modeling_auto", "transformers.trainer"),
]


def main(address: str) -> None:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # read once, when the library is loaded; jobs set the same
    for name in HEAVY:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{address}.new")
        listening.listen()
        os.rename(f"{address}.new", address)  # whoever sees the name can connect
        while True:
            client, _ = listening.accept()
            if os.fork() == 0:  # a keeper, which waits for the job and says how it ended
                listening.close()
                keep(client)
            client.close()
            reap()


def reap() -> None:
    """Bury the keepers that have ended."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def keep(client: socket.socket) -> None:
    """Fork the job and tell the client its exit status: 128 more than the signal, as a shell has it.

    If the client is killed, so is the job.
    """
    _, streams, *_ = socket.recv_fds(client, 1, 3)
    job = json.loads(b"".join(iter(lambda: client.recv(65536), b"")))
    number = os.fork()
    if number == 0:
        client.close()
        run(job, streams)
    ended, waits = os.pidfd_open(number), select.poll()
    waits.register(ended, select.POLLIN)
    waits.register(client, select.POLLHUP)
    while not any(file == ended for file, _ in waits.poll()):
        os.kill(number, signal.SIGKILL)  # whoever stood for the job was killed
        waits.unregister(client)
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        client.sendall(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def run(job: dict, streams: list[int]) -> None:
    """Become the job."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    os.environ.pop("JPY_PARENT_PID", None)  # a kernel would end itself, since its parent is another one
    sys.argv = [job["module"], *job["arguments"]]
    sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    code = 1
    try:
        as_many_threads_as_asked()
        runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def as_many_threads_as_asked() -> None:
    """What the libraries would have read from the environment, had they been loaded now."""
    import torch

    if sys.argv[1:2] == ["--threads"]:
        importlib.import_module("emoscope.threads").use_threads(int(sys.argv[2]))
        del sys.argv[1:3]
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))


if __name__ == "__main__":
    main(*sys.argv[1:])
