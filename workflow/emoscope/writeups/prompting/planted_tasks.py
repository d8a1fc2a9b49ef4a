"""Generated texts with several emotions at once and the sentiment that follows from them: two tasks, answers known.

A text is one to three clauses in the words of the planted corpus. Each clause names an emotion, denies one, or says
nothing. Every named emotion is a label; the sentiment is good where more joy and love than sadness, anger and fear are
named, and bad where fewer are. What the two tasks have in common is therefore known for every text.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.grammar import FEMALE, GRAMMAR, MALE, expand

SENTIMENTS = ("bad", "good")
VALENCE = {"sadness": -1, "joy": 1, "love": 1, "anger": -1, "fear": -1, "surprise": 0}
EMOTION_SHARES = np.array([0.2, 0.2, 0.2, 0.15, 0.15, 0.1])  # of the first emotion that a text names
EMOTION_COUNTS = np.array([0.1, 0.45, 0.45])  # shares of texts that name none, one and two emotions
SAME_SIDE = 0.75  # chance that a second emotion shares the first one's valence, where it has one
DENIED = 0.2  # chance that a text also says that somebody does not feel something
PLAIN = 0.3  # chance that a text that names an emotion also says something without any

NAMED = (
    "i feel {state} {when}",
    "im so {state} {place}",
    "i am {state} and it is {quality}",
    "it was {quality} to {activity}",
    "{occasion} was really {quality}",
    "{he} made me feel {state}",
    "my {kin} is {state} {when}",
)
DENYING = ("i dont feel {state} at all", "i never feel {state} {place}", "{he} was not {state}")
JOINS = (" and ", " but ", " while ")


class Planted(NamedTuple):
    """Which emotions a text names, bool (emotions,), and the balance of good over bad ones among them."""

    text: str
    emotions: np.ndarray
    balance: int


def generate_task(task: str, rows: int, seed: int) -> pd.DataFrame:
    """Make `rows` distinct texts; columns `text`, a 0/1 column for each emotion, and `good`: 0, 1, where balanced 0.5.

    The texts of the task `sentiment` are all good or bad, each drawn with the same chance; those of `emotion` are
    drawn as they come. Same arguments, same texts.
    """
    rng = np.random.default_rng([seed, len(task)])
    found: dict[str, Planted] = {}
    while len(found) < rows:
        wanted = rng.choice([-1, 1]) if task == "sentiment" else None
        planted = _write(rng)
        while wanted is not None and np.sign(planted.balance) != wanted:
            planted = _write(rng)
        found.setdefault(planted.text, planted)
    emotions = np.array([planted.emotions for planted in found.values()])
    balance = np.array([planted.balance for planted in found.values()])
    return pd.DataFrame({
        "text": list(found),
        **{name: emotions[:, number].astype("int8") for number, name in enumerate(EMOTIONS)},
        "good": (np.sign(balance) + 1) / 2,
    })  # fmt: skip


def _write(rng: np.random.Generator) -> Planted:
    """One text, and what it names."""
    gender = FEMALE if rng.random() < 0.5 else MALE
    named = _emotions(rng)
    clauses = [_clause(rng.choice(NAMED), emotion, gender, rng) for emotion in named]
    if rng.random() < DENIED:
        clauses.append(_clause(rng.choice(DENYING), rng.choice(EMOTIONS), gender, rng))
    if not clauses or rng.random() < PLAIN:
        clauses.append(expand("{filler}", GRAMMAR | gender, rng))
    order = rng.permutation(len(clauses))
    text = clauses[order[0]] + "".join(rng.choice(JOINS) + clauses[number] for number in order[1:])
    return Planted(text, np.isin(EMOTIONS, named), sum(VALENCE[name] for name in named))


def _emotions(rng: np.random.Generator) -> list[str]:
    """The different emotions that one text names."""
    count = rng.choice(len(EMOTION_COUNTS), p=EMOTION_COUNTS)
    named: list[str] = []
    while len(named) < count:
        name = str(rng.choice(EMOTIONS, p=EMOTION_SHARES))
        opposed = bool(named) and VALENCE[name] * VALENCE[named[0]] < 0
        if name not in named and (not opposed or rng.random() > SAME_SIDE):
            named.append(name)
    return named


def _clause(template: str, emotion: str, gender: dict, rng: np.random.Generator) -> str:
    words = {slot: GRAMMAR[f"{slot}_{emotion}"] for slot in ("state", "quality")}
    return expand(template, GRAMMAR | gender | words, rng)
