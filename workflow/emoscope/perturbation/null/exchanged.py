"""The words that a pair exchanges, with all that a fair null is matched on."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from emoscope.perturbation.edits import Token, tokenise
from emoscope.perturbation.english.pronouns import her_is_possessive
from emoscope.perturbation.english.sentences import Sentence
from emoscope.perturbation.null.frequencies import Frequencies

ARTICLES = ("a", "an")  # fixed, not exchanged
PARTS = ("noun", "verb", "adjective", "adverb", "pronoun", "determiner", "other")
_PART_OF_TAG = {"NN": "noun", "NP": "noun", "VV": "verb", "AJ": "adjective", "OR": "adjective", "CR": "adjective"}
_PART_OF_TAG |= {"AV": "adverb", "PN": "pronoun", "DP": "determiner", "DT": "determiner", "AT": "determiner"}


class Exchanged(NamedTuple):
    """A word or phrase and what takes its place, in lower case.

    frequency: log10(1 + count) of the old word; change: the new word's minus that. place: of the first word, from 0 at
    the text's beginning to 1 at its last word. length: characters of the new word minus those of the old one, which
    stands for tokens: a set of pairs is shared by models with different tokenizers.
    """

    old: str
    new: str
    part: str
    frequency: float
    change: float
    place: float
    last: bool
    length: int


@lru_cache(maxsize=20_000)
def read(text: str) -> tuple[list[Token], Sentence]:
    """The tokens of a text, and its words as rules read them, tagged once."""
    tokens = tokenise(text)
    return tokens, Sentence([token.lower for token in tokens])


def part_at(s: Sentence, i: int) -> str:
    """The part of speech at i, one of `PARTS`; of `her` by whether it stands for `his` or `him`."""
    if s.word(i) == "her":
        return "determiner" if her_is_possessive(s, i)[0] else "pronoun"
    return _PART_OF_TAG.get(s.tag(i)[:2], "other")


def exchanged_words(
    text: str, perturbed: str, spans: Iterable[tuple[int, int, int, int]], frequencies: Frequencies
) -> list[Exchanged]:
    """What a pair exchanges, left to right; fixed articles do not count."""
    tokens, sentence = read(text)
    words = [i for i in range(len(tokens)) if sentence.word(i)]
    place = {i: k for k, i in enumerate(words)}
    result = []
    for start, end, new_start, new_end in spans:
        old, new = text[start:end].lower(), perturbed[new_start:new_end].lower()
        inside = [i for i in words if tokens[i].start < end and start < tokens[i].end]
        if old in ARTICLES or not inside:
            continue
        frequency = frequencies.log10(old)
        result.append(
            Exchanged(
                old,
                new,
                part_at(sentence, inside[-1]),
                frequency,
                frequencies.log10(new) - frequency,
                place[inside[0]] / max(len(words) - 1, 1),
                place[inside[-1]] == len(words) - 1,
                len(new) - len(old),
            )
        )
    return result
