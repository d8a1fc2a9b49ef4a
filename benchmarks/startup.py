"""What a job costs before it starts to work: the imports of every command, and Snakemake's dry run.

Seconds of the processor, user and system: what else the machine does hardly changes them, so once is enough.
"""

import json
import re
import resource
import subprocess
import sys
import tempfile

from benchmarks.measuring import ROOT, turns
from emoscope.cli import COMMANDS
from emoscope.plan.code_inputs import code_of, file_of

HEAVY = ["torch", "transformers", "datasets", "sklearn", "scipy", "pandas", "pyarrow", "statsmodels", "seaborn"]
LIMIT = 1.5  # for a command that loads no model
CODE = """
import json, sys
from emoscope.storage.integrity import check_whole
import emoscope.{module}
print(json.dumps([name for name in {heavy} if name in sys.modules]))
"""


def measure() -> dict:
    modules = sorted({target.split(":")[0] for target in COMMANDS.values()})
    modules.sort(key=runs_a_model)  # those with a limit first: a slow machine does not come to the end of the others
    found = {module: imported(module) for module, _ in zip(modules, turns(len(modules)), strict=False)}
    with tempfile.TemporaryDirectory() as scratch:
        command = ["snakemake", "--dry-run", "--quiet", "--cores", "2", "--snakefile", ROOT / "Snakefile"]
        command += ["--configfile", ROOT / "config.yaml", "--directory", scratch]
        dry, _ = processor_seconds(command)
    slow = [module for module, (took, loads) in found.items() if took > LIMIT and "torch" not in loads]
    return {
        "start_cpu_s": {module: round(took, 2) for module, (took, _) in found.items()},
        "loads": {module: loads for module, (_, loads) in found.items()},
        "above_limit_without_a_model": slow,
        "not_reached": modules[len(found) :],
        "dry_run_cpu_s": round(dry, 2),
    }


def runs_a_model(module: str) -> bool:
    """Whether a module, or one that it imports here, imports torch or transformers, now or when it is called."""
    sources = (path.read_text(encoding="utf-8") for path in code_of(file_of(module)))
    return any(re.search(r"^\s*(import|from) (torch|transformers)\b", source, re.MULTILINE) for source in sources)


def imported(module: str) -> tuple[float, list[str]]:
    """What a fresh Python takes to start and to import what the commands of a module need; the heavy packages there."""
    took, output = processor_seconds([sys.executable, "-c", CODE.format(module=module, heavy=HEAVY)])
    return took, json.loads(output)


def processor_seconds(command: list) -> tuple[float, str]:
    """Seconds of the processor that a command takes, and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, output
