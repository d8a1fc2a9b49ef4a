"""Counterfactual twins of a text: the same words with the gender, or the race, of the people in it exchanged.

A flip changes all places at once, so no word is flipped twice, and flipping the twin gives the text back; where it does
not, the pair carries the flag `irreversible`. Other flags: `uncertain` (a place could be read in two ways: leave the
pair out), `gender-locked` (a word such as "pregnant" does not fit the twin: leave it out of an invariance rate), `name`
(a given name, never flipped, still tells the gender).
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from emoscope.errors import UserError
from emoscope.perturbation.edits import (
    CURLY,
    Edit,
    Perturbation,
    Phrase,
    Token,
    match_case,
    perturb,
    phrase_length,
    places_of,
    tokenise,
    with_articles,
)
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon
from emoscope.perturbation.pronouns import (
    AUXILIARIES,
    BE,
    CLOSERS,
    POSSESSIVES,
    PREPOSITIONS,
    SUBJECTS,
    Sentence,
    her_is_possessive,
    his_is_independent,
    is_base_verb,
    parts,
    singulars,
    verb_over_noun,
    word_set,
)


def _flip(text: str, edits_of: Callable[[str], tuple[list[Edit], set[str]]]) -> Perturbation:
    """The twin of a text, flagged if the same rules do not lead back."""
    edits, flags = edits_of(text)
    twin = perturb(text, edits, flags)
    if twin.n_changed and perturb(twin.perturbed, edits_of(twin.perturbed)[0]).perturbed != text:
        return perturb(text, edits, flags | {"irreversible"})
    return twin


# ---------------------------------------------------------------------------------------------------------------------
# Gender


def flip_gender(text: str, lexicon: GenderLexicon) -> Perturbation:
    """The text with every he and she, kinship word, role and title exchanged; names and fixed phrases stay."""
    return _flip(text, lambda t: _gender_edits(t, lexicon))


_FEMALE = {"she", "her", "hers", "herself", "shes", "shell", "shed", "miss"}


def gender_of(words: str, lexicon: GenderLexicon) -> str | None:
    """Whether words that a flip changed are `male` or `female`; None for an article."""
    word = re.split(r"['\u2019]", words.lower())[0]
    if word in ("a", "an"):
        return None
    return "female" if word in _FEMALE or word in lexicon.masculine else "male"


_CONTRACTIONS = {"hell": "shell", "shell": "hell", "hed": "shed", "shed": "hed"}
_NO_SUBJECT = word_set("the a to as in of from my your his our their this that's bloody holy living pure like")
_AFTER_CONTRACTION = word_set("never always probably not just be been have love need want")
_YOU = word_set("you u ya yu yall")
_CALLS = word_set(
    "oh hey hi hello yo ah ooh o hoo aw wow ugh damn dang geez gosh dude thanks thank cheers sorry lol haha"
)


def _gender_edits(text: str, lexicon: GenderLexicon) -> tuple[list[Edit], set[str]]:
    tokens = tokenise(text)
    words = [token.lower for token in tokens]
    # Rules see the same masculine words before and after the flip, so that both directions are read alike.
    sentence = Sentence([lexicon.masculine.get(word, word) for word in words])
    fixed, edits, flags, i = places_of(words, lexicon.fixed), [], set(), 0
    while i < len(words):
        n = phrase_length(words, i, lexicon.swaps, 2) or 1
        if i not in fixed:
            counterpart, certain = _gender_counterpart(sentence, i, words, lexicon, n)
            if counterpart:
                edits.append(_edit(text, tokens[i], tokens[i + n - 1], counterpart))
            if not certain:
                flags.add("uncertain")
        i += n
    if places_of(words, lexicon.locked):
        flags.add("gender-locked")
    if places_of(words, lexicon.name):
        flags.add("name")
    return with_articles(tokens, edits), flags


def _edit(text: str, first: Token, last: Token, counterpart: str) -> Edit:
    source = text[first.start : last.end]
    if CURLY in source:
        counterpart = counterpart.replace("'", CURLY)
    return first.start, last.end, match_case(source, counterpart)


def _gender_counterpart(
    s: Sentence, i: int, words: list[str], lexicon: GenderLexicon, n: int
) -> tuple[str | None, bool]:
    """The counterpart of the n words at i, or None if they stay; and whether that is certain.

    s holds the masculine words; `words` are the text's own.
    """
    word, before, after = words[i], s.word(i - 1), s.word(i + 1)
    if word == "him":
        return "her", True
    if word == "hers":
        return "his", True
    if word == "his":
        return ("hers" if his_is_independent(s, i) else "her"), True
    if word == "her":
        possessive, certain = her_is_possessive(s, i)
        return ("his" if possessive else "him"), certain
    if word in _CONTRACTIONS:
        return (_CONTRACTIONS[word] if word == "hed" or _is_contraction(s, i, word) else None), True
    if word == "miss":
        is_title = before in PREPOSITIONS - {"to"} | {"dear"} and s.tag(i + 1)[:2] in ("NP", "NN")
        return ("mr" if is_title else None), True
    base, apostrophe, ending = word.partition("'")
    counterpart = lexicon.swaps.get(tuple(words[i : i + n]))
    if counterpart is None:
        base_counterpart = lexicon.swaps.get((base,)) if apostrophe else None
        return (base_counterpart and base_counterpart + apostrophe + ending), True
    if word in ("man", "dude"):
        means_man, certain = _is_a_man(s, i, words, lexicon)
        return (counterpart if means_man else None), certain
    laughs = word == "he" and ("he" in words[i + 1 : i + 2] or "he" in words[max(i - 1, 0) : i])
    if laughs or _addresses_anyone(s, i, word) or (word == "ms" and (not after or after in CLOSERS)):
        return None, True
    if word == "husbands" and before in POSSESSIVES | {"his", "ex"} and _owns_next(s, i):
        return "wifes", True  # my husbands job has lost its apostrophe
    return counterpart, True


def _owns_next(s: Sentence, i: int) -> bool:
    return s.tag(i + 1)[:2] in ("NN", "AJ") and s.word(i + 1) not in CLOSERS


def _is_contraction(s: Sentence, i: int, word: str) -> bool:
    """Whether hell or shell is he'll or she'll, or shed is she'd: a bare verb or participle follows."""
    before, after = s.word(i - 1), s.word(i + 1)
    if before in _NO_SUBJECT or s.tag(i - 1).startswith("AJ"):
        return False
    if after == "like":
        return s.word(i + 2) in ("to", "it", "me", "him", "you", "us", "them")
    if after in _AFTER_CONTRACTION:
        return True
    if word == "shed" and (s.tag(i + 1) in ("VVN", "VVD", "VBN", "VHD") or after in ("rather", "better")):
        return not s.tag(i + 2).startswith("NN")
    return is_base_verb(after) and verb_over_noun(after) > 0 and after not in PREPOSITIONS


def _addresses_anyone(s: Sentence, i: int, word: str) -> bool:
    """Generic (s)he, "you guys" and the interjection "boy": no gender is meant."""
    before, after = s.word(i - 1), s.word(i + 1)
    opens_clause = not before and after in SUBJECTS
    if word == "he":
        return before == "s"
    if word == "guys":
        return before in _CALLS | _YOU or opens_clause
    if word == "boy":
        return before in _CALLS or opens_clause or (after in AUXILIARIES and before in ("", "and", "but"))
    return False


def _is_a_man(s: Sentence, i: int, words: list[str], lexicon: GenderLexicon) -> tuple[bool, bool]:
    """Whether `man` means a male person, not the interjection or mankind; and whether that is certain."""
    before, after = s.word(i - 1), s.word(i + 1)
    if after == "s":
        return True, True
    links = ("and", "or", "to")
    if after in links and tuple(words[i + 2 : i + 3]) in lexicon.swaps:
        return True, True
    if before in links and i > 1 and (words[i - 2],) in lexicon.swaps:
        return True, True
    if not before or before in _CALLS:
        return False, True
    k = i - 1
    while s.tag(k)[:2] in ("AJ", "AV", "OR") or s.tag(k) in ("NN1", "NP0", "VVN", "VVG"):
        k -= 1
    determined = s.tag(k)[:2] in ("AT", "DP", "DT", "CR", "PO", "PN") and s.word(k) not in SUBJECTS - {"this", "that"}
    if not determined:  # as gay man, but not: i am so tired man
        return s.tag(i - 1).startswith("AJ") and s.word(k) not in BE | AUXILIARIES, True
    return True, bool(after) or not s.tag(i - 1).startswith("NN")


# ---------------------------------------------------------------------------------------------------------------------
# Race


def flip_race(text: str, lexicon: RaceLexicon, groups: tuple[str, str]) -> Perturbation:
    """The text with the two groups exchanged wherever a race word describes a person.

    Raises UserError if the lexicon has no group of that name.
    """
    _check_groups(lexicon, groups)
    return _flip(text, lambda t: _race_edits(t, lexicon, groups))


def race_of(words: str, lexicon: RaceLexicon) -> str | None:
    """The group that words which a flip changed name; None for others, such as an article."""
    form = lexicon.forms.get(tuple(re.findall(r"\w+", words.lower())))
    return form[0] if form else None


def _check_groups(lexicon: RaceLexicon, groups: tuple[str, str]) -> None:
    for group in groups:
        if group not in lexicon.groups:
            raise UserError(f"the race lexicon has no group {group!r}; it has {', '.join(lexicon.groups)}")


def _race_edits(text: str, lexicon: RaceLexicon, groups: tuple[str, str]) -> tuple[list[Edit], set[str]]:
    tokens = tokenise(text)
    words = [token.lower for token in tokens]
    other = dict(zip(groups, reversed(groups), strict=True))
    fixed, edits, flags, i = places_of(words, lexicon.fixed), [], set(), 0
    # The tagger reads every race word as one neutral adjective, so that both directions are read alike.
    sentence = Sentence(["black" if (w,) in lexicon.forms else w for w in words])
    while i < len(words):
        n = phrase_length(words, i, lexicon.forms, 2)
        if n and i not in fixed:
            group, form = lexicon.forms[tuple(words[i : i + n])]
            is_person = _is_person(_Mention(sentence, words, i, i + n, form, lexicon)) if group in other else False
            if is_person:
                counterpart = lexicon.groups[other[group]][form]
                edits.append(_edit(text, tokens[i], tokens[i + n - 1], counterpart))
            elif is_person is None:
                flags.add("uncertain")
        i += max(n, 1)
    return with_articles(tokens, edits), flags


class _Mention(NamedTuple):
    """A race word at [start, end) of a sentence, in one of the forms of the lexicon."""

    s: Sentence
    words: list[str]
    start: int
    end: int
    form: str
    lexicon: RaceLexicon

    def is_colour(self) -> bool:
        return self.words[self.start].rstrip("s") in self.lexicon.colours

    def persons(self, i: int) -> int:
        """Number of words of the person noun at i, singular or plural; 0 if there is none."""
        return next((n for n in (2, 1) if _singulars(self.words[i : i + n]) & self.lexicon.person), 0)

    def persons_or_adjective(self, i: int) -> int:
        return next((n for n in (2, 1) if _singulars(self.words[i : i + n]) & self.lexicon.person_or_adjective), 0)

    def race_word(self, i: int) -> int:
        """Number of words of the race word, of any group, at i; 0 if there is none."""
        return phrase_length(self.words, i, self.lexicon.forms, 2) if i >= 0 else 0


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
        word, tag = m.words[k], m.s.tag(k)
        if m.persons(k):
            return True
        if n := m.persons_or_adjective(k):
            return _is_head(m, k + n) or _before_person(m, k + n)
        if word in ("and", "or", ",") and m.race_word(k + 1):
            continue
        if m.race_word(k) or (k > i and m.race_word(k - 1) == 2):
            continue
        dressed = word in m.lexicon.looks or (word.endswith("ed") and "ADJ" not in parts(word))  # white coated
        if dressed or word in CLOSERS:
            return False
        if not (tag[:2] in ("AJ", "CR", "OR") or tag == "AV0" or word in m.lexicon.between):
            return False
    return False


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


class Template(NamedTuple):
    """A sentence about one person of a group, the emotion it tells of, and the frame in which the person was put."""

    text: str
    term: str
    emotion: str
    frame: str


def race_templates(lexicon: RaceLexicon, groups: tuple[str, str]) -> list[Template]:
    """Each template sentence with each person, of the first group; `flip_race` makes the twins.

    Natural tweets that name a race are too few to show that a flip has no effect.
    """
    _check_groups(lexicon, groups)
    term = lexicon.groups[groups[0]]["adjective"]
    article = "an" if term[0] in "aeiou" else "a"
    return [
        Template(
            re.sub(r"\ba \{person}", f"{article} {{person}}", text).format(person=f"{term} {person}"),
            term,
            emotion,
            text,
        )
        for emotion, texts in lexicon.templates.items()
        for text in texts
        for person in lexicon.template_persons
    ]
