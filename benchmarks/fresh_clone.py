"""Time the README's main command from a fresh clone: `python benchmarks/fresh_clone.py [commit]`.

Prints one JSON object: seconds from clone to reports/index.html, of which seconds of installation; peak memory of all
processes together (resident, shared pages counted once per process, so an upper bound); seconds of a second run; test
accuracy beside its ceiling. Needs psutil, which Snakemake brings: run it with .venv/bin/python.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


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


def main() -> None:
    commit = sys.argv[1] if len(sys.argv) > 1 else "HEAD"
    with tempfile.TemporaryDirectory() as scratch:
        clone = Path(scratch, "emoscope")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        subprocess.run(["git", "checkout", "--quiet", commit], cwd=clone, check=True)
        install, _, _ = watched(["make", "setup"], clone)
        seconds, peak, _ = watched(["make", "run"], clone)
        again, _, output = watched(["make", "run"], clone)
        metrics = json.loads(next(clone.glob("results/*/metrics.json")).read_text())
        truth = json.loads(next(clone.glob("data/corpora/*/truth.json")).read_text())
        result = {
            "commit": subprocess.run(
                ["git", "rev-parse", "HEAD"], cwd=clone, capture_output=True, text=True, check=True
            ).stdout.strip(),
            "clone_to_index_s": round(install + seconds),
            "installation_s": round(install),
            "peak_memory_gb": round(peak, 2),
            "second_run_s": round(again, 1),
            "second_run_does_nothing": "Nothing to be done" in output,
            "test_accuracy": round(metrics["test"]["all"]["accuracy"], 4),
            "ceiling": round(truth["ceiling"], 4),
            "pages": sorted(str(page.relative_to(clone)) for page in clone.glob("reports/**/*.html")),
        }
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
