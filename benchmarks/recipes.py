"""Does the faster recipe cost accuracy? Trains the runs of recipes.yaml, or of another overlay, and compares them.

`python -m benchmarks recipes [OVERLAY [FOLDER]]`: works in a scratch folder unless one is named, so nothing is reused;
a local folder data/tweets is linked into it. For each run: test accuracy of every seed, their mean and standard
deviation, seconds of training and precision.
"""

import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measuring import ROOT
from emoscope.storage.files import read_json
from emoscope.storage.yaml_files import read_yaml


def measure(overlay: str = str(ROOT / "benchmarks" / "recipes.yaml"), folder: str | None = None) -> dict:
    runs = read_yaml(overlay)["runs"]
    names = {run["name"]: [f"{run['name']}-s{seed}" for seed in run.get("seeds", [1])] for run in runs}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(folder or scratch).resolve()
        tweets = ROOT / "data" / "tweets"
        if tweets.exists() and not (work / "data" / "tweets").exists():
            (work / "data").mkdir(parents=True, exist_ok=True)
            (work / "data" / "tweets").symlink_to(tweets.resolve())
        targets = [f"results/{name}/metrics.json" for each in names.values() for name in each]
        command = ["snakemake", "--cores", "all", "--snakefile", ROOT / "Snakefile", "--directory", work]
        command += ["--configfile", ROOT / "config.yaml", Path(overlay).resolve(), "--", *targets]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return {name: summary([work / "results" / one for one in each]) for name, each in names.items()}


def summary(results: list[Path]) -> dict:
    """What the seeds of one run amount to."""
    accuracies = [read_json(each / "metrics.json")["test"]["all"]["accuracy"] for each in results]
    trainings = [read_json(each / "training.json") for each in results]
    return {
        "accuracies": [round(accuracy, 4) for accuracy in accuracies],
        "mean": round(statistics.mean(accuracies), 4),
        "deviation": round(statistics.stdev(accuracies), 4) if len(accuracies) > 1 else None,
        "training_s": [training["seconds"] for training in trainings],
        "precision": trainings[0]["precision"],
    }
