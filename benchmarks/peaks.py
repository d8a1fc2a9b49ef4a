"""The peak memory of each job of a finished run beside what its rule asks for: `python -m benchmarks peaks [FOLDER]`.

Snakemake has measured the jobs that say so (`benchmark:`), which load a model; all others read tables. Its figure is
the resident memory of the job and its children, sampled: what is needed for a moment only may be missed.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import ROOT

RULE = re.compile(r'^rule (\w+):.*?^    benchmark:\s+"([^"]+)".*?mem_mb=growing\((\w+)\)', re.MULTILINE | re.DOTALL)


def measure(folder: str = ".") -> dict:
    """By rule how many jobs were measured, MB that the largest took, and MB that the rule asks for at first, or the
    name of that in the rule file; the largest comes first."""
    asked, taken = {}, {}
    rules = sorted(measured_rules(), key=lambda rule: rule[1].count("{"))  # score.jsonl also fits {task}.jsonl
    for file in sorted(Path(folder, "benchmarks").rglob("*.jsonl")):
        place = file.relative_to(folder).as_posix()
        name, asks = next((name, asks) for name, pattern, asks in rules if re.fullmatch(_expression(pattern), place))
        asked[name] = int(asks) if asks.isdigit() else asks
        taken.setdefault(name, []).extend(json.loads(line)["max_rss"] for line in file.read_text().splitlines())
    largest_first = sorted(taken, key=lambda name: -max(taken[name]))
    return {
        "peaks": {
            name: {"jobs": len(taken[name]), "peak_mb": round(max(taken[name])), "asked_mb": asked[name]}
            for name in largest_first
        }
    }


def measured_rules() -> Iterator[tuple[str, str, str]]:
    """The rules that Snakemake measures: their names, where it writes what it measures, and the memory they ask for."""
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for block in re.split(r"^(?=rule )", file.read_text(), flags=re.MULTILINE):
            yield from RULE.findall(block)


def _expression(pattern: str) -> str:
    return re.sub(r"\\\{\w+\\\}", ".+", re.escape(pattern))
