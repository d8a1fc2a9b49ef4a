"""Does the method find what was planted, over five seeds? `python benchmarks/ground_truth.py [folder]`.

Runs the target `ground_truth` of workflow/configs/seeds.yaml (five trainings) in the folder, by default a scratch one,
and prints one JSON object: how often the planted gender gap has the right sign, how often its interval covers the
planted size, in how many runs race seems to matter, which synonyms were flagged; then the controls of every run.
"""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
CONFIGS = ["config.yaml", "workflow/configs/seeds.yaml"]


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path(scratch)
        command = ["snakemake", "--cores", "all", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
        command += ["--configfile", *(str(ROOT / path) for path in CONFIGS), "--", "ground_truth"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        table = pd.read_csv(folder / "reports" / "ground_truth.csv")
    gap = table[(table["axis"] == "gender") & (table["expected"] > 0)]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    words = table[(table["axis"] == "synonyms") & (table["expected"] > 0)]
    others = table[(table["axis"] == "synonyms") & (table["expected"] == 0)]
    race = table[(table["axis"] == "race") & (table["verdict"] == "missed")]
    result = {
        "commit": commit.stdout.strip(),
        "machine": platform.platform(),
        "runs": int(table["run"].nunique()),
        "gender_sign_right": int((gap["low"] > 0).sum()),
        "gender_covered": int(((gap["low"] <= gap["expected"]) & (gap["expected"] <= gap["high"])).sum()),
        "runs_with_race_effect": int(race["run"].nunique()),
        "misleading_synonyms_flagged": int((words["verdict"] == "found").sum()),
        "runs_with_other_words_flagged": int((others["verdict"] == "missed").sum()),
        "controls": json.loads(table.to_json(orient="records", double_precision=4)),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
