"""What a run finds of the synonyms that were planted to mean another class, and of the others, which mean the same."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emoscope.data.planted.truth import MISLEADING_SYNONYMS
from emoscope.perturbation.single_words import VISIBLE
from emoscope.statistics.rates import wilson_interval
from emoscope.verdicts.ground_truth.planted_effect import PlantedEffect


def synonym_effects(truth: dict, summary: pd.DataFrame, margin: float, alpha: float) -> Iterator[PlantedEffect]:
    """Every misleading synonym is flagged (a share of its texts), of the other words none (a share of those of which it
    can be told).

    A word that does no more than neutral ones is missed only if the planted share would have been found, smaller than
    VISIBLE or larger. That no other word is flagged
    is found only if each is shown to change less than the margin, or if VISIBLE would have been found of it.
    """
    words = summary[(summary["origin"] == "word") & (summary["measure"] == "changed")].set_index("term")
    share = truth["effects"]["misleading_synonyms"]["size"]
    for word, (synonym, name) in MISLEADING_SYNONYMS.items():
        sentence = f"{word.capitalize()} changes to {synonym}, which means {name}: every prediction changes."
        planted = "synonyms", word, sentence, share
        if word not in words.index:
            yield PlantedEffect(*planted, np.nan, np.nan, np.nan, 0, "cannot tell", "no text has the word")
            continue
        row = words.loc[word]
        beyond = row["p_adjusted"] <= alpha  # then its own texts leave it open, or they show that it is no more
        missed = row["detectable"] <= share and (row["verdict"] == "not flagged" or not beyond)
        verdict = "found" if row["verdict"] == "flagged" else "missed" if missed else "cannot tell"
        yield PlantedEffect(*planted, row["value"], row["low"], row["high"], int(row["texts"]), verdict)
    plain = words.drop(index=list(MISLEADING_SYNONYMS), errors="ignore")
    flagged, told = plain.index[plain["verdict"] == "flagged"], plain[plain["verdict"] != "cannot tell"]
    shown = (plain["verdict"] == "not flagged") & ((plain["detectable"] <= VISIBLE) | (plain["high"] < margin))
    low, high = wilson_interval(len(flagged), len(told), alpha)
    value = len(flagged) / len(told) if len(told) else np.nan
    sentence = "The other synonyms mean what the words mean that they replace: no word is flagged."
    verdict = "missed" if len(flagged) else "found" if len(plain) and shown.all() else "cannot tell"
    note = f"of {len(plain)} words" + (f", flagged: {', '.join(flagged)}" if len(flagged) else "")
    note += f"; of {shown.sum()}, a change of {100 * VISIBLE:.0f} % of their predictions would have been seen"
    texts = int(plain["texts"].sum())
    yield PlantedEffect("synonyms", "other words", sentence, 0, value, low, high, texts, verdict, note)
