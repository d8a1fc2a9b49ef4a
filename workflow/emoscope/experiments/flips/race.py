"""The race of the people in a text exchanged."""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from emoscope.errors import UserError
from emoscope.experiments.flips.twins import edited, is_determiner, phrase_start, twin
from emoscope.perturbation.edits import Edit, Perturbation, Phrase, phrase_length, places_of, tokenise, with_articles
from emoscope.perturbation.english.sentences import Sentence, parts, singulars
from emoscope.perturbation.english.word_classes import AUXILIARIES, BE, CLOSERS, word_set
from emoscope.perturbation.lexicons import RaceLexicon


def flip_race(text: str, lexicon: RaceLexicon, groups: tuple[str, str]) -> Perturbation:
    """The text with the two groups exchanged wherever a race word describes a person.

    Raises UserError if the lexicon has no group of that name.
    """
    check_groups(lexicon, groups)
    return twin(text, lambda t: _race_edits(t, lexicon, groups))


def race_of(words: str, lexicon: RaceLexicon) -> str | None:
    """The group that words which a flip changed name; None for others, such as an article."""
    form = lexicon.forms.get(tuple(re.findall(r"\w+", words.lower())))
    return form[0] if form else None


def check_groups(lexicon: RaceLexicon, groups: tuple[str, str]) -> None:
    """Raises UserError if the lexicon has no group of that name."""
    for group in groups:
        if group not in lexicon.groups:
            raise UserError(f"the race lexicon has no group {group!r}; it has {', '.join(lexicon.groups)}")


def _race_edits(text: str, lexicon: RaceLexicon, groups: tuple[str, str]) -> tuple[list[Edit], set[str]]:
    tokens = tokenise(text)
    words = [token.lower for token in tokens]
    other = dict(zip(groups, reversed(groups), strict=True))
    fixed, mentions, i = places_of(words, lexicon.fixed | lexicon.unflipped), [], 0
    # The tagger reads every race word as one neutral adjective, so that both directions are read alike.
    sentence = Sentence(["black" if (w,) in lexicon.forms else w for w in words])
    while i < len(words):
        n = phrase_length(words, i, lexicon.forms)
        if n and i not in fixed:
            group, form = lexicon.forms[tuple(words[i : i + n])]
            mentions.append(_Mention(sentence, words, i, i + n, group, form, lexicon))
        i += max(n, 1)
    verdicts = _verdicts(mentions, other)
    edits = [
        edited(text, tokens[m.start], tokens[m.end - 1], lexicon.groups[other[m.group]][m.form])
        for m, verdict in zip(mentions, verdicts, strict=True)
        if m.group in other and (verdict or (verdict is None and True in verdicts))
    ]
    flags = {"uncertain"} if None in verdicts else set()
    if edits and places_of(words, lexicon.unflipped):
        flags.add("half-flipped")
    return with_articles(tokens, edits), flags


class _Mention(NamedTuple):
    """A race word at [start, end) of a sentence, in one of the forms of the lexicon."""

    s: Sentence
    words: list[str]
    start: int
    end: int
    group: str
    form: str
    lexicon: RaceLexicon

    def is_colour(self) -> bool:
        return self.words[self.start].rstrip("s") in self.lexicon.colours

    def persons(self, i: int) -> int:
        """Number of words of the person noun at i, singular or plural; 0 if there is none."""
        return next((n for n in (2, 1) if _singulars(self.words[i : i + n]) & self.lexicon.person), 0)

    def persons_or_adjective(self, i: int) -> int:
        return next((n for n in (2, 1) if _singulars(self.words[i : i + n]) & self.lexicon.person_or_adjective), 0)

    def in_phrase(self) -> bool:
        """Whether a determiner opens the phrase, so that what follows describes somebody."""
        k = phrase_start(self.s, self.start)
        return is_determiner(self.s, k) or not self.s.word(k)

    def race_word(self, i: int) -> int:
        """Number of words of the race word, of any group, at i; 0 if there is none."""
        return phrase_length(self.words, i, self.lexicon.forms) if i >= 0 else 0


_LINKS = word_set(
    "and or nor not but also yet half part partly mostly quarter mixed a an neither either both vs than to"
)


def _verdicts(mentions: list[_Mention], groups: Container[str]) -> list[bool | None]:
    """Whether each mention describes a person, None where it may: of all that are linked, every one does or none.

    White pride or black culture is a mention only beside a person of one of the groups.
    """
    verdicts = [_is_person(m) if m.group in groups else False for m in mentions]
    pairs = [(k, k + 1) for k in range(len(mentions) - 1) if _is_linked(mentions[k], mentions[k + 1])]
    for one, two in [*pairs, *reversed(pairs)]:
        strongest = True if True in (verdicts[one], verdicts[two]) else None
        if strongest or None in (verdicts[one], verdicts[two]):
            verdicts[one] = verdicts[two] = strongest
    if True not in verdicts:
        return verdicts
    beside = [m.s.word(m.end) in m.lexicon.of_race for m in mentions]
    return [True if of_race else verdict for of_race, verdict in zip(beside, verdicts, strict=True)]


def _is_linked(one: _Mention, two: _Mention) -> bool:
    """Whether only and, or, half and the like stand between two mentions, and no thing after them: black dress."""
    between = one.words[one.end : two.start]
    thing = two.s.tag(two.end)[:2] in ("NN", "NP") and two.s.word(two.end) not in CLOSERS and not two.persons(two.end)
    return 0 < len(between) <= 4 and all(w in _LINKS or w == "," for w in between) and not thing


def _singulars(words: Sequence[str]) -> set[Phrase]:
    """The phrase itself and what it may be the plural or the genitive of."""
    if not words:
        return set()
    *first, last = words
    return {(*first, form) for form in singulars(last.split("'")[0])}


def _is_person(m: _Mention) -> bool | None:
    """Whether a race word describes a person; None where it may or may not."""
    if m.form.endswith("people"):
        return _people(m)
    if _before_person(m, m.end):
        return True
    verdict = _predicate(m)
    return _only_one(m) if verdict is False else verdict


def _before_person(m: _Mention, i: int) -> bool:
    """Whether a person noun follows, after adjectives and race words: white and black people, black single mother."""
    for k in range(i, min(i + 6, len(m.words))):
        word = m.words[k]
        if m.persons(k):
            return True
        if n := m.persons_or_adjective(k):
            return _is_head(m, k + n) or _before_person(m, k + n)
        listed = word in ("and", ",") and _is_described(m, k + 1) and m.in_phrase()
        if listed or (word in ("and", "or", ",") and m.race_word(k + 1)):
            continue
        if m.race_word(k) or (k > i and m.race_word(k - 1) == 2):
            continue
        of_colour = word in m.lexicon.looks or _is_dressed(word) or word in CLOSERS
        if word not in m.lexicon.between and (of_colour or not _is_described(m, k)):
            return False
    return False


def _is_described(m: _Mention, k: int) -> bool:
    """Whether the word at k can stand between a race word and the person: young, twenty, very, unarmed, trans."""
    word, tag = m.s.word(k), m.s.tag(k)
    participle = tag in ("VVN", "VVD", "VVG") and m.in_phrase() and word not in CLOSERS
    return bool(word) and (
        tag[:2] in ("AJ", "CR", "OR") or tag == "AV0" or participle or word in m.lexicon.between or word[:1].isdigit()
    )


def _is_dressed(word: str) -> bool:
    """Whether the colour belongs to something worn: shirted, coated; not: oppressed, educated."""
    stem = word.removesuffix("ed")
    return stem != word and "ADJ" not in parts(word) and ("VERB" not in parts(word) or "NOUN" in parts(stem))


def _is_head(m: _Mention, i: int) -> bool:
    """Whether the noun phrase ends before i."""
    return not m.s.word(i) or m.s.word(i) in CLOSERS or m.s.tag(i)[:2] not in ("NN", "NP", "AJ")


_SOMEONE = word_set("someone somebody anyone anybody everyone everybody nobody noone")
_PERSONAL = _SOMEONE | word_set("i you u he she we who")
_WITH_BE = word_set("im i'm youre you're hes he's shes she's we're")
_BE_PIECES = word_set("m s re isnt arent wasnt werent ain't aint isn't aren't wasn't weren't")
_BEFORE_PREDICATE = word_set("both all so not too t half part mostly")
_THEY_ARE = word_set("they theyre they're those these")
_SOCIAL = word_set(
    "towards toward against among amongst between than fellow many most some few other poor rich young old"
)
_WEARS = word_set("in of with wear wears wearing wore")
_VERBS = word_set("who feel think want believe say live work vote hate love dont cant wont")


def _predicate(m: _Mention) -> bool | None:
    """Whether it is said of a person (I am white, my parents are black) and not of a thing (my shoes are black)."""
    after, k = m.s.word(m.end), m.start - 1
    if m.s.word(k) in _SOMEONE:
        return True
    while m.s.word(k) and (m.s.tag(k) in ("AV0", "XX0") or m.s.word(k) in _BEFORE_PREDICATE):
        k -= 1
    verb, subject = m.s.word(k), m.s.word(k - 1)
    if after and (after not in CLOSERS or after in ("with", "as", "from", "like", "a", "the")) and subject != "who":
        return False
    if after in ("and", "or") and m.race_word(m.end + 1):
        return False  # black and white: clear-cut, unless a person noun follows
    if verb in _WITH_BE:
        return True
    if verb in _THEY_ARE:
        return None
    if verb not in BE | _BE_PIECES:
        return False
    if subject in _PERSONAL or m.persons(k - 1) or m.persons_or_adjective(k - 1):
        return True
    if verb in ("being", "be", "been"):
        return None if m.s.tag(k - 1).startswith("NN") else subject != "it"
    return None if subject in _THEY_ARE else False


def _only_one(m: _Mention) -> bool | None:
    """Whether it stands alone for a person, as in: the only white in the room; None where that is uncertain."""
    if m.s.word(m.start - 1) not in ("only", "first", "lone", "token") or m.s.word(m.end) not in ("in", "at", "on"):
        return False
    return bool(set(m.words[m.end + 1 : m.end + 5]) & m.lexicon.gatherings) or None


def _people(m: _Mention) -> bool | None:
    """Whether a plural (whites) means people; None if neither that nor things can be told."""
    before, after = m.s.word(m.start - 1), m.s.word(m.end)
    if not m.is_colour():
        return True
    if before in m.lexicon.plural_things or m.s.word(m.start - 2) in ("egg", "pearly"):
        return False
    for link, k in ((before, m.start - 2), (after, m.end + 1)):
        if link in ("and", "or", "nor", "vs", "versus", "than", "from") and m.race_word(k):
            return m.lexicon.forms.get((m.words[k],), ("", "people"))[1].endswith("people")
    if before in _SOCIAL or after in _VERBS or (after in AUXILIARIES and before not in ("the", "these", "those")):
        return True
    return False if after == "of" or before in _WEARS else None
