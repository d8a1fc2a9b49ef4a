"""The flips and the label-free replacement, tagger included: `python -m benchmarks flips [FILE ...]`.

A file holds one text a line, or lines of `text;class`; without one, 20,000 texts of the planted corpus are taken.
For each change: how many texts it changed, and texts per minute in one process and in two, each of one thread and with
its start (imports, lexicon, tagger) counted.
"""

import multiprocessing
import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measuring import ROOT, sentences
from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.synonyms.replace import SynonymTable, replace
from emoscope.perturbation.edits import Perturbation

LEXICONS = ROOT / "data" / "lexicons"


def change(name: str) -> Callable[[str], Perturbation]:
    """The function that makes one text's counterpart."""
    if name in AXES:
        return partial(AXES[name].flip, lexicon=AXES[name].load(LEXICONS / AXES[name].words))
    return partial(replace, mapping=SynonymTable.load(LEXICONS / "synonyms.csv").mapping)


def count_changed(name: str, texts: list[str]) -> int:
    """How many of the texts a change leaves different."""
    make = change(name)
    return sum(make(text).n_changed > 0 for text in texts)


def measured(name: str, texts: list[str], processes: int) -> tuple[int, int]:
    """The number of changed texts, and texts per minute; new processes, so that nothing is in a cache."""
    start = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        shares = [(name, texts[first::processes]) for first in range(processes)]
        changed = sum(pool.starmap(count_changed, shares, chunksize=1))
    return changed, round(60 * len(texts) / (time.perf_counter() - start))


def read_texts(paths: list[str]) -> list[str]:
    """The texts of files, without their classes."""
    lines = [line for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [re.sub(r";\w+$", "", line) for line in lines if line.strip() and line != "text;label_name"]


def measure(*files: str) -> dict:
    os.environ["OMP_NUM_THREADS"] = "1"
    texts = read_texts(list(files)) or sentences(20_000)
    result: dict = {"texts": len(texts), "distinct": len(set(texts))}
    for name in ("gender", "race", "replacement"):
        changed, alone = measured(name, texts, 1)
        result[name] = {"changed": changed, "per_minute": alone, "per_minute_in_two": measured(name, texts, 2)[1]}
    return result
