"""Flips of texts in which gender decides, for tests of probes and erasure."""

import pandas as pd

from emoscope.models.planted.circuit import GENDER
from emoscope.models.planted.texts import KIND_OF, pairs
from planted_model import exchanged

CONFIG = {"learned": 96, "judged": 700, "controls": 2, "depths": 5, "random": 2, "doses": [-1, 1], "seed": 1}


def flips(count: int, seed: int, origin: str = "natural") -> pd.DataFrame:
    """As a perturbation set has them."""
    rows = []
    for number, row in enumerate(pairs(count, seed, ["gender"]).itertuples()):
        word, spans = exchanged(row.text, row.changed)
        direction = "male to female" if KIND_OF[word] == "man" else "female to male"
        rows.append((number, "gender", origin, "", row.text, row.changed, -1, spans, 1, [], direction, row.text))
    columns = ["id", "axis", "origin", "term", "text", "perturbed", "label", "spans", "n_changed", "flags"]
    return pd.DataFrame(rows, columns=[*columns, "direction", "cluster"])


def swaps_of(flipped: pd.DataFrame) -> pd.DataFrame:
    """The texts of flips with a word exchanged that means nothing, where they have one."""
    swapped = flipped["text"].str.replace(r"\b(?:the|today|lake|home)\b", "boat", regex=True)
    return flipped.assign(perturbed=swapped, origin="natural control")[flipped["text"] != swapped]


def mentions(texts: pd.Series) -> pd.DataFrame:
    """Texts that name somebody, as pairs that nothing is measured on."""
    named = texts[texts.str.split().map(lambda words: any(KIND_OF.get(word) in GENDER for word in words))]
    rows = pd.concat([flips(1, 1)] * len(named), ignore_index=True)
    return rows.assign(text=named.to_numpy(), cluster=named.to_numpy(), flags=[["uncertain"]] * len(named))
