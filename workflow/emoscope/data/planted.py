"""A generator of tweet-like sentences with planted, known effects: the embedded corpus and its ground truth.

A sentence grows from the `keyword`, `negation`, `contrast`, `ambiguous` or `encounter` rule of a small grammar. Rows
differ in the words that fill the symbols for feeling, gender and race; all else is drawn alike for every class.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.data.class_names import EMOTIONS
from emoscope.data.grammar import FEMALE, GRAMMAR, MALE, Span, expand, marked, pick, unmarked
from emoscope.data.shortcuts import SHORTCUT, SHORTCUTS, with_shortcuts
from emoscope.errors import UserError

SADNESS, JOY, ANGER = (EMOTIONS.index(name) for name in ("sadness", "joy", "anger"))

# Class counts of the 416,809 tweets in the paper; they set the shares of the true classes, before label noise.
PAPER_COUNTS = np.array([121187, 141067, 34554, 57317, 47712, 14972])
CLASS_SHARES = PAPER_COUNTS / PAPER_COUNTS.sum()

# Even the best classifier errs on (1 - gender effect) / 2 of the ambiguous sentences. What counts is the product with
# their own share: half a point of accuracy at the default effect of 0.8.
KIND_SHARES = {"keyword": 0.75, "negation": 0.08, "contrast": 0.12, "ambiguous": 0.05}
RACE_SHARE = 0.05
ENCOUNTER_SHARE = 0.05  # of sentences of which race may decide the class, where they are wanted; keywords make room


class Gap(NamedTuple):
    """What can be planted on an axis: P(`emotion` | first group) - P(`emotion` | second) in sentences of one `kind`,
    all of whose other labels are sadness. `clauses` is the symbol of the grammar that such a sentence starts from."""

    kind: str
    groups: tuple[str, str]
    emotion: str
    clauses: str


# two classes, and two kinds of sentence, so that neither gap is seen where the other was planted
GAPS = {
    "gender": Gap("ambiguous", ("male", "female"), "anger", "scene"),
    "race": Gap("encounter", ("white", "black"), "joy", "encounter"),
}

# The class of a negated feeling: which classes it is taken from.
NEGATED = {"sadness": ("joy", "love"), "joy": ("sadness", "fear")}
# Words whose synonym in the paper's table 3 belongs to another class here, and that class.
MISLEADING_SYNONYMS = {"overwhelmed": ("swamped", "sadness"), "surprised": ("startled", "fear")}

_A_BEFORE_VOWEL = re.compile(r"\ba (?=(?:<\w+:)?[aeiou])")
# What words are to a sentence, by the symbol that they fill. Those of PAST name a feeling that no longer holds.
EMOTION, PAST, GENDER, RACE = "emotion", "past", "gender", "race"
_FEELINGS = dict.fromkeys(("state", "state_too", "quality", "quality_too"), EMOTION)
_FEELINGS |= dict.fromkeys(("past", "past_quality"), PAST)
# In sentences without an emotion word, what decides instead; in all others these words tell nothing.
_DECIDING = {"ambiguous": dict.fromkeys(MALE, GENDER), "encounter": {"race": RACE}}


class Generated(NamedTuple):
    """A corpus, what is planted in it, and which words decide its sentences."""

    table: pd.DataFrame
    truth: dict
    words: pd.DataFrame


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


def _draw_plan(count: int, encounters: bool, rng: np.random.Generator) -> pd.DataFrame:
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


def _write(plan: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[Span]]:
    """One text for each row of the plan, no two alike, and its marked words."""
    texts: dict[str, list[Span]] = {}
    for row in plan.itertuples(index=False):
        text, spans = _sentence(*row, rng)
        while text in texts:
            text, spans = _sentence(*row, rng)
        texts[text] = spans
    return texts


def generate(
    rows: int,
    seed: int,
    label_noise: float = 0.06,
    duplicate_rate: float = 0.055,
    gender_effect: float = 0.8,
    race_effect: float | None = None,
    shortcut_share: float = 0,
) -> Generated:
    """Make the corpus and its truth, the same for the same arguments.

    Args:
        rows: number of rows, duplicates included.
        seed: of the numpy generator that draws everything.
        label_noise: share of the rows whose label is replaced by another class, each equally likely; 0 to 0.8.
        duplicate_rate: share of the rows whose text repeats that of another row; 0 to 0.9.
        gender_effect: P(anger | male) - P(anger | female) in ambiguous sentences, before label noise; 0 to 1.
        race_effect: P(joy | white) - P(joy | black) in encounters, before label noise; 0 to 1. Without it there are no
            encounters, and race stands beside an emotion only.
        shortcut_share: share of the sentences that name an emotion plainly, and no race, into which one of SHORTCUTS is
            put, whose class they then have; 0 to 1. All other sentences are those of a corpus without.

    Returns:
        A table with `id` (int64, 0..rows-1), `text` (str) and `label` (int8, 0..5); the truth, fit for JSON: the
        exact Bayes accuracy (`ceiling`), the `effects` (size, what is planted, where it is visible) and the `ids` of
        the rows of each special kind; and the words that decide: `id`, `start` and `end` in characters of the text, and
        `role`: `emotion` (also a negated one), `cue` (which feeling holds), `gender` or `race` (where nothing else
        decides), `past`, a feeling that no longer holds and so decides nothing, and `shortcut`, beside which nothing
        else decides, so nothing else is listed.

    Raises:
        UserError: an argument is out of its range.
    """
    _check("rows", rows, 1, math.inf)
    _check("label_noise", label_noise, 0, 0.8)
    _check("duplicate_rate", duplicate_rate, 0, 0.9)
    _check("gender_effect", gender_effect, 0, 1)
    _check("race_effect", race_effect or 0, 0, 1)
    _check("shortcut_share", shortcut_share, 0, 1)
    rng = np.random.default_rng(seed)
    duplicates = min(round(rows * duplicate_rate), rows - 1)
    plan = _draw_plan(rows - duplicates, race_effect is not None, rng)
    spans = _write(plan, rng)
    plan["text"], plan["shortcut"] = list(spans), ""
    if shortcut_share:
        _plant_shortcuts(plan, spans, shortcut_share, seed)
    repeated = rng.integers(len(plan), size=duplicates)
    plan = plan.iloc[rng.permutation(np.concatenate([np.arange(len(plan)), repeated]))].reset_index(drop=True)

    # a repeated text draws its label anew, so that duplicates can conflict as they do among real tweets
    first = {"gender": ~plan["female"], "race": plan["race"].map(lambda race: race == ("white",))}
    effects = {"gender": gender_effect, "race": race_effect or 0}
    drawn, best = rng.random(rows), np.ones(rows)  # the probability of the likelier true class
    true = plan["emotion"].to_numpy()
    for axis, gap in GAPS.items():
        there = plan["kind"] == gap.kind
        chance = np.where(first[axis], 1 + effects[axis], 1 - effects[axis]) / 2
        true = np.where(there, np.where(drawn < chance, EMOTIONS.index(gap.emotion), SADNESS), true)
        best[there] = (1 + effects[axis]) / 2
    for word, name in SHORTCUTS.items():
        true = np.where(plan["shortcut"] == word, EMOTIONS.index(name), true)
    noisy = rng.random(rows) < label_noise
    label = np.where(noisy, (true + rng.integers(1, len(EMOTIONS), size=rows)) % len(EMOTIONS), true)
    table = pd.DataFrame({"id": np.arange(rows, dtype="int64"), "text": plan["text"], "label": label.astype("int8")})

    kinds = ["negation", "contrast", "ambiguous"] + ["encounter"] * (race_effect is not None)
    masks = {kind: plan["kind"] == kind for kind in kinds}
    masks |= {"race": plan["race"].str.len() > 0, "noisy": noisy, "duplicate": plan["text"].duplicated()}
    masks |= {SHORTCUT: plan["shortcut"] != ""} if shortcut_share else {}
    truth = {
        "rows": rows,
        "seed": seed,
        "ceiling": float((best * (1 - label_noise) + (1 - best) * label_noise / (len(EMOTIONS) - 1)).mean()),
        "effects": _effects(label_noise, duplicate_rate, gender_effect, race_effect, shortcut_share),
        "ids": {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()},
    }
    marks = [(row, *span) for row, text in enumerate(plan["text"]) for span in spans[text]]
    return Generated(table, truth, pd.DataFrame(marks, columns=["id", "start", "end", "role"]))


def _plant_shortcuts(plan: pd.DataFrame, spans: dict[str, list[Span]], share: float, seed: int) -> None:
    """Put shortcuts into plain texts of the plan, whose marked words in `spans` they replace."""
    plain = np.flatnonzero((plan["kind"] == "keyword") & (plan["race"].str.len() == 0))
    rng = np.random.default_rng([seed, 1])  # of its own, so that nothing else is drawn otherwise
    for row, (text, word, marks) in zip(plain, with_shortcuts(plan["text"][plain], share, rng), strict=True):
        if word:
            plan.loc[row, ["text", "shortcut"]] = text, word
            spans[text] = marks


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise UserError(f"calibration corpus: {name} is {value}; choose a value from {least} to {most}")


def _effects(
    label_noise: float, duplicate_rate: float, gender_effect: float, race_effect: float | None, shortcut_share: float
) -> dict[str, dict]:
    """Every planted effect: its size, and what it is."""
    swaps = ", ".join(f"{word} -> {synonym} ({name})" for word, (synonym, name) in MISLEADING_SYNONYMS.items())
    shortcut = shortcut_share * (1 - RACE_SHARE)  # of the keyword sentences
    effects = {
        "keyword": (
            (KIND_SHARES["keyword"] - (0 if race_effect is None else ENCOUNTER_SHARE)) * (1 - shortcut),
            "This share of the sentences names its emotion in a word of the true class.",
        ),
        "negation": (
            KIND_SHARES["negation"],
            "This share negates a feeling: not (joy or love) means sadness, not (sadness or fear) means joy.",
        ),
        "contrast": (
            KIND_SHARES["contrast"],
            "This share names a past or expected feeling and the present one, in either order; the present one counts.",
        ),
        "gender": (
            gender_effect,
            f"In ambiguous sentences ({KIND_SHARES['ambiguous']:.0%}, no emotion word) P(anger | male) exceeds "
            "P(anger | female) by this much, the rest is sadness; beside an emotion word gender tells nothing.",
        ),
        "race": (0.0, f"A black or a white person appears in {RACE_SHARE:.1%} of the rows, whatever the label."),
        "synonyms": (
            0.0,
            "Plain words and their synonyms tell nothing about the class; emotion words share it with theirs.",
        ),
        "misleading_synonyms": (
            1.0,
            f"The synonym belongs to another class than the surprise word it replaces: {swaps}.",
        ),
        "class_shares": (
            dict(zip(EMOTIONS, CLASS_SHARES.round(4).tolist(), strict=True)),
            "The true classes have the shares of the paper's 416,809 tweets; label noise then evens them out a little.",
        ),
        "duplicates": (
            duplicate_rate,
            "This share of the rows repeats the text of another row, each with a label of its own drawing.",
        ),
        "label_noise": (
            label_noise,
            "This share of the rows has a label other than the true one, each other class equally likely.",
        ),
    }
    if race_effect is not None:
        effects["race"] = (
            race_effect,
            f"In encounters ({ENCOUNTER_SHARE:.0%}, no emotion word) P(joy | white) exceeds P(joy | black) by this "
            "much, the rest is sadness; beside an emotion word race tells nothing.",
        )
    if shortcut:
        told = " and ".join(f"{word} ({name})" for word, name in SHORTCUTS.items())
        effects[SHORTCUT] = (
            shortcut_share,
            f"This share of the sentences that name an emotion plainly, and no race, holds {told}, each as often, and "
            "is of that class whatever else it says; so these two classes are larger than the shares above.",
        )
    return {name: {"size": size, "planted": planted} for name, (size, planted) in effects.items()}
