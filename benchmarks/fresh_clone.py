"""The README's main command from a fresh clone: `python -m benchmarks fresh_clone [commit]`.

Seconds from clone to reports/index.html, of which seconds of installation; the share of wall time x cores that was
spent inside jobs; peak memory of all processes together (resident; shared pages count in every
process, so an upper bound); seconds of a second run; test accuracy beside its ceiling.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

import psutil

from benchmarks.measuring import clone_of


def watched(command: list[str], cwd: Path) -> tuple[float, float, str]:
    """Run a command; its seconds, the peak memory of its process tree in GB, and its output."""
    start, peak, done = time.perf_counter(), 0, threading.Event()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.5):
            total = 0
            for member in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
                try:
                    total += member.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak = max(peak, total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    output, _ = process.communicate()
    done.set()
    if process.returncode:
        sys.exit(output[-5000:])
    return time.perf_counter() - start, peak / 1e9, output


def inside_jobs(log: str, cores: int) -> float:
    """The share of wall time x cores between the first start and the last end of a Snakemake log that jobs held.

    A job holds as many cores as it has threads; the log's clock counts whole seconds.
    """
    start: dict[str, tuple[datetime, int]] = {}
    now, job, held, times = None, "", 0.0, []
    for line in log.splitlines():
        if found := re.fullmatch(r"\[(\w{3} \w{3} +\d+ [\d:]{8} \d{4})\]", line):
            now = datetime.strptime(found[1], "%a %b %d %H:%M:%S %Y")
            times.append(now)
        elif found := re.fullmatch(r"    jobid: (\d+)", line):
            job, start[found[1]] = found[1], (now, 1)
        elif found := re.fullmatch(r"    threads: (\d+)", line):
            start[job] = (start[job][0], min(cores, int(found[1])))
        elif found := re.match(r"Finished jobid: (\d+)", line):
            begun, threads = start[found[1]]
            held += threads * (now - begun).total_seconds()
    return held / (cores * (max(times) - min(times)).total_seconds())


def measure(commit: str = "HEAD") -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        clone = clone_of(commit, Path(scratch))
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, check=True, capture_output=True, text=True)
        install, _, _ = watched(["make", "setup"], clone)
        seconds, peak, _ = watched(["make", "run"], clone)
        [log] = (clone / ".snakemake" / "log").glob("*.log")
        share = inside_jobs(log.read_text(), os.cpu_count())
        again, _, output = watched(["make", "run"], clone)
        metrics = json.loads(next(clone.glob("results/*/metrics.json")).read_text())
        truth = json.loads(next(clone.glob("data/corpora/*/truth.json")).read_text())
        return {
            "commit": head.stdout.strip(),
            "clone_to_index_s": round(install + seconds),
            "installation_s": round(install),
            "inside_jobs": round(share, 3),
            "peak_memory_gb": round(peak, 2),
            "second_run_s": round(again, 1),
            "second_run_does_nothing": "Nothing to be done" in output,
            "test_accuracy": round(metrics["test"]["all"]["accuracy"], 4),
            "ceiling": round(truth["ceiling"], 4),
            "pages": sorted(str(page.relative_to(clone)) for page in clone.glob("reports/**/*.html")),
        }
