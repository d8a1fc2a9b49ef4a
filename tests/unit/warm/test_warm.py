"""A job in a fork of the warm process is the job that it would have been, and nothing is left of either."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from emoscope.warm.client import PASSED_ON, VARIABLE
from emoscope.warm.start import start
from small_project import wait_for
from warm_process import COMMAND, WORKFLOW, listens

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the warm process is for Linux")
TOLD = """
import json, os, signal, sys, tempfile
print("not yet flushed")
told = {
    "arguments": sys.argv[1:], "folder": os.getcwd(), "path": sys.path, "environment": dict(os.environ),
    "mask": os.umask(0o22), "group": os.getpgrp(), "session": os.getsid(0), "said": sys.stdin.read(),
    "interrupts": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "temporary": tempfile.gettempdir(), "descriptors": sorted(os.listdir("/proc/self/fd"))[:3],
    "ours": sorted(name for name in sys.modules if name.startswith("emoscope")),
}
print(json.dumps(told, sort_keys=True))
print("wrong", file=sys.stderr)
"""
WAITING = """
import os, pathlib, time
pathlib.Path("job.pid.new").write_text(str(os.getpid()))
pathlib.Path("job.pid.new").rename("job.pid")
while not pathlib.Path("go").exists():
    time.sleep(0.01)
print("done")
"""


def fork_of(client: subprocess.Popen, folder: Path) -> psutil.Process:
    """The process that runs the code WAITING, which must be another than the one that was started."""
    wait_for((folder / "job.pid").exists)
    fork = psutil.Process(int((folder / "job.pid").read_text()))
    assert fork.pid != client.pid
    return fork


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_fork_is_what_the_job_would_have_been(job, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    told = []
    for warm in (False, True):
        process = job(TOLD, "--a", "b c", warm=warm, env={"TMPDIR": str(tmp_path / "elsewhere")}, umask=0o77)
        told.append((*process.communicate("said to it", timeout=60), process.returncode))
    alone, forked = ({**json.loads(out.splitlines()[1])} for out, _, _ in told)
    own = ["emoscope", "emoscope.taken", "emoscope.threads"]  # the last tells libraries how many, and reads the other
    assert alone.pop("ours") and forked.pop("ours") == own, "a fork imports the package itself"
    alone["environment"].pop(VARIABLE), forked["environment"].pop(VARIABLE)
    assert alone == forked
    assert forked["said"] == "said to it" and forked["arguments"] == ["--a", "b c"] and forked["mask"] == 0o77
    assert told[0][1:] == told[1][1:] == ("wrong\n", 0)


@pytest.mark.parametrize(
    "ending",
    [
        *("sys.exit(3)", "sys.exit('a reason')", "1 / 0", "os._exit(7)", "pass", "raise KeyboardInterrupt"),
        *(f"os.kill(os.getpid(), signal.{name})" for name in ("SIGKILL", "SIGTERM", "SIGSEGV")),
    ],
)
def test_a_job_ends_as_it_would_have_ended(job, ending):
    ends = []
    for warm in (False, True):
        process = job(f"import os, signal, sys\nprint('said', flush=True)\n{ending}", warm=warm)
        out, err = process.communicate(timeout=60)
        ends.append((process.returncode, out, err.splitlines()[-1:]))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("number", PASSED_ON)
def test_a_signal_reaches_the_job(job, tmp_path, number):
    client = job(WAITING)
    fork = fork_of(client, tmp_path)
    client.send_signal(number)
    assert client.wait(60) == -number
    wait_for(lambda: gone(fork))


def test_whoever_stands_for_the_job_is_killed_and_so_is_the_job(job, tmp_path):
    client = job(WAITING)
    fork = fork_of(client, tmp_path)
    client.kill()
    wait_for(lambda: gone(fork))


def test_a_terminals_interrupt_reaches_the_job_once_and_not_the_warm_process(job, server, tmp_path):
    code = "try:" + WAITING.replace("\n", "\n    ")
    code += "\nexcept KeyboardInterrupt:\n    print('interrupted')\n    time.sleep(1)"
    client = job(code, process_group=0)
    fork = fork_of(client, tmp_path)
    os.killpg(client.pid, signal.SIGINT)
    out, err = client.communicate(timeout=60)
    assert (out, err, client.returncode) == ("interrupted\n", "", 0)
    assert gone(fork) and server.poll() is None and listens(server.name)


def test_a_kernel_is_interrupted_though_it_has_a_session_of_its_own(job, tmp_path):
    client = job(WAITING, start_new_session=True)
    fork = fork_of(client, tmp_path)
    assert os.getsid(fork.pid) == fork.pid
    os.killpg(client.pid, signal.SIGINT)
    assert client.wait(60) == -signal.SIGINT
    wait_for(lambda: gone(fork))


def test_a_job_outlives_the_warm_process_and_the_next_runs_by_itself(job, server, tmp_path):
    client = job(WAITING)
    fork = fork_of(client, tmp_path)
    server.kill()
    server.wait()
    wait_for(lambda: not listens(server.name))
    assert not gone(fork)
    (tmp_path / "go").touch()
    assert client.communicate(timeout=60)[0] == "done\n" and client.returncode == 0
    alone = job("import os; print(os.getpid())")
    assert int(alone.communicate(timeout=60)[0]) == alone.pid


def test_a_job_does_not_outlive_the_process_that_watches_over_it(job, tmp_path):
    client = job(WAITING)
    fork = fork_of(client, tmp_path)
    psutil.Process(fork.ppid()).kill()
    _, err = client.communicate(timeout=60)
    assert client.returncode == 1 and "watched over this job was killed" in err
    wait_for(lambda: gone(fork))


OTHERS = {
    "environment": {"env": {"HF_HUB_OFFLINE": "1"}},
    "waiting": {"env": {"OMP_PROC_BIND": "true"}},
    "limits": {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (99, 999))},
    "cores": {"preexec_fn": lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])},
    "priority": {"preexec_fn": lambda: os.nice(1)},
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_job_that_is_not_like_the_warm_process_runs_by_itself(job, other):
    if {"cores": len(os.sched_getaffinity(0)) == 1, "priority": os.nice(0) == 19}.get(other):
        pytest.skip("there is nothing to take away")
    process = job("import os; print(os.getpid())", **OTHERS[other])
    assert int(process.communicate(timeout=60)[0]) == process.pid


def test_a_job_with_other_packages_runs_by_itself(job, tmp_path):
    (tmp_path / "packages").mkdir()
    folders = os.pathsep.join(map(str, (WORKFLOW, tmp_path / "packages", tmp_path)))
    process = job("import os; print(os.getpid())", env={"PYTHONPATH": folders})
    assert int(process.communicate(timeout=60)[0]) == process.pid


def test_nobody_elses_process_is_trusted(job, tmp_path):
    """Whoever has taken the name of a warm process gets neither the job nor its environment."""
    (tmp_path / "sitecustomize.py").write_text("import os\nos.getuid = lambda: 12345\n")
    process = job("import os; print(os.getpid())")
    assert int(process.communicate(timeout=60)[0]) == process.pid


def test_code_edited_between_two_jobs_is_what_runs(job):
    """Of another length: by that and by the second in which it was written, Python knows whether it was compiled."""
    assert [job(f"print({number})").communicate(timeout=60)[0] for number in (1, 22)] == ["1\n", "22\n"]


def test_the_warm_process_ends_with_whoever_started_it_however_that_ends(environment):
    code = "import os, time; from emoscope.warm.start import start\n"
    code += "server, name = start(dict(os.environ), ('json',)); print(name, flush=True); time.sleep(600)"
    starter = subprocess.Popen(["python", "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    name = starter.stdout.readline().strip()
    wait_for(lambda: listens(name))
    [process] = psutil.Process(starter.pid).children()
    starter.kill()
    starter.communicate(timeout=60)
    try:
        wait_for(lambda: gone(process) and not listens(name), 20)
    finally:
        if not gone(process):
            process.kill()


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_fork_computes_with_the_threads_that_it_was_given(environment, tmp_path, threads):
    """And the processor's cores: the libraries were loaded when there was one thread."""
    server, name = start(environment, ("numpy", "threadpoolctl"))
    wait_for(lambda: listens(name))
    code = "import os, threadpoolctl\n"
    code += "print(os.getppid(), [pool['num_threads'] for pool in threadpoolctl.threadpool_info()])"
    (tmp_path / "job.py").write_text(code)
    given = environment | {VARIABLE: name, "OMP_NUM_THREADS": threads}
    found = subprocess.run(COMMAND, env=given, capture_output=True, text=True)
    server.kill()
    server.wait()
    parent, pools = found.stdout.split(" ", 1)
    assert int(parent) != os.getpid(), "it ran by itself"
    assert pools.strip() == f"[{threads}]", found.stderr
