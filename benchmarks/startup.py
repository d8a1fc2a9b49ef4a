"""What a job costs before it starts to work: the imports of every command, and Snakemake's dry run."""

import json
import statistics
import subprocess
import sys
import tempfile

from benchmarks.measuring import ROOT, seconds
from emoscope.cli import COMMANDS

HEAVY = [
    "torch",
    "transformers",
    "datasets",
    "sklearn",
    "scipy",
    "pandas",
    "pyarrow",
    "statsmodels",
    "matplotlib",
    "HanTa",
]
ROUNDS = 3


def measure() -> dict:
    modules = sorted({target.split(":")[0] for target in COMMANDS.values()})
    times: dict[str, list[float]] = {name: [] for name in ["", *modules]}
    for _ in range(ROUNDS):
        for name, found in times.items():
            found.append(seconds(lambda name=name: python(f"import emoscope.{name}" if name else "")))
    bare = statistics.median(times.pop(""))
    loads = f"import sys, json, emoscope.{{}}; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    with tempfile.TemporaryDirectory() as scratch:
        command = ["snakemake", "--dry-run", "--quiet", "--cores", "2", "--snakefile", ROOT / "Snakefile"]
        command += ["--configfile", ROOT / "config.yaml", "--directory", scratch]
        dry = [seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(ROUNDS)]
    return {
        "python_s": round(bare, 2),
        "import_s": {name: round(statistics.median(found) - bare, 2) for name, found in times.items()},
        "loads": {name: json.loads(python(loads.format(name))) for name in modules},
        "dry_run_s": round(statistics.median(dry), 2),
    }


def python(code: str) -> str:
    """What a fresh Python prints that runs this code."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout
