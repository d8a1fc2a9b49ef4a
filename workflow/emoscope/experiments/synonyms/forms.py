"""Inflected forms: which one a word of a text is, and the same form of its synonym (lemminflect)."""

from functools import lru_cache

from lemminflect import getAllInflections, getInflection, getLemma

from emoscope.perturbation.english.sentences import Sentence
from emoscope.perturbation.english.word_classes import (
    BE,
    MARKS,
    SUBJECTS,
    word_set,
)

_BASE = {"NOUN": "NN", "VERB": "VB", "ADJ": "JJ", "ADV": "RB"}  # the Penn tag of each part's uninflected form
PARTS_OF_SPEECH = tuple(_BASE)


@lru_cache(maxsize=32)
def forms_of(items: frozenset) -> dict[str, list[tuple[str, str, tuple[str, ...], str]]]:
    """Each inflected form: its entries (lemma, part of speech, Penn tags of the form, synonym)."""
    forms: dict[str, list] = {}
    for (lemma, pos), synonym in sorted(items):
        penn: dict[str, list[str]] = {lemma: [_BASE[pos]]}
        inflections = getAllInflections(lemma, pos)
        if "VBD" in inflections:  # a participle is listed only where it differs from the past
            inflections.setdefault("VBN", inflections["VBD"])
        for tag, words in inflections.items():
            for word in words:
                penn.setdefault(word, []).append(tag)
        for word, tags in penn.items():
            forms.setdefault(word, []).append((lemma, pos, tuple(tags), synonym))
    return forms


_HAVE = word_set("have has had having ve ive youve weve theyve havent hasnt hadnt haven hasn hadn")
_PASSIVE = BE | word_set(
    "get gets got getting gotten im youre were theyre m re isnt arent wasnt werent isn aren wasn weren"
)
_AMID = word_set("not never ever all both each t nt")
_ENDINGS = ("'ve", "'s", "'d", "'m", "'re", "n't")


def penn_of(s: Sentence, i: int, lemma: str, pos: str, penn_tags: tuple[str, ...]) -> str:
    """The Penn tag of the word at i, among those of its form."""
    tag, word = s.tags[i], s.word(i)
    if pos == "NOUN" and word == lemma and "NNS" in penn_tags and _is_plural(s, i):
        return "NNS"
    if pos in ("VERB", "ADJ") and "VBN" in penn_tags and (tag == "AJ0" or _is_participle(s, i)):
        return "VBN"
    if "VBD" in penn_tags and (word != lemma or tag == "VVD" or s.word(i - 1) in ("he", "she", "it")):
        return "VBD"
    if "VBN" in penn_tags and word != lemma:
        return "VBN"
    return penn_tags[0]


def _is_participle(s: Sentence, i: int, links: int = 3) -> bool:
    """Whether a past form is a participle: has just talked, was it called, a man called bob; not: i talked.

    links: how many verbs joined by `and` are followed back to the first.
    """
    k = i - 1
    while s.word(k) and not s.word(k).endswith(_ENDINGS) and (s.tag(k) in ("AV0", "XX0") or s.word(k) in _AMID):
        k -= 1
    before = s.word(k)
    if before in _HAVE | _PASSIVE or before.endswith(_ENDINGS) or (before in ("s", "d") and s.word(k - 1)):
        return True
    if before in ("and", "or", "but"):  # has cried and talked
        earlier = [j for j in range(max(k - 4, 0), k) if s.tags[j] in ("VVN", "VVD") or s.words[j].endswith("ed")]
        return bool(earlier and links) and _is_participle(s, earlier[-1], links - 1)
    if before in SUBJECTS:  # have you talked
        return s.word(k - 1) in _HAVE | BE and s.word(k - 2) not in SUBJECTS
    if s.tag(k).startswith(("NN", "NP")):  # has my mom called
        j = k - 1
        while s.tag(j)[:2] in ("AJ", "AT", "DP", "DT"):
            j -= 1
        if s.word(j) in _HAVE and not s.word(j - 1):
            return True
        follows = s.tag(i + 1).startswith(("NN", "NP")) or s.word(i + 1) == "by"
        return s.tags[i] == "VVN" and follows and _has_another_verb(s, i)  # i met a man called bob
    return s.tags[i] == "VVN" and before not in SUBJECTS | {""}


def _has_another_verb(s: Sentence, i: int) -> bool:
    """Whether the clause of the verb at i has another one."""
    first = next((k + 1 for k in range(i - 1, -1, -1) if s.words[k] in MARKS), 0)
    last = next((k for k in range(i + 1, len(s.words)) if s.words[k] in MARKS), len(s.words))
    return any(s.tags[k][:2] in ("VV", "VB", "VH", "VD", "VM") for k in range(first, last) if k != i)


_COUNTED = word_set("these those many few several two three four five six seven eight nine ten both all most some")
_PLURAL_VERBS = word_set("are were have do dont don't arent aren't werent weren't havent haven't")


def _is_plural(s: Sentence, i: int) -> bool:
    """Whether a noun that has one form for both numbers is plural: the police, these sheep; not: a fish."""
    if s.word(i) in ("police", "cattle", "people"):
        return s.word(i - 1) not in ("a", "one") and not s.tag(i + 1).startswith("NN")
    k = i - 1
    while s.tag(k)[:2] == "AJ":
        k -= 1
    return (
        s.word(k) in _COUNTED or (s.tag(k) == "CRD" and s.word(k) not in ("one", "1")) or s.word(i + 1) in _PLURAL_VERBS
    )


def form_of(word: str, penn: str) -> str:
    """A form of a word; where the lexicon knows no comparative, more and most: more awful."""
    if penn in _BASE.values():
        return word
    if penn in ("JJR", "JJS", "RBR", "RBS"):
        listed = getAllInflections(word).get(penn)
        return listed[0] if listed else f"{'more' if penn.endswith('R') else 'most'} {word}"
    if penn == "NNS" and getLemma(word, "NOUN")[0] != word:
        return word  # a plural already: individuals
    return getInflection(word, penn)[0]
