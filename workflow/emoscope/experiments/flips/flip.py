"""Counterfactual twins of a text: the same words with the gender, or the race, of the people in it exchanged.

A flip changes all places at once, so no word is flipped twice, and flipping the twin gives the text back; where it does
not, the pair carries the flag `irreversible`. Other flags: `uncertain` (a place could be read in two ways: leave the
pair out), `half-flipped` (a word of either group that has no counterpart stays: leave it out), `gender-locked` (a word
such as "pregnant" does not fit the twin: leave it out of an invariance rate), `name` (a given name, never flipped,
still tells the gender).
"""

import re
from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

from emoscope.errors import UserError
from emoscope.perturbation.edits import (
    APOSTROPHES,
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
    "oh hey hi hello yo ah ooh o hoo aw wow ugh damn dang geez gosh dude thanks thank cheers sorry lol haha ok okay "
    "alright well yeah yep nope yup nah yes welcome congrats jeez jesus fuck shit"
)
_LINKING = (
    BE
    | AUXILIARIES
    | word_set(
        "feel feels feeling felt look looks looking looked sound sounds sounded seem seems seemed smell smells taste "
        "tastes get gets getting got so too very really pretty real"
    )
)
_HEARERS = word_set("please pls plz why what how when where who omg lets let's do does did is help look listen")


def _gender_edits(text: str, lexicon: GenderLexicon) -> tuple[list[Edit], set[str]]:
    tokens = _unwrapped(tokenise(text))
    words = [token.lower for token in tokens]
    # Rules see the same masculine words before and after the flip, so that both directions are read alike.
    sentence = Sentence([_masculine(word, lexicon) for word in words])
    fixed = places_of(words, lexicon.fixed) | _guarded(text, tokens, sentence, lexicon)
    edits, flags, i = [], set(), 0
    while i < len(words):
        n = phrase_length(words, i, lexicon.swaps, 2) or 1
        if i not in fixed and not _names_both(text, tokens[i], lexicon):
            counterpart, certain = _gender_counterpart(sentence, i, words, lexicon, n)
            if counterpart:
                edits.append(_edit(text, tokens[i], tokens[i + n - 1], counterpart))
            if not certain:
                flags.add("uncertain")
        i += n
    if edits and (places_of(words, lexicon.unflipped) - fixed or _unread_miss(sentence, fixed)):
        flags.add("half-flipped")
    if places_of(words, lexicon.locked):
        flags.add("gender-locked")
    if places_of(words, lexicon.name):
        flags.add("name")
    return with_articles(tokens, edits), flags


def _masculine(word: str, lexicon: GenderLexicon) -> str:
    base, apostrophe, ending = word.partition("'")
    return lexicon.masculine.get(word) or lexicon.masculine.get(base, base) + apostrophe + ending


def _unwrapped(tokens: list[Token]) -> list[Token]:
    """Without the brackets around a lone pronoun, which only stress it: (her) dog."""
    wrapped = {
        k
        for i in range(1, len(tokens) - 1)
        if tokens[i].lower in ("her", "his") and tokens[i - 1].text + tokens[i + 1].text in ("()", "[]")
        for k in (i - 1, i + 1)
    }
    return [token for i, token in enumerate(tokens) if i not in wrapped]


def _guarded(text: str, tokens: list[Token], s: Sentence, lexicon: GenderLexicon) -> set[int]:
    """The places of guarded phrases (man made, new girl) before which no determiner stands, or that hyphens join."""
    words, places = [token.lower for token in tokens], set()
    for i in range(len(words)):
        n = phrase_length(words, i, lexicon.guarded, 2)
        if not n:
            continue
        k = _phrase_start(s, i)
        joined = "-" in text[tokens[i].end : tokens[i + n - 1].start]
        clause = s.word(k) == "that" and words[i + n - 1].endswith(("s", "men"))  # they say that mean girls is good
        if joined or clause or not _is_determiner(s, k):
            places |= set(range(i, i + n))
    return places


def _names_both(text: str, token: Token, lexicon: GenderLexicon) -> bool:
    """Whether brackets or a slash make one word of both genders: (s)he, s/he, wo/man, waiter/waitr(ess)."""
    word = token.lower.partition("'")[0]
    before = re.search(r"([^\W\d_]+)[)(/|]$", text[max(0, token.start - 8) : token.start])
    after = re.match(r"[(/|]([^\W\d_]+)\)?", text[token.end : token.end + 8])
    whole = [before[1].lower() + word] if before else []
    whole += [word + after[1].lower()] if after else []
    return any(word in (lexicon.swaps.get((other,)), _CONTRACTIONS.get(other)) for other in whole)


def _edit(text: str, first: Token, last: Token, counterpart: str) -> Edit:
    """The counterpart in the shape of the text: its capitals, what stands between its words, its genitive."""
    end = last.end
    if "'" in counterpart:  # the genitive or verb stays as it is
        end = first.start + re.search(f"[{APOSTROPHES}]", text[first.start : end]).start()
        counterpart = counterpart.partition("'")[0]
    between, new = text[first.end : last.start], counterpart.split()
    if len(new) == 2 and first is not last:
        counterpart = between.join(new)
    return first.start, end, match_case(text[first.start : end], counterpart)


def _gender_counterpart(
    s: Sentence, i: int, words: list[str], lexicon: GenderLexicon, n: int
) -> tuple[str | None, bool]:
    """The counterpart of the n words at i, or None if they stay; and whether that is certain.

    s holds the masculine words; `words` are the text's own.
    """
    word, before, after = words[i], s.word(i - 1), s.word(i + 1)
    if word == "him":
        return "her", True
    if word in ("hers", "her's"):
        return "his", True
    if word == "his":
        return ("hers" if his_is_independent(s, i) else "her"), True
    if word == "her":
        possessive, certain = her_is_possessive(s, i)
        return ("his" if possessive else "him"), certain
    if word in _CONTRACTIONS:
        return (_CONTRACTIONS[word] if word == "hed" or _is_contraction(s, i, word) else None), True
    if word == "miss":
        return ("mr" if _is_title(s, i) else None), True
    degree = before in POSSESSIVES | {"his", "a"} and (not after or after in CLOSERS)
    if word in ("bachelor's", "bachelors") and degree:
        return None, True
    base, apostrophe, ending = word.partition("'")
    counterpart = lexicon.swaps.get(tuple(words[i : i + n]))
    if counterpart is None:
        counterpart = lexicon.swaps.get((base,)) if apostrophe else None
        return (counterpart and counterpart + apostrophe + ending), True
    if word in ("man", "dude"):
        means_man, certain = _is_a_man(s, i, words, lexicon)
        return (counterpart if means_man else None), certain
    laughs = word == "he" and ("he" in words[i + 1 : i + 2] or "he" in words[max(i - 1, 0) : i])
    if laughs or _addresses_anyone(s, i, word) or (word == "ms" and _is_abbreviation(s, i)):
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


def _is_title(s: Sentence, i: int) -> bool:
    """Whether `miss` is a title: for miss honey, miss honey said; not: i miss honey."""
    if s.tag(i + 1)[:2] not in ("NP", "NN"):
        return False
    after = s.word(i + 2)
    opens_clause = not s.word(i - 1) and (after in AUXILIARIES | BE or s.tag(i + 2) in ("VVD", "VVZ"))
    return opens_clause or s.word(i - 1) in PREPOSITIONS - {"to"} | {"dear"}


def _unread_miss(s: Sentence, fixed: set[int]) -> bool:
    """Whether a miss is a person, but no title: the young miss."""
    people = (i for i, word in enumerate(s.words) if word == "miss" and i not in fixed and not _is_title(s, i))
    return any(_is_determiner(s, _phrase_start(s, i)) for i in people)


def _addresses_anyone(s: Sentence, i: int, word: str) -> bool:
    """Generic (s)he, "you guys" and the interjection "boy", whatever mark follows: no gender is meant."""
    before, after = s.word(i - 1), s.word(i + 1)
    is_alone = not before and not after and len(s.words) > 1  # between marks: so tired, guys
    opens_clause = (not before and after in SUBJECTS | _CALLS) or is_alone
    if word == "he":
        return before == "s"
    if word == "guys":
        calls = before in _CALLS | _YOU or (before == "on" and s.word(i - 2) == "come")
        return calls or opens_clause or (not before and after in _HEARERS)
    if word == "brother":
        return before == "oh" and (not after or after in SUBJECTS)
    if word == "boy":
        return before in _CALLS or opens_clause or (after in AUXILIARIES and before in ("", "and", "but"))
    return False


LONGEST = 12  # words before a noun that are looked through for its determiner


def _is_abbreviation(s: Sentence, i: int) -> bool:
    """Whether `ms` is no title, as no name follows it or its full stop: the ms of a book."""
    name = s.word(i + 2) if s.words[i + 1 : i + 2] == ["."] else s.word(i + 1)
    return not name or name in CLOSERS


def _phrase_start(s: Sentence, i: int) -> int:
    """The place before the adjectives and nouns that stand before i, where a determiner may be."""
    k = i - 1
    while k > i - LONGEST and (s.tag(k)[:2] in ("AJ", "AV", "OR") or s.tag(k) in ("NN1", "NP0", "VVN", "VVG")):
        k -= 1
    return k


def _is_determiner(s: Sentence, k: int) -> bool:
    return s.tag(k)[:2] in ("AT", "DP", "DT", "CR", "PO", "PN") and s.word(k) not in SUBJECTS - {
        "this",
        "that",
        "these",
    }


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
    if not before or before in _CALLS or (before == "on" and s.word(i - 2) == "come"):
        return False, True
    k = _phrase_start(s, i)
    if not _is_determiner(s, k):  # as gay man, but not: i am so tired man, sounds good man
        return s.tag(i - 1).startswith("AJ") and s.word(k) not in _LINKING, True
    if before == "one" and s.tag(i - 2).startswith("AJ"):
        return False, True  # nice one man
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
    fixed, mentions, i = places_of(words, lexicon.fixed | lexicon.unflipped), [], 0
    # The tagger reads every race word as one neutral adjective, so that both directions are read alike.
    sentence = Sentence(["black" if (w,) in lexicon.forms else w for w in words])
    while i < len(words):
        n = phrase_length(words, i, lexicon.forms, 2)
        if n and i not in fixed:
            group, form = lexicon.forms[tuple(words[i : i + n])]
            mentions.append(_Mention(sentence, words, i, i + n, group, form, lexicon))
        i += max(n, 1)
    verdicts = _verdicts(mentions, other)
    edits = [
        _edit(text, tokens[m.start], tokens[m.end - 1], lexicon.groups[other[m.group]][m.form])
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
        k = _phrase_start(self.s, self.start)
        return _is_determiner(self.s, k) or not self.s.word(k)

    def race_word(self, i: int) -> int:
        """Number of words of the race word, of any group, at i; 0 if there is none."""
        return phrase_length(self.words, i, self.lexicon.forms, 2) if i >= 0 else 0


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
