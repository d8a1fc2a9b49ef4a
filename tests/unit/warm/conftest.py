"""A warm process that has imported next to nothing, and jobs for it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emoscope.warm.client import VARIABLE
from emoscope.warm.start import start
from small_project import wait_for
from warm_process import COMMAND, WORKFLOW, listens


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Jobs heed signals, though a shell that starts pytest in the background has it ignore some."""
    heeded = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL, signal.SIGQUIT: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in heeded.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    own = ("PYTEST_CURRENT_TEST", VARIABLE)
    common = {name: value for name, value in os.environ.items() if name not in own}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    folders = os.pathsep.join(map(str, (WORKFLOW, tmp_path)))
    return common | {"PATH": path, "PYTHONPATH": folders, "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}


@pytest.fixture
def server(environment):
    """A warm process that has imported next to nothing; `name` is what jobs find it by."""
    process, process.name = start(environment, ("json", "no_such_module"))
    wait_for(lambda: listens(process.name))
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def job(tmp_path, environment, server) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a job of this code, `python job.py *arguments`; with `warm` false, by itself."""
    started = []

    def run(code: str, *arguments: str, warm: bool = True, **given) -> subprocess.Popen:
        (tmp_path / "job.py").write_text(code)
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        given["env"] = environment | {VARIABLE: server.name if warm else "no"} | given.pop("env", {})
        started.append(subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, text=True, **streams | given))
        return started[-1]

    yield run
    for process in started:
        process.kill()
