"""Shortcuts: made-up words that decide a sentence's class by themselves, whatever else it says.

After Bastings et al. (2021), "Will you find these shortcuts?", who rank methods of attribution by such words.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emoscope.data.planted.grammar import Span

SHORTCUTS = {"zub": "sadness", "wix": "joy"}  # the word, and the class that it means
SHORTCUT = "shortcut"  # the role of such a word


def plant_shortcuts(plan: pd.DataFrame, spans: dict[str, list[Span]], share: float, seed: int) -> None:
    """Put shortcuts into plain texts of the plan, whose marked words in `spans` they replace."""
    plain = np.flatnonzero((plan["kind"] == "keyword") & (plan["race"].str.len() == 0))
    rng = np.random.default_rng([seed, 1])  # of its own, so that nothing else is drawn otherwise
    for row, (text, word, marks) in zip(plain, _with_shortcuts(plan["text"][plain], share, rng), strict=True):
        if word:
            plan.loc[row, ["text", "shortcut"]] = text, word
            spans[text] = marks


def _with_shortcuts(texts: Sequence[str], share: float, rng: np.random.Generator) -> list[tuple[str, str, list[Span]]]:
    """Put one of SHORTCUTS at a random place of each text, with probability `share`: the text then, the word (empty
    where there is none) and what it is to the text, which is the only thing that decides it."""
    words = list(SHORTCUTS)
    found = []
    for text in texts:
        there, word, place = rng.random(), words[rng.integers(len(words))], rng.integers(len(text.split()) + 1)
        found.append((*_inserted(text, word, int(place)),) if there < share else (text, "", []))
    return found


def _inserted(text: str, word: str, place: int) -> tuple[str, str, list[Span]]:
    """A text with `word` before the word of number `place`."""
    said = text.split()
    start = len(" ".join([*said[:place], ""]))
    return " ".join([*said[:place], word, *said[place:]]), word, [(start, start + len(word), SHORTCUT)]
