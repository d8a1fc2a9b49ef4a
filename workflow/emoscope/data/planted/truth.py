"""The ground truth beside the generated corpus: what was planted, how much of it, and in which rows."""

import numpy as np
import pandas as pd

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.sentences import CLASS_SHARES, ENCOUNTER_SHARE, KIND_SHARES, RACE_SHARE
from emoscope.data.planted.shortcuts import SHORTCUT, SHORTCUTS

# Words whose synonym in the paper's table 3 belongs to another class here, and that class.
MISLEADING_SYNONYMS = {"overwhelmed": ("swamped", "sadness"), "surprised": ("startled", "fear")}


def ceiling(best: np.ndarray, label_noise: float) -> float:
    """The exact Bayes accuracy, where `best` is each row's probability of the likelier true class, before noise."""
    return float((best * (1 - label_noise) + (1 - best) * label_noise / (len(EMOTIONS) - 1)).mean())


def rows_by_kind(plan: pd.DataFrame, noisy: np.ndarray, encounters: bool, shortcuts: bool) -> dict[str, list[int]]:
    """The rows of each special kind; encounters and shortcuts are kinds where they are planted."""
    kinds = ["negation", "contrast", "ambiguous"] + ["encounter"] * encounters
    masks = {kind: plan["kind"] == kind for kind in kinds}
    masks |= {"race": plan["race"].str.len() > 0, "noisy": noisy, "duplicate": plan["text"].duplicated()}
    masks |= {SHORTCUT: plan["shortcut"] != ""} if shortcuts else {}
    return {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()}


def effects_of(
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
