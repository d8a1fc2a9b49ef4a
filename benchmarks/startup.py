"""What a job costs before it starts to work: the imports of every command, and Snakemake's dry run."""

import json
import subprocess
import sys
import tempfile

from benchmarks.measuring import ROOT, seconds
from emoscope.cli import COMMANDS

HEAVY = ["torch", "transformers", "datasets", "sklearn", "scipy", "pandas", "pyarrow", "statsmodels", "seaborn"]
ROUNDS = 2
CODE = """
import json, sys, time
start = time.perf_counter()
import emoscope.{module}
print(json.dumps([time.perf_counter() - start, [name for name in {heavy} if name in sys.modules]]))
"""


def measure() -> dict:
    modules = sorted({target.split(":")[0] for target in COMMANDS.values()})
    found = [{module: imported(module) for module in modules} for _ in range(ROUNDS)]
    with tempfile.TemporaryDirectory() as scratch:
        command = ["snakemake", "--dry-run", "--quiet", "--cores", "2", "--snakefile", ROOT / "Snakefile"]
        command += ["--configfile", ROOT / "config.yaml", "--directory", scratch]
        dry = [seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(ROUNDS)]
    return {
        "import_s": {module: round(min(one[module][0] for one in found), 2) for module in modules},
        "loads": {module: found[0][module][1] for module in modules},
        "dry_run_s": round(min(dry), 2),
    }


def imported(module: str) -> tuple[float, list[str]]:
    """Seconds that a fresh Python takes to import a module of the package, and the heavy packages it then holds."""
    code = CODE.format(module=module, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(done.stdout)
