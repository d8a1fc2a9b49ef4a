"""Synonym replacement: the published procedure, and a label-free one by lemma and part of speech.

The published procedure replaces exact tokens from the table of the row's own class, so it knows the label, ignores
grammar ("a boiling dog") and never inflects. The label-free one uses one table for all classes, replaces a word only in
the part of speech the entry names, re-inflects (lemminflect) and leaves alone what does not survive a swap: fixed
phrases, causatives (made me cry), degree words (a bit sad) and verbs whose frame would change (think about).
"""

import re
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from emoscope.errors import UserError
from emoscope.experiments.synonyms.forms import PARTS_OF_SPEECH, form_of, forms_of, penn_of
from emoscope.perturbation.edits import (
    Perturbation,
    match_case,
    perturb,
    places_of,
    tokenise,
    with_articles,
)
from emoscope.perturbation.english.pronouns import her_is_possessive
from emoscope.perturbation.english.sentences import Sentence, parts, usual_tag
from emoscope.perturbation.english.word_classes import (
    AUXILIARIES,
    BE,
    CLOSERS,
    CONJUNCTIONS,
    OBJECT_OPENERS,
    OBJECTS,
    SUBJECTS,
    word_set,
)
from emoscope.perturbation.lexicons import read_rows

_POS_NAMES = ", ".join(PARTS_OF_SPEECH)
SynonymMap = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class SynonymTable:
    """The published table. by_class: word to synonym per class, for `replace_published`; mapping: for `replace`.

    label_bearing: adjectives common in one class alone (scared, amazed): they carry the label that a swap should keep.
    """

    by_class: Mapping[str, Mapping[str, str]]
    mapping: SynonymMap
    label_bearing: frozenset[str]

    @classmethod
    def load(cls, path: str | Path) -> "SynonymTable":
        """Read a CSV with the columns class, word, synonym, pos; raises UserError where a row cannot be used."""
        by_class: dict[str, dict[str, str]] = {}
        mapping: dict[tuple[str, str], str] = {}
        for line, row in read_rows(path, ("class", "word", "synonym", "pos")):
            word, synonym, pos = row["word"], row["synonym"], row["pos"]
            if not all(row.values()) or pos not in PARTS_OF_SPEECH:
                raise UserError(f"{path}, line {line}: needs a class, a word, a synonym and a pos among {_POS_NAMES}")
            if mapping.setdefault((word, pos), synonym) != synonym:
                raise UserError(f"{path}, line {line}: {word}/{pos} has another synonym further up")
            by_class.setdefault(row["class"], {}).setdefault(word, synonym)  # read without the part: the first counts
        classes = Counter(word for synonyms in by_class.values() for word in synonyms)
        bearing = frozenset(word for word, pos in mapping if pos == "ADJ" and classes[word] == 1)
        return cls(by_class, mapping, bearing)


def parse_map(text: str) -> dict[tuple[str, str], str]:
    """Read "know/VERB=understand, life/NOUN=existence" as {("know", "VERB"): "understand", ...}."""
    mapping: dict[tuple[str, str], str] = {}
    for entry in re.split(r"[,\s]+", text.strip()):
        found = re.fullmatch(r"([a-z][a-z'-]*)/([A-Z]+)=([a-z][a-z'-]*)", entry)
        if not found or found[2] not in PARTS_OF_SPEECH:
            raise UserError(
                f"cannot read the synonym {entry!r}: write word/PART=synonym in lower case, with PART one of "
                f"{_POS_NAMES}, for instance know/VERB=understand"
            )
        word, pos, synonym = found.groups()
        if mapping.setdefault((word, pos), synonym) != synonym:
            raise UserError(f"the synonym map gives {word}/{pos} twice: {mapping[word, pos]!r} and {synonym!r}")
    return mapping


def replace_published(text: str, table_for_class: Mapping[str, str]) -> Perturbation:
    """Replace each exact lower-case token by its synonym, as published: no inflection, no article, no context."""
    tokens = [token for token in tokenise(text) if token.text in table_for_class]
    return perturb(text, [(token.start, token.end, table_for_class[token.text]) for token in tokens])


def replace(text: str, mapping: SynonymMap, label_bearing: frozenset[str] = frozenset()) -> Perturbation:
    """Replace words by lemma and part of speech, re-inflected, with a/an fixed; nothing depends on a label.

    The flag `label-bearing` marks a text in which one of those words was replaced.
    """
    tokens, forms = tokenise(text), forms_of(frozenset(mapping.items()))
    if not holds({token.lower for token in tokens}, mapping):
        return Perturbation(text, text)
    sentence = Sentence([token.lower for token in tokens])
    fixed, edits, flags = places_of(sentence.words, _FIXED) - _stated(sentence), [], set()
    for i, token in enumerate(tokens):
        for lemma, pos, penn_tags, synonym in () if i in fixed else forms.get(token.lower, ()):
            if _is_used_as(sentence, i, pos) and not _resists(sentence, i, lemma, pos, synonym):
                penn = penn_of(sentence, i, lemma, pos, penn_tags)
                edits.append((token.start, token.end, match_case(token.text, form_of(synonym, penn))))
                flags |= {"label-bearing"} if lemma in label_bearing else set()
                break
    return perturb(text, with_articles(tokens, edits), flags)


def holds(words: Set[str], mapping: SynonymMap) -> bool:
    """Whether among the lower-case words of a text there is a form of one that is replaced: else nothing is."""
    return not words.isdisjoint(forms_of(frozenset(mapping.items())))


_TAGS = {"NOUN": ("NN",), "VERB": ("VV",), "ADJ": ("AJ",), "ADV": ("AV",)}


def _is_used_as(s: Sentence, i: int, pos: str) -> bool:
    """Whether the word at i is used as that part of speech."""
    word, tag, before, after = s.word(i), s.tags[i], s.word(i - 1), s.word(i + 1)
    owned = before in _OWNERS or (before == "her" and her_is_possessive(s, i - 1)[0])
    if owned and tag in ("VVB", "VVI") and "NOUN" in parts(word):
        tag = "NN1"  # her hate
    if pos == "ADJ" and usual_tag(word).startswith("AV"):
        # we are even now, an even number: an adverb most of the time
        predicate = before in BE and "ADJ" in parts(word) and after in ("", "now", "with", "and", "but", "again")
        return predicate or (tag == "AJ0" and before in _DETERMINERS | {"a", "an"})
    participle = word.endswith(("ed", "ing", "wn", "en"))
    if pos == "VERB" and tag == "AJ0" and participle:
        return True  # was surprised
    if pos == "ADJ" and tag in ("VVN", "VVD", "VVG") and participle:
        return after not in OBJECT_OPENERS or before in BE
    if pos == "ADJ" and tag == "CRD":
        return before in _DETERMINERS and bool(s.head(i + 1)) and after not in ("night", "way", "year", "day", "time")
    if pos == "NOUN" and word == "much":
        return before not in _DEGREE and after in ("of", "to")
    return tag.startswith(_TAGS[pos])


# Phrases that mean more than their words; a word inside one is not replaced.
_FIXED = frozenset(
    tuple(phrase.split())
    for phrase in """
    all the time|at the same time|every time|each time|this time|that time|last time|next time|first time|one time
    long time|time to|time off|time out|time for|in time|on time|at a time|at the time|at times|of all time
    full time|part time|big time|half time|half the time|of the time|over time|by the time|to time
    time and time again|of time|time after time|upon a time|the time being|take time|takes time|spend time
    spent time|hard time|good time|great time|of times|couple times|several times|two times|three times|few times
    many times|bit of a|bit of an|times new roman|end times|lot of times|time s up|for life|real life|love life
    way of life|life style|life time|get a life|still life|life insurance|that s life|thats life|social life
    sex life|night life|life jacket|people person|people skills|you know|let me know|let you know|let him know
    let her know|let us know|let them know|god knows|who knows|get to know|got to know|getting to know|know better
    known better|knows best|well known|most wanted|loved one|loved ones|much loved|in love|in love with
    love letter|love letters|love song|love songs|love story|love affair|true love|would love to|think tank
    i think so|little by little|little one|little ones|as little|bit by bit|a lot|one another|one day|one of
    no one|one by one|one thing|one more|the one|this one|that one|another one|even though|even if|even so
    even when|not even|break even|get even|still born|be still|sit still|sits still|sat still|sitting still
    stand still|stands still|stood still|standing still|stay still|stays still|stayed still|keep still|kept still
    hold still|held still|lie still|lay still|lying still|so much|too much|very much|as much|how much|that much
    this much|pretty much|not much|sweet tooth|home sweet home|short and sweet|sweet potato|sweet potatoes
    sweet heart|sweet sixteen|sweet dreams|hot dog|hot dogs|hot chocolate|hot cocoa|hot tub|hot water
    hot air balloon|hot topic|hot spot|hot flash|hot flashes|hot mess|red hot|funny bone|angry birds|amazing grace
    amazing race|make believe|make up|made of|home made|ready made|hand made
    """.replace("\n", "|").split("|")
    if phrase.strip()
)
_DEGREE = word_set("so too very as how that this pretty really not")
_SOME = word_set("much more most some any enough little less no all free spare extra quality")
_DETERMINERS = word_set("the this that these those my your his her our their")
_OWNERS = word_set("the a an my your his our their")
_PARTICLES = word_set("about of up out off over down through away back upon")
# Verbs that can stand before "to" and another verb; a synonym outside the list cannot take their place there.
_TAKE_TO = word_set("desire want wish hope long need expect intend like love prefer hate choose decide try attempt")
_CAUSATIVES = word_set("make let have get keep help leave")
_EVENTS = word_set("feel look sound seem taste smell appear happen work run go come stay stand stop cry laugh")
# With these `make` has no meaning of its own (make sense).
_LIGHT = word_set(
    "sense fun sure love money friends friend progress time difference decision decisions choice choices mistake "
    "mistakes way living effort efforts point points day life peace room amends contact most best do it mind"
)
_COUNTABLE = word_set("girl boy kid child baby man woman guy dog cat house room thing town bird voice place book")


def _stated(s: Sentence) -> set[int]:
    """The places of "you know" and "who knows" that say so: i think you know i care; not: i was, you know, sad."""
    says = SUBJECTS | OBJECT_OPENERS | word_set("what how why where who when if")
    return {
        k
        for i in range(1, len(s.words) - 1)
        if (s.word(i), s.word(i + 1)) in {("you", "know"), ("who", "knows")} and s.word(i + 2) in says
        if s.tag(i - 1).startswith("VV") or s.word(i - 1) in CONJUNCTIONS | AUXILIARIES | {"that"}
        for k in (i, i + 1)
    }


def _resists(s: Sentence, i: int, lemma: str, pos: str, synonym: str) -> bool:
    """Whether the construction around the word at i does not survive the swap."""
    word, before, after = s.word(i), s.word(i - 1), s.word(i + 1)
    if pos == "VERB":
        if after in _PARTICLES or (lemma in _CAUSATIVES and _is_causative(s, i)):
            return True
        return after == "to" and s.tag(i + 2)[:2] in ("VV", "VB", "VH", "VD") and synonym not in _TAKE_TO
    if pos == "NOUN":
        # some time: the synonym may not be a mass noun; a bit sad: no piece of anything
        return word == lemma and (before in _SOME or (word == "bit" and after != "of"))
    if word == "little":
        # graded: a little sad, a little sleep; small: a little girl, my little room
        described = before in _DETERMINERS or s.tag(i - 1)[:2] in ("AJ", "CR")
        return not (s.head(i + 1) and (described or (before == "a" and s.head(i + 1) in _COUNTABLE)))
    return False


def _is_causative(s: Sentence, i: int) -> bool:
    """Whether make is causative or a light verb: make me cry, made the day special, makes no sense."""
    k = i + 1
    if s.word(k) in OBJECTS and not (s.word(k) == "her" and her_is_possessive(s, k)[0]):
        return True
    if s.word(k) in _LIGHT or (s.tag(k).startswith("AJ") and not s.head(k)):
        return True
    if s.word(i) == "making" and s.tag(i - 1) == "NN1":
        return True  # decision making
    while s.tag(k)[:2] in ("AT", "DP", "DT", "AJ", "CR", "OR", "AV"):
        k += 1
    start = k
    while s.tag(k).startswith(("NN", "NP", "PN")) and s.word(k) not in _EVENTS:
        k += 1
    if s.word(k) in _EVENTS or (k > start and s.word(k - 1) in _LIGHT):
        return True
    while s.tag(k) == "AV0":
        k += 1
    return k > start and (
        s.word(k) in ("a", "an") or (s.word(k) not in CLOSERS | {""} and s.tag(k)[:2] in ("VV", "VB", "AJ"))
    )
