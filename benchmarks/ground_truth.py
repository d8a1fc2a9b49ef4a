"""Does the method find what was planted, over five seeds? `python -m benchmarks ground_truth [folder]`.

Runs the target `ground_truth` of workflow/configs/seeds.yaml (five trainings) in the folder, by default a scratch one:
how often the planted gender gap has the right sign, how often its interval covers the planted size, in how many runs
race seems to matter, which synonyms were flagged; then the controls of every run.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.measuring import ROOT

CONFIGS = ["config.yaml", "workflow/configs/seeds.yaml"]


def make(folder: Path, target: str) -> None:
    """Run a target of the five seeds in a folder; what is there already is not made again."""
    command = ["snakemake", "--cores", "all", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--configfile", *(str(ROOT / path) for path in CONFIGS), "--", target]
    subprocess.run(command, check=True, stdout=sys.stderr)


def measure(place: str | None = None) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(place or scratch).resolve()
        make(folder, "ground_truth")
        table = pd.read_csv(folder / "reports" / "ground_truth.csv")
    gap = table[table["where"] == "ambiguous"]
    words = table[(table["axis"] == "synonyms") & (table["expected"] > 0)]
    others = table[(table["axis"] == "synonyms") & (table["expected"] == 0)]
    race = table[(table["axis"] == "race") & (table["verdict"] == "missed")]
    return {
        "runs": int(table["run"].nunique()),
        "gender_sign_right": int((gap["low"] > 0).sum()),
        "gender_covered": int(((gap["low"] <= gap["expected"]) & (gap["expected"] <= gap["high"])).sum()),
        "runs_with_race_effect": int(race["run"].nunique()),
        "misleading_synonyms_flagged": int((words["verdict"] == "found").sum()),
        "runs_with_other_words_flagged": int((others["verdict"] == "missed").sum()),
        "controls": json.loads(table.to_json(orient="records", double_precision=4)),
    }
