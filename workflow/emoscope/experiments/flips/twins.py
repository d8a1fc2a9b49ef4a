"""Counterfactual twins of a text: the same words with the gender, or the race, of the people in it exchanged.

A flip changes all places at once, so no word is flipped twice, and flipping the twin gives the text back; where it does
not, the pair carries the flag `irreversible`. Other flags: `uncertain` (a place could be read in two ways: leave the
pair out), `half-flipped` (a word of either group that has no counterpart stays: leave it out), `gender-locked` (a word
such as "pregnant" does not fit the twin: leave it out of an invariance rate), `name` (a given name, never flipped,
still tells the gender).
"""

import re
from collections.abc import Callable

from emoscope.perturbation.edits import APOSTROPHES, Edit, Perturbation, Token, match_case, perturb
from emoscope.perturbation.english.sentences import Sentence
from emoscope.perturbation.english.word_classes import SUBJECTS

LONGEST = 12  # words before a noun that are looked through for its determiner


def twin(text: str, edits_of: Callable[[str], tuple[list[Edit], set[str]]]) -> Perturbation:
    """The twin of a text, flagged if the same rules do not lead back."""
    edits, flags = edits_of(text)
    pair = perturb(text, edits, flags)
    if pair.n_changed and perturb(pair.perturbed, edits_of(pair.perturbed)[0]).perturbed != text:
        return perturb(text, edits, flags | {"irreversible"})
    return pair


def edited(text: str, first: Token, last: Token, counterpart: str) -> Edit:
    """The counterpart in the shape of the text: its capitals, what stands between its words, its genitive."""
    end = last.end
    if "'" in counterpart:  # the genitive or verb stays as it is
        end = first.start + re.search(f"[{APOSTROPHES}]", text[first.start : end]).start()
        counterpart = counterpart.partition("'")[0]
    between, new = text[first.end : last.start], counterpart.split()
    if len(new) == 2 and first is not last:
        counterpart = between.join(new)
    return first.start, end, match_case(text[first.start : end], counterpart)


def phrase_start(s: Sentence, i: int) -> int:
    """The place before the adjectives and nouns that stand before i, where a determiner may be."""
    k = i - 1
    while k > i - LONGEST and (s.tag(k)[:2] in ("AJ", "AV", "OR") or s.tag(k) in ("NN1", "NP0", "VVN", "VVG")):
        k -= 1
    return k


def is_determiner(s: Sentence, k: int) -> bool:
    """Whether the word at k opens a noun phrase: a, his, this, two."""
    pronouns = SUBJECTS - {"this", "that", "these"}
    return s.tag(k)[:2] in ("AT", "DP", "DT", "CR", "PO", "PN") and s.word(k) not in pronouns
