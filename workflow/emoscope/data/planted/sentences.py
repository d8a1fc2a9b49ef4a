"""Tweet-like sentences: what each is to express, and its text, grown from the rules of a small grammar.

A sentence grows from the `keyword`, `negation`, `contrast`, `ambiguous` or `encounter` rule. Rows differ in the words
that fill the symbols for feeling, gender and race; all else is drawn alike for every class.
"""

import re

import numpy as np
import pandas as pd

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.grammar import FEMALE, GRAMMAR, MALE, Span, expand, marked, pick, unmarked

SADNESS, JOY, ANGER = (EMOTIONS.index(name) for name in ("sadness", "joy", "anger"))

# Class counts of the 416,809 tweets in the paper; they set the shares of the true classes, before label noise.
PAPER_COUNTS = np.array([121187, 141067, 34554, 57317, 47712, 14972])
CLASS_SHARES = PAPER_COUNTS / PAPER_COUNTS.sum()

# Even the best classifier errs on (1 - gender effect) / 2 of the ambiguous sentences. What counts is the product with
# their own share: half a point of accuracy at the default effect of 0.8.
KIND_SHARES = {"keyword": 0.75, "negation": 0.08, "contrast": 0.12, "ambiguous": 0.05}
RACE_SHARE = 0.05
ENCOUNTER_SHARE = 0.05  # of sentences of which race may decide the class, where they are wanted; keywords make room

# The class of a negated feeling: which classes it is taken from.
NEGATED = {"sadness": ("joy", "love"), "joy": ("sadness", "fear")}

_A_BEFORE_VOWEL = re.compile(r"\ba (?=(?:<\w+:)?[aeiou])")
# What words are to a sentence, by the symbol that they fill. Those of PAST name a feeling that no longer holds.
EMOTION, PAST, GENDER, RACE = "emotion", "past", "gender", "race"
_FEELINGS = dict.fromkeys(("state", "state_too", "quality", "quality_too"), EMOTION)
_FEELINGS |= dict.fromkeys(("past", "past_quality"), PAST)
# In sentences without an emotion word, what decides instead; in all others these words tell nothing.
_DECIDING = {"ambiguous": dict.fromkeys(MALE, GENDER), "encounter": {"race": RACE}}


def draw_plan(count: int, encounters: bool, rng: np.random.Generator) -> pd.DataFrame:
    """What each of `count` different sentences is to express: kind, emotion, female, and the words for race in it."""
    half = np.eye(len(EMOTIONS)) / 2
    emotions = {"negation": half[SADNESS] + half[JOY], "ambiguous": half[SADNESS] + half[ANGER]}
    portions = KIND_SHARES
    if encounters:
        emotions["encounter"] = half[SADNESS] + half[JOY]
        portions = {
            **KIND_SHARES,
            "keyword": KIND_SHARES["keyword"] - ENCOUNTER_SHARE,
            "encounter": ENCOUNTER_SHARE,
        }
    # the other two kinds fill every class up to its share
    rest = CLASS_SHARES - sum(portions[kind] * shares for kind, shares in emotions.items())
    emotions |= dict.fromkeys(("keyword", "contrast"), rest / rest.sum())
    kinds = rng.choice(list(portions), count, p=list(portions.values()))
    emotion = np.zeros(count, dtype=int)
    for kind, shares in emotions.items():
        emotion[kinds == kind] = rng.choice(len(EMOTIONS), (kinds == kind).sum(), p=shares)
    female, named = rng.random(count) < 0.5, rng.random(count) < RACE_SHARE
    race = pd.Series([GRAMMAR["race"]] * count)
    if encounters:  # a text names one race only, which is known
        named |= kinds == "encounter"
        race = pd.Series([("white",), ("black",)])[rng.integers(2, size=count)].reset_index(drop=True)
    race = race.where(named, pd.Series([()] * count))
    return pd.DataFrame({"kind": kinds, "emotion": emotion, "female": female, "race": race})


def write_texts(plan: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[Span]]:
    """One text for each row of the plan, no two alike, and its marked words."""
    texts: dict[str, list[Span]] = {}
    for row in plan.itertuples(index=False):
        text, spans = _sentence(*row, rng)
        while text in texts:
            text, spans = _sentence(*row, rng)
        texts[text] = spans
    return texts


def _sentence(
    kind: str, emotion: int, female: bool, race: tuple[str, ...], rng: np.random.Generator
) -> tuple[str, list[Span]]:
    """One text of the given kind whose words lead to the class `emotion` (which ambiguous texts and encounters do not
    use), and what they are to it; `race` are the words that its tail may name."""
    name = EMOTIONS[emotion]
    spoken = pick(NEGATED[name], rng) if kind == "negation" else name
    others = np.where(np.arange(len(EMOTIONS)) == emotion, 0, CLASS_SHARES).cumsum()
    past = EMOTIONS[others.searchsorted(rng.random() * others[-1], side="right")]
    words = {"past": GRAMMAR[f"state_{past}"], "past_quality": GRAMMAR[f"quality_{past}"]}
    for slot in ("state", "quality"):
        options = GRAMMAR[f"{slot}_{spoken}"]
        word = pick(options, rng)
        words |= {slot: (word,), f"{slot}_too": [other for other in options if other != word]}
    rules = GRAMMAR | (FEMALE if female else MALE) | words | {"race": race}
    roles = _FEELINGS | _DECIDING.get(kind, {})
    rules |= {symbol: marked(rules[symbol], role) for symbol, role in roles.items()}
    tail = "and {encounter}" if race else "{tail}"
    text = expand(f"{{lead}} {{{kind}}} {tail}", rules, rng)
    return unmarked(_A_BEFORE_VOWEL.sub("an ", " ".join(text.split())))
