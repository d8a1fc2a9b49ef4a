"""Texts for planned circuits, and pairs that differ in one word that matters; for benchmarks and tests alone."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emoscope.models.planted.circuit import CLASSES, GENDER, OPPOSITE, POOLED

POOLED_MARK = "[CLS]"
VOCABULARY = {
    "sadness": ("sad", "gloomy", "lonely", "miserable"),
    "joy": ("happy", "cheerful", "glad", "delighted"),
    "anger": ("angry", "furious", "annoyed", "bitter"),
    "negator": ("not", "never"),
    "man": ("he", "brother", "uncle"),
    "woman": ("she", "sister", "aunt"),
}
FILLERS = (
    *("today", "we", "saw", "the", "lake", "and", "a", "boat", "near", "our", "house", "then", "it", "was", "late"),
    *("so", "they", "walked", "home"),
)
KIND_OF = {word: kind for kind, words in VOCABULARY.items() for word in words} | {POOLED_MARK: POOLED}
WORDS = ("[PAD]", "[UNK]", POOLED_MARK, *(word for words in VOCABULARY.values() for word in words), *FILLERS)
CHANGES = ("keyword", "negator", "gender")
REMOVED = "keyword removed"  # what remains is decided by gender


def answer(words: Sequence[str]) -> str | None:
    """The class of a text by the rules of the task; None if nothing in it decides."""
    kinds = {KIND_OF.get(word) for word in words}
    for name in CLASSES:
        if name in kinds:
            return OPPOSITE[name] if "negator" in kinds else name
    return next((name for kind, name in GENDER.items() if kind in kinds), None)


def sentences(count: int, seed: int) -> pd.DataFrame:
    """`text, label`: a third without a keyword; of the others, half with a negator and half with a person."""
    rng = np.random.default_rng(seed)
    texts = [_sentence(rng, keyword=number % 3 > 0) for number in range(count)]
    return pd.DataFrame({"text": map(" ".join, texts), "label": [CLASSES.index(answer(text)) for text in texts]})


def pairs(count: int, seed: int, changes: Sequence[str] = CHANGES) -> pd.DataFrame:
    """`change, text, changed`: as many tokens in both; one word is of another kind, and with it the answer. The kinds
    of change take turns; where a word is taken out, it stands in `text`."""
    rng = np.random.default_rng(seed)
    rows = []
    while len(rows) < count:
        change = changes[len(rows) % len(changes)]
        text = _sentence(rng, keyword=change != "gender")
        changed = _changed(rng, text, change)
        if changed and answer(changed) not in (None, answer(text)):
            rows.append((change, " ".join(text), " ".join(changed)))
    return pd.DataFrame(rows, columns=["change", "text", "changed"])


def _sentence(rng: np.random.Generator, keyword: bool) -> list[str]:
    words = [str(word) for word in rng.choice(FILLERS, size=int(rng.integers(4, 9)))]
    added = []
    if keyword:
        added.append(_word(rng, str(rng.choice(CLASSES))))
        added += [_word(rng, "negator")] if rng.random() < 0.5 else []
    if not keyword or rng.random() < 0.5:
        added.append(_word(rng, str(rng.choice(list(GENDER)))))
    for word in added:
        words.insert(int(rng.integers(len(words) + 1)), word)
    return words


def _changed(rng: np.random.Generator, text: list[str], change: str) -> list[str] | None:
    """The text with one word of that kind exchanged, for one of another kind or for one that means nothing."""
    kinds = {"negator": ("negator",), "gender": tuple(GENDER)}.get(change, CLASSES)
    places = [place for place, word in enumerate(text) if KIND_OF.get(word) in kinds]
    if not places:
        return None
    others = [kind for kind in kinds if kind != KIND_OF[text[places[0]]]]
    exchanged = change in ("keyword", "gender")
    new = _word(rng, str(rng.choice(others))) if exchanged else str(rng.choice(FILLERS))
    return [*text[: places[0]], new, *text[places[0] + 1 :]]


def _word(rng: np.random.Generator, kind: str) -> str:
    return str(rng.choice(VOCABULARY[kind]))
