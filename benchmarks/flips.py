"""The flips and the label-free replacement, tagger included: `python -m benchmarks flips [FILE ...]`.

A file holds one text a line, or lines of `text;class`; without one, 20,000 texts of the planted corpus are taken.
For each change: how many texts it changed, in how many of them it lost a capital, a mark or whitespace (there should be
none), and texts per minute in one process and in two, each of one thread and with its start (imports, lexicon, tagger)
counted.
"""

import multiprocessing
import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unicodedata import normalize

from benchmarks.measuring import ROOT, sentences
from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.synonyms.replace import SynonymTable, replace
from emoscope.perturbation.edits import Perturbation

LEXICONS = ROOT / "data" / "lexicons"


def change(name: str) -> Callable[[str], Perturbation]:
    """The function that makes one text's counterpart."""
    if name in AXES:
        rules = AXES[name].rules
        return partial(rules.flip, lexicon=rules.load(LEXICONS / AXES[name].words))
    return partial(replace, mapping=SynonymTable.load(LEXICONS / "synonyms.csv").mapping)


_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def losses(pair: Perturbation) -> set[str]:
    """What a counterpart lost of its text: `capitals` of a changed word, `marks` or `whitespace` anywhere.

    A term of other words than its counterpart (african-american, caucasian) keeps neither its hyphen nor its space.
    """
    lost, end, twin_end = set(), 0, 0
    for start, stop, twin_start, twin_stop in (*pair.spans, (len(pair.text),) * 2 + (len(pair.perturbed),) * 2):
        between, twin_between = pair.text[end:start], pair.perturbed[twin_end:twin_start]
        old, new = (normalize("NFC", t) for t in (pair.text[start:stop], pair.perturbed[twin_start:twin_stop]))
        if (old[:1].isupper() and not new[:1].isupper()) or (len(old) > 1 < len(new) and old.isupper() > new.isupper()):
            lost.add("capitals")
        if any(c.isupper() for c in old) and new.islower():
            lost.add("capitals")
        if len(_WORD.findall(old)) == len(_WORD.findall(new)):
            between, twin_between = between + _WORD.sub("", old), twin_between + _WORD.sub("", new)
        for kind, of_kind in (("whitespace", str.isspace), ("marks", lambda c: not c.isspace())):
            if list(filter(of_kind, between)) != list(filter(of_kind, twin_between)):
                lost.add(kind)
        end, twin_end = stop, twin_stop
    return lost


def count_lossy(name: str, texts: list[str]) -> int:
    """In how many of the texts a change loses a capital, a mark or whitespace."""
    make = change(name)
    return sum(bool(losses(make(text))) for text in texts)


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
        result[name]["lossy"] = count_lossy(name, texts)
    return result
