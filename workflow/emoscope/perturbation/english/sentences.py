"""The words of a text with their parts of speech, as the tagger sees them in it and the lexicon by themselves."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

from lemminflect import getAllLemmas, getLemma

from emoscope.perturbation.english.tagger import tag_scores, tags
from emoscope.perturbation.english.word_classes import CLOSERS, MARKS, OBJECT_OPENERS


class Sentence:
    """Lower-case words and clause marks of one text, tagged when first asked."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)

    @cached_property
    def tags(self) -> list[str]:
        return tags(self.words)

    def word(self, i: int) -> str:
        """The word at i, or "" where the text or the clause ends."""
        return self.words[i] if 0 <= i < len(self.words) and self.words[i] not in MARKS else ""

    def tag(self, i: int) -> str:
        """The part of speech at i; where the tagger contradicts the lexicon ("horny" as a noun), the lexicon's."""
        if not self.word(i):
            return "PUN"
        word, tag = self.words[i], self.tags[i]
        if word.isdigit():
            return "CRD"
        known = parts(word)
        if tag.startswith("NN") and "ADJ" in known and "NOUN" not in known:
            return "AJ0"
        if tag == "CRD" and word.endswith("ies"):
            return "NN2"
        if not known and word.endswith("ly"):
            return "AV0"
        if tag == "UNC" or (not known and tag.startswith(("VV", "PRP", "CJ", "DT")) and word not in CLOSERS):
            return "NN1"
        doubtful = "VERB" not in known or (verb_over_noun(word) < 1.5 and not self.opens_object(i + 1))
        if tag == "VVZ" and "NOUN" in known and doubtful:
            return "NN2"
        return tag

    def head(self, i: int) -> str:
        """The noun at i, adjectives passed over; "" if there is none."""
        while self.tag(i) in ("AJ0", "ORD"):
            i += 1
        return self.word(i) if self.tag(i).startswith("NN") else ""

    def opens_object(self, i: int) -> bool:
        """Whether a pronoun or article at i shows that the word before it is a verb."""
        return self.word(i) in OBJECT_OPENERS


@lru_cache(maxsize=20_000)
def parts(word: str) -> frozenset[str]:
    """The parts of speech (NOUN, VERB, ADJ, ADV, AUX, PROPN) that the lexicon lists for a word; none if unknown."""
    return frozenset(getAllLemmas(word))


@lru_cache(maxsize=20_000)
def singulars(word: str) -> frozenset[str]:
    """The word itself and the nouns of which it is the plural; by its ending where the lexicon does not know it."""
    return frozenset({word, *getLemma(word, "NOUN")})


@lru_cache(maxsize=20_000)
def usual_tag(word: str) -> str:
    """The most likely C5 tag of a word without context."""
    scores = tag_scores(word)
    return max(scores, key=scores.get, default="UNC")


@lru_cache(maxsize=20_000)
def is_base_verb(word: str) -> bool:
    """Whether a word can be an infinitive: make, feel, be."""
    lemmas = getAllLemmas(word)
    return word in (*lemmas.get("VERB", ()), *lemmas.get("AUX", ()))


@lru_cache(maxsize=20_000)
def verb_over_noun(word: str) -> float:
    """Log-odds that a word is a present verb rather than a noun, adjective or adverb, without context."""
    scores = tag_scores(word)
    verb = max((p for tag, p in scores.items() if tag in ("VVB", "VVI", "VVZ")), default=-30.0)
    return verb - max((p for tag, p in scores.items() if tag[:2] in ("NN", "AJ", "AV", "PR")), default=-30.0)
