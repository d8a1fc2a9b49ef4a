"""What chance taught a classifier where nothing was planted: its training labels tell groups apart by a little."""

import numpy as np
import pandas as pd

from emoscope.data.planted.grammar import FEMALE, MALE

NAMES = {  # by group, the words of the grammar that name it
    "male": [word for words in MALE.values() for word in words],
    "female": [word for words in FEMALE.values() for word in words],
    "white": ["white"],
    "black": ["black"],
}


def taught_by_chance(taught: pd.DataFrame, groups: tuple[str, str], classes: int) -> tuple[np.ndarray, str]:
    """Standard error, float (classes,), of the gap between two groups that chance put into the labels of the `taught`
    sentences (`text`, `label`), and what to say of it, with `axis` and `by_chance` to fill in.

    From those that name a group a perfect learner takes a share of variance p(1 - p) / n. Of a group that none names
    nothing is known of chance, so it leaves no room.
    """
    own = {
        name: taught.loc[taught["text"].str.contains(rf"\b(?:{'|'.join(NAMES[name])})\b"), "label"] for name in groups
    }
    variances = np.zeros(classes)
    for labels in filter(len, own.values()):
        share = labels.value_counts(normalize=True).reindex(range(classes), fill_value=0).to_numpy()
        variances += share * (1 - share) / len(labels)
    named = sum(map(len, own.values()))
    note = f"by chance, labels of {named:,} training texts that name a {{axis}} may teach a gap of {{by_chance:.2f}}"
    if unnamed := " or ".join(name for name, labels in own.items() if labels.empty):
        note += f". No training text names {unnamed}: what chance taught there is not known, and not in that number"
    return np.sqrt(variances), note
