"""The gender of the people in a text exchanged: pronouns, kinship words, roles and titles; names stay."""

import re

from emoscope.experiments.flips.twins import edited, is_determiner, phrase_start, twin
from emoscope.perturbation.edits import Edit, Perturbation, Token, phrase_length, places_of, tokenise, with_articles
from emoscope.perturbation.english.pronouns import her_is_possessive, his_is_independent
from emoscope.perturbation.english.sentences import Sentence, is_base_verb, verb_over_noun
from emoscope.perturbation.english.word_classes import (
    AUXILIARIES,
    BE,
    CLOSERS,
    POSSESSIVES,
    PREPOSITIONS,
    SUBJECTS,
    word_set,
)
from emoscope.perturbation.lexicons import GenderLexicon


def flip_gender(text: str, lexicon: GenderLexicon) -> Perturbation:
    """The text with every he and she, kinship word, role and title exchanged; names and fixed phrases stay."""
    return twin(text, lambda t: _gender_edits(t, lexicon))


_FEMALE = {"she", "her", "hers", "herself", "shes", "shell", "shed", "miss"}


def gender_of(words: str, lexicon: GenderLexicon) -> str | None:
    """Whether words that a flip changed are `male` or `female`; None for an article.

    Looked up as the flip reads them, composed and hyphens as blanks: whole (ma'am), then without an ending.
    """
    whole = " ".join(token.lower for token in tokenise(words))
    read = (whole, whole.rpartition("'")[0], whole.partition("'")[0])
    if read[-1] in ("a", "an"):
        return None
    return "female" if any(word in _FEMALE or word in lexicon.masculine for word in read) else "male"


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
        n = phrase_length(words, i, lexicon.swaps) or 1
        if i not in fixed and not _names_both(text, tokens[i], lexicon):
            counterpart, certain = _gender_counterpart(sentence, i, words, lexicon, n)
            if words[i : i + 2] == ["her", "his"] and text[tokens[i].end : tokens[i + 1].start].strip() == "/":
                counterpart, certain = "his", True  # both stand before a noun, whatever stands before them
            if counterpart:
                edits.append(edited(text, tokens[i], tokens[i + n - 1], counterpart))
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
        n = phrase_length(words, i, lexicon.guarded)
        if not n:
            continue
        k = phrase_start(s, i)
        joined = "-" in text[tokens[i].end : tokens[i + n - 1].start]
        clause = s.word(k) == "that" and words[i + n - 1].endswith(("s", "men"))  # they say that mean girls is good
        if joined or clause or not is_determiner(s, k):
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
    return any(is_determiner(s, phrase_start(s, i)) for i in people)


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


def _is_abbreviation(s: Sentence, i: int) -> bool:
    """Whether `ms` is no title, as no name follows it or its full stop: the ms of a book."""
    name = s.word(i + 2) if s.words[i + 1 : i + 2] == ["."] else s.word(i + 1)
    return not name or name in CLOSERS


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
    k = phrase_start(s, i)
    if not is_determiner(s, k):  # as gay man, but not: i am so tired man, sounds good man
        return s.tag(i - 1).startswith("AJ") and s.word(k) not in _LINKING, True
    if before == "one" and s.tag(i - 2).startswith("AJ"):
        return False, True  # nice one man
    return True, bool(after) or not s.tag(i - 1).startswith("NN")
