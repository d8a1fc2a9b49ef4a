"""The verdicts of probing: whether a concept is shown to be readable, and whether what can be read of it is used."""

from collections.abc import Mapping

import numpy as np

from emoscope.experiments.probing.names import LAST, LEAST, NOTHING, POOLED, RANDOM, SENTENCES
from emoscope.reporting.findings import in_findings
from emoscope.reporting.passages import Findings

READ, TYPES, UNREAD = "can be read", "is not shown to be read better than control labels", "is not shown to be readable"
WORDS = "is not shown to be read better than by a bag of words"
UNCONTROLLED = "is read more often than by chance"
USED = "what can be read of it is used: erased, the answers come together"
SLIGHT = "what can be read of it is used by less than counts: erased, the answers come together by less than the margin"
COMMON = (
    "what can be read of it is not shown to be used more than any word is: erased, the answers come together, but "
    "flips are not shown to move them further than neutral swaps"
)
UNUSED = (
    "what can be read of it is not used: erased, the answers to a text and its flip move, and come together, by less "
    "than the margin in the mean"
)
UNSETTLED = "whether what can be read of it is used is not settled"
COSTLY = (
    "with it erased the answers come together, but accuracy is not shown to stay, so whether it is used is not settled"
)
UNASKED = "so nothing is said of its use"
LEFT = 0.1  # share of the texts: what a fresh probe may be right in beyond the most frequent value if nothing is left


def readable(row: Mapping) -> str:
    """Whether a concept is read more often than its most frequent value is right in the same texts, better than the
    best-read control labels, and, if texts say it as wholes, better than by a bag of words."""
    if not row["over_majority_low"] > 0:
        return UNREAD
    if np.isnan(row["selectivity_low"]):
        return UNCONTROLLED
    if not row["selectivity_low"] > 0:
        return TYPES
    return WORDS if row["concept"] in SENTENCES and not row["over_words_low"] > 0 else READ


def verdict(axis: str, readability: str, level: float, found: Findings, alpha: float) -> str:
    """Whether a concept that can be read is used.

    It is if erasing it from the embeddings, where it is not yet an answer, brings the answers to twins together, more
    than nothing and more than random directions do, by the intervals, and the accuracy on texts that name no group is
    shown to stay within the margin: a broken model answers alike, too. Where a text and its twin differ in little else,
    erasing what differs makes them one text in any model, whatever the words: so flips have to be shown to move the
    answers further than neutral swaps of the same texts, too, else it is not shown to be used more than any word is. If
    that they come together by less than the margin is shown, it is used by less than counts, whatever swaps do. It is
    not used if, erased at every depth so that a fresh
    probe is shown to read it less, and within LEFT of its level, the answers are shown to come together by less than
    the margin, and to move by less than the margin themselves; where one of the two is shown and the other contradicts
    it, nothing is settled.
    """
    least = in_findings(LEAST)
    if readability == UNREAD:
        return UNASKED
    unused = _unused(axis, level, found, alpha)
    nearer = [found[f"{axis}.embeddings.nearer.{least}.{in_findings(other)}"] for other in (NOTHING, RANDOM)]
    if not all(effect["low"] > 0 for effect in nearer):
        return UNUSED if unused else UNSETTLED
    lost = found.get(f"{axis}.embeddings.accuracy_lost.{least}")
    if lost is None or not lost["within"] <= alpha:
        return COSTLY
    if nearer[0]["within"] <= alpha:
        return SLIGHT
    beyond = found.get(f"{axis}.beyond_neutral")
    if beyond is None or not beyond["low"] > 0:
        return UNSETTLED if unused else COMMON
    return UNSETTLED if unused else USED


def _unused(axis: str, level: float, found: Findings, alpha: float) -> bool:
    """Whether erasing at every depth is shown to leave the answers as they are, and nothing of the group."""
    least = in_findings(LEAST)
    both = f"nearer.{least}.{NOTHING}", f"answers_moved.{least}"
    stay = all(found[f"{axis}.{name}"]["within"] <= alpha for name in both)
    read = f"{in_findings(f'{POOLED}, {LAST}')}.{least}"
    gone = found[f"{axis}.change.{read}"]["high"] < 0 and found[f"{axis}.{read}"]["high"] <= level + LEFT
    return stay and gone
