"""A job computes on GPUs that no other job has; without GPUs here, on names of some."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from emoscope import gpus
from emoscope.cli import main
from rule_texts import RULES

ROOT = Path(__file__).parents[2]
TOLD = "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True); input()"
JOB = "from emoscope import gpus; gpus.TAKEN = {called!r}; gpus.take_gpus({wanted}); "

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that end with their process")


class Jobs:
    """Processes that take GPUs and keep them until they are ended."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen] = []

    def start(self, wanted: int, then: str = TOLD, **environment: str) -> str:
        """What a new job sees as its GPUs, of four."""
        program = JOB.format(called=f"test {os.getpid()} {{}}", wanted=wanted) + then
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        environment = {"CUDA_VISIBLE_DEVICES": "0,1, 2,GPU-8f", "PYTHONPATH": str(ROOT / "workflow"), **environment}
        job = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, **environment}, text=True, **pipes)
        self.running.append(job)
        return job.stdout.readline().strip()

    def end(self, number: int) -> None:
        if self.running[number].poll() is None:
            self.running[number].communicate("\n")


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    found = Jobs()
    yield found
    for number in range(len(found.running)):
        found.end(number)


@pytest.fixture
def chosen(monkeypatch) -> pytest.MonkeyPatch:
    """Nothing is chosen of three GPUs, and this process takes none that others count on."""
    monkeypatch.setenv(gpus.VISIBLE, "")
    monkeypatch.delenv(gpus.VISIBLE)
    monkeypatch.delenv(gpus.RANK, raising=False)
    monkeypatch.setattr(gpus, "TAKEN", f"test {os.getpid()} {os.urandom(4).hex()} {{}}")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    return monkeypatch


@pytest.mark.parametrize("rule", ["adopt_model", "measure_writes", "predict", "train_copier"])
def test_a_rule_that_loads_a_model_asks_for_a_gpu(rule):
    """Or its job would be on one beside the job that has it alone."""
    assert re.search(r"^        gpu=", RULES[rule], flags=re.M)


@pytest.mark.parametrize(
    "rule", [name for name, text in RULES.items() if re.search(r"^        gpu=", text, flags=re.M)]
)
def test_a_rule_with_gpus_tells_its_job_how_many(rule):
    """As many as Snakemake grants, which a limit may have lowered."""
    assert re.search(r"python -m emoscope (--threads \{params.threads\} )?--gpus \{resources.gpu\} ", RULES[rule])


@linux
def test_two_jobs_are_never_on_the_same_gpu(jobs):
    """Those of a job that has ended are free again; where too few are, all are seen as before."""
    assert [jobs.start(1), jobs.start(2)] == ["0", "1,2"]
    assert jobs.start(2) == "0,1, 2,GPU-8f"
    assert jobs.start(1) == "GPU-8f"
    jobs.end(0)
    assert jobs.start(1) == "0"


@linux
def test_a_job_that_becomes_another_program_keeps_its_gpus(jobs):
    program = f"import os, sys; os.execv(sys.executable, [sys.executable, '-c', {TOLD!r}])"
    assert [jobs.start(3, program), jobs.start(1)] == ["0,1,2", "GPU-8f"]
    jobs.end(0)
    assert jobs.start(3) == "0,1,2"


@linux
def test_a_process_of_several_has_what_was_taken_for_all(jobs):
    assert jobs.start(2, LOCAL_RANK="1") == "0,1, 2,GPU-8f"
    assert jobs.start(4) == "0,1, 2,GPU-8f"
    assert jobs.start(1) == "0,1, 2,GPU-8f", "all four are taken"


@linux
@pytest.mark.parametrize(("wanted", "seen"), [(1, "0"), (2, "0,1"), (3, None), (4, None)])
def test_where_none_is_chosen_all_that_torch_sees_can_be_taken(chosen, wanted, seen):
    gpus.take_gpus(wanted)
    assert os.environ.get(gpus.VISIBLE) == seen


def test_hidden_gpus_stay_hidden(chosen):
    chosen.setenv(gpus.VISIBLE, "")
    gpus.take_gpus(1)
    assert os.environ[gpus.VISIBLE] == ""


@linux
def test_a_training_on_several_gpus_becomes_as_many_processes(chosen):
    class Become(Exception):
        """What no process comes back from."""

    def become(program: str, words: list[str]) -> None:
        raise Become(program, words, os.environ[gpus.VISIBLE])

    chosen.setattr(os, "execv", become)
    command = ["--threads", "1", "--gpus", "2", "finetune", "--base", "a model"]
    with pytest.raises(Become) as found:
        main(command)
    program, words, seen = found.value.args
    assert program == words[0] == sys.executable and seen == "0,1"
    assert words[1:3] == ["-m", "torch.distributed.run"] and words[words.index("--nproc-per-node") + 1] == "2"
    assert words[-len(command) - 2 :] == ["-m", "emoscope", *command]
    chosen.setenv(gpus.RANK, "0")
    with pytest.raises(SystemExit) as stop:
        main(["--gpus", "2", "finetune", "--help"])
    assert stop.value.code == 0, "one of the processes trains"


@pytest.mark.parametrize("command", [["mask-block", "--help"], ["--help"]])
def test_no_other_command_becomes_several_processes(chosen, command):
    chosen.setattr(os, "execv", None)
    with pytest.raises(SystemExit) as stop:
        main(["--gpus", "2", *command])
    assert stop.value.code == 0
    with pytest.raises(SystemExit) as stop:
        main(["--gpus", "0", *command])
    assert stop.value.code == 0


@pytest.mark.parametrize("given", [[], ["two", "flip"], ["-1", "flip"], ["flip"]])
def test_gpus_are_a_number(given):
    with pytest.raises(SystemExit, match=r"^emoscope: --gpus: write how many, a number from 0"):
        main(["--gpus", *given])
