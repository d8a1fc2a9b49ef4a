"""Reading tables of scores: which words a method puts first, and which of them were planted."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.data.planted.sentences import PAST
from emoscope.data.planted.shortcuts import SHORTCUT
from emoscope.experiments.words.methods import METHODS, PLANTED, RANDOM, SPECIAL


class Scored(NamedTuple):
    """The words of one text and what methods say of its first class, scores (words,) by name; `planted`, bool (words,),
    are the words that were planted, where that is known; `shortcut`, whether it is a made-up word that decides."""

    id: int
    answer: str
    places: list[tuple[int, int]]
    scores: dict[str, np.ndarray]
    planted: np.ndarray | None
    shortcut: bool = False


def methods_in(scores: pd.DataFrame) -> list[str]:
    """The methods that a table has scores of."""
    return [name for name in METHODS if name in scores]


def first_answers(scores: pd.DataFrame, planted: pd.DataFrame | None, seed: int) -> Iterator[Scored]:
    """Text by text, the scores of the class that is explained first, without special tokens; beside them those of a
    random order, of either sign, and, if there is a table of `planted` words, those of an order that has these first.
    Texts without words are passed over."""
    rng = np.random.default_rng(seed)
    names, known = methods_in(scores), None if planted is None else dict(iter(planted.groupby("id")))
    for number, rows in scores[scores["word"] != SPECIAL].groupby("id", sort=False):
        own = rows[rows["class"] == rows["class"].iloc[0]]
        places = list(zip(own["start"], own["end"], strict=True))
        found = {name: own[name].to_numpy(dtype=float) for name in names} | {RANDOM: rng.standard_normal(len(own))}
        marked, shortcut = None, False
        if known is not None:
            marked = planted_words(places, known.get(number))
            found[PLANTED] = marked.astype(float)
            shortcut = number in known and bool((known[number]["role"] == SHORTCUT).any())
        yield Scored(number, own["class"].iloc[0], places, found, marked, shortcut)


def planted_words(places: Sequence[tuple[int, int]], planted: pd.DataFrame | None) -> np.ndarray:
    """Which words, by their places in the text, decide it: bool (words,). A feeling that no longer holds does not."""
    starts, ends = np.array(places).reshape(-1, 2).T
    marked = np.zeros(len(starts), dtype=bool)
    if planted is not None:
        for row in planted[planted["role"] != PAST].itertuples():
            marked |= (starts < row.end) & (ends > row.start)
    return marked


def ranked(scores: np.ndarray) -> np.ndarray:
    """The numbers of the words, the one that speaks most for the class first."""
    return np.argsort(-scores, kind="stable")
