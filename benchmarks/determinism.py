"""Does the number of cores change a result? `python -m benchmarks determinism [CONFIGFILE ...]`.

Runs the whole workflow twice, in fresh folders, on one and on two cores: how many tables and
weights were compared byte by byte, which differ, and the seconds of each run. Not compared are training.json, which
holds the seconds a training took, and the pages, which quote them.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import ROOT
from emoscope.storage.provenance import hashes

MADE = ("data/corpora", "data/tasks", "data/models", "results", "reports")
COMPARED = (".parquet", ".csv", ".json", ".safetensors")
TIMED = "training.json"


def run(folder: Path, cores: int, configs: list[str]) -> float:
    """Run everything with the given number of cores; the seconds it took."""
    (folder / "data").mkdir(parents=True)
    for own in (ROOT / "data").iterdir():  # texts that a configuration may read
        if f"data/{own.name}" not in MADE:
            (folder / "data" / own.name).symlink_to(own)
    command = ["snakemake", "--snakefile", ROOT / "Snakefile", "--directory", folder, "--cores", str(cores), "all"]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, *(["--configfile", *configs] if configs else [])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout[-5000:])
    return time.perf_counter() - start


def tables(folder: Path) -> dict[str, str]:
    """The SHA-256 of every table, by its path in the folder."""
    found = hashes(folder / made for made in MADE if (folder / made).exists())
    names = {str(Path(path).relative_to(folder)): digest for path, digest in found.items()}
    return {name: digest for name, digest in names.items() if name.endswith(COMPARED) and Path(name).name != TIMED}


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Tables that are not the same in both, or only in one of them."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def measure(*configs: str) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folders = {cores: Path(scratch, str(cores)) for cores in (1, 2)}
        took = {cores: run(folder, cores, list(configs)) for cores, folder in folders.items()}
        one, two = map(tables, folders.values())
    return {
        "configs": configs or ["config.yaml"],
        "tables": len(one.keys() | two.keys()),
        "differ": differing(one, two),
        "seconds_on_1_core": round(took[1]),
        "seconds_on_2_cores": round(took[2]),
    }
