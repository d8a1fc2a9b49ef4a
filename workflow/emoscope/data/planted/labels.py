"""Which class a sentence has: what its words say, the gaps planted between groups of people, shortcuts, label noise."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.sentences import SADNESS
from emoscope.data.planted.shortcuts import SHORTCUTS


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


class Labels(NamedTuple):
    """For each row its `label`, whether that is a wrong one (`noisy`), and P of the likelier true class (`best`)."""

    label: np.ndarray
    noisy: np.ndarray
    best: np.ndarray


def draw_labels(plan: pd.DataFrame, sizes: Mapping[str, float], label_noise: float, rng: np.random.Generator) -> Labels:
    """The label of each row of the plan, with gaps of these `sizes`, by axis, and a share of wrong ones.

    A repeated text draws its label anew, so that duplicates can conflict as they do among real tweets.
    """
    first = {"gender": ~plan["female"], "race": plan["race"].map(lambda race: race == ("white",))}
    drawn, best = rng.random(len(plan)), np.ones(len(plan))
    true = plan["emotion"].to_numpy()
    for axis, gap in GAPS.items():
        there = plan["kind"] == gap.kind
        chance = np.where(first[axis], 1 + sizes[axis], 1 - sizes[axis]) / 2
        true = np.where(there, np.where(drawn < chance, EMOTIONS.index(gap.emotion), SADNESS), true)
        best[there] = (1 + sizes[axis]) / 2
    for word, name in SHORTCUTS.items():
        true = np.where(plan["shortcut"] == word, EMOTIONS.index(name), true)
    noisy = rng.random(len(plan)) < label_noise
    others = rng.integers(1, len(EMOTIONS), size=len(plan))
    return Labels(np.where(noisy, (true + others) % len(EMOTIONS), true), noisy, best)
