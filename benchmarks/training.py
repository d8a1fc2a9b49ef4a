"""Time the trainings of a configuration: `python benchmarks/training.py workflow/configs/tweets.yaml`.

Works in a scratch folder, so nothing is reused; a local folder data/tweets is linked into it. Prints one JSON object
per run: seconds of training, precision, device, and test accuracy with its interval.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def main() -> None:
    overlay = Path(sys.argv[1]).resolve()
    runs = yaml.safe_load(overlay.read_text())["runs"]
    names = [f"{run['name']}-s{seed}" for run in runs for seed in run.get("seeds", [1])]
    with tempfile.TemporaryDirectory() as scratch:
        tweets = ROOT / "data" / "tweets"
        if tweets.exists():
            Path(scratch, "data").mkdir()
            Path(scratch, "data", "tweets").symlink_to(tweets.resolve())
        targets = [f"results/{name}/metrics.json" for name in names]
        command = ["snakemake", *targets, "--cores", "all", "--snakefile", ROOT / "Snakefile", "--directory", scratch]
        subprocess.run([*command, "--configfile", overlay], check=True, stdout=subprocess.DEVNULL)
        for name in names:
            results = Path(scratch, "results", name)
            training, metrics = (json.loads((results / file).read_text()) for file in ("training.json", "metrics.json"))
            test = metrics["test"]["all"]
            found = {key: training[key] for key in ("seconds", "steps", "precision", "device")}
            found |= {key: test[key] for key in ("accuracy", "accuracy_interval")}
            print(json.dumps({"run": name, **found}))


if __name__ == "__main__":
    main()
