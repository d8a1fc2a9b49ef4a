"""A job computes with the threads that its rule names, on the cores that it is given; they sleep while they wait."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emoscope.cli import main
from rule_texts import RULES

ROOT = Path(__file__).parents[2]
ASK = "import os, torch, sys; sys.stdout.write(f'{torch.get_num_threads()} {len(os.sched_getaffinity(0))}')"


@pytest.mark.parametrize(
    "rule", [name for name, text in RULES.items() if re.search(r"^    threads:", text, flags=re.M)]
)
def test_a_rule_with_threads_tells_its_job_how_many(rule):
    """And as many whatever Snakemake makes of them: what a parameter says, not what `{threads}` would."""
    [threads] = re.findall(r"^    threads: (.+)$", RULES[rule], flags=re.M)
    assert f"\n        threads={threads},\n" in RULES[rule] and "emoscope --threads {params.threads} " in RULES[rule]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux ties processes to cores")
@pytest.mark.parametrize("given", [1, 2])
def test_fewer_cores_do_not_mean_fewer_threads(given):
    program = f"from emoscope.threads import use_threads; use_threads(2); {ASK}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": str(given)}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    cores = len(os.sched_getaffinity(0))
    assert found.stdout == f"{min(2, cores)} {given if given < min(2, cores) else cores}"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux ties processes to cores")
def test_two_jobs_are_never_tied_to_the_same_core():
    """Of one run or of several; the cores of one that has ended are free again, and without free ones none is tied."""
    cores = len(os.sched_getaffinity(0))
    if cores < 2:
        pytest.skip("needs two cores")
    program = (
        f"import os; from emoscope import threads; threads.TAKEN = 'test {os.getpid()} {{}}'; threads.use_threads(2); "
        "print(*os.sched_getaffinity(0), flush=True); input()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"}

    def job() -> tuple[subprocess.Popen, set[str]]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, "-c", program], env=environment, text=True, **pipes)
        return process, set(process.stdout.readline().split())

    jobs = [job() for _ in range(cores)]
    tied = [own for _, own in jobs]
    assert [len(own) for own in tied] == [1] * cores and len(set.union(*tied)) == cores
    jobs.append(job())
    assert len(jobs[-1][1]) == cores, "no core is free: the system shares them out"
    jobs[1][0].communicate("\n")
    jobs.append(job())
    assert jobs[-1][1] == tied[1]
    for process, _ in [jobs[0], *jobs[2:]]:
        process.communicate("\n")


@pytest.mark.parametrize(("chosen", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_wait_asleep_unless_the_user_has_chosen(monkeypatch, capsys, chosen, expected):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_WAIT_POLICY", chosen)
    with pytest.raises(SystemExit):
        main(["--help"])
    assert os.environ["OMP_WAIT_POLICY"] == expected


def test_how_threads_wait_is_said_before_the_library_that_heeds_it_is_loaded():
    program = "import sys; import emoscope.cli; print({'numpy', 'torch'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
