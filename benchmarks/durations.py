"""How long the jobs of each rule took in a finished run: `python -m benchmarks durations [FOLDER]`.

Snakemake keeps beside each output when its job began and ended. Writes `workflow/emoscope/plan/usual_seconds.csv`, from
which a run tells how much time is left; to be taken from the default on an idle machine with two cores.
"""

import csv
import json
from collections import defaultdict
from pathlib import Path

from emoscope.plan.progress import USUAL


def measure(folder: str = ".") -> dict:
    seconds = durations(Path(folder))
    with USUAL.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["rule", "seconds"])
        rows.writerows([rule, f"{took:.1f}"] for rule, took in seconds.items())
    return {"rules": len(seconds)}


def durations(folder: Path) -> dict[str, float]:
    """The mean seconds of a rule's jobs, by rule; a job's outputs are told from another's by its log."""
    spans: defaultdict[tuple, list[float]] = defaultdict(list)
    for file in (folder / ".snakemake" / "metadata").iterdir():
        record = json.loads(file.read_text(encoding="utf-8"))
        spans[record["rule"], tuple(record["log"])] += [record["starttime"], record["endtime"]]
    took = defaultdict(list)
    for (rule, _), times in sorted(spans.items()):
        took[rule].append(max(times) - min(times))
    return {rule: sum(seconds) / len(seconds) for rule, seconds in took.items()}
