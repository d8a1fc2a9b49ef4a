"""A perturbed text and the word-level tools that make one: tokens, simultaneous edits, a/an."""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from unicodedata import normalize

APOSTROPHES = "'\u2019\u2018\u00b4`\u02bc\uff07"  # what stands for one in real texts
Edit = tuple[int, int, str]
Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Perturbation:
    """A text and its counterpart.

    spans: (start, end, start, end) in characters, of each changed piece in `text` and in `perturbed`, left to right.
    flags: why a pair may have to be left out or counted apart, for instance `uncertain` or `gender-locked`.
    """

    text: str
    perturbed: str
    spans: tuple[tuple[int, int, int, int], ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def n_changed(self) -> int:
        """Number of changed spans; 0 means that there is no pair."""
        return len(self.spans)


class Token(NamedTuple):
    """One word, or one mark that ends a clause, at text[start:end].

    lower: what rules read: a word in lower case, composed (NFC) and with straight apostrophes; a mark as itself or,
    where it is a bracket, a tag, a link or the like, as a comma.
    """

    text: str
    start: int
    end: int
    lower: str


_ACCENTS = r"\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_LETTERS = rf"[^\W_](?:[^\W_]|[{_ACCENTS}])*"
_INLINE = "a|abbr|b|big|cite|code|em|font|i|mark|q|s|small|span|strike|strong|sub|sup|tt|u"
_BLOCK = "blockquote|br|center|div|h[1-6]|hr|img|li|ol|p|pre|table|tbody|td|th|tr|ul"
_TAG = r"(?:<|&lt;)/?(?:{})(?:\s+[\w-]+=[^<>]*)?\s*/?(?:>|&gt;)"
# Links, addresses, handles and hashtags are matched first so that no word is ever found inside one. The part of an
# address before its @ has at most 64 characters; without a bound a long text without one would take quadratic time.
# A hashtag or an inline tag may stand amid a phrase (her <b>dog</b>); a link, a handle or a line break ends it.
_TOKEN = re.compile(
    rf"""
      (?P<verbatim> [\w.+-]{{1,64}}@[\w-]+\.[\w.-]+ | \#\w+ | (?i:{_TAG.format(_INLINE)}) )
    | (?P<break>
        (?:https?://|www\.)\S+ | @\w+ | (?i:{_TAG.format(_BLOCK)})
      | _(?i:comma|period|dot|colon|semicolon|exclamation|question|newline|dash|pipe)_  # as some corpora write marks
      | \bRT\b (?!['\u2019]) | \b(?i:rt|mt|via)\b (?=\s*:?\s*@)
      | [\[\]{{}}<>|\u2014] | --+ | (?<!\S)[-\u2013](?!\S)
      )
    | (?P<entity> &\w+; )
    | (?P<word> {_LETTERS} (?:[{APOSTROPHES}]{_LETTERS})* )
    | (?P<mark> [.,;:!?…()] )
    """,
    re.VERBOSE,
)
_STRAIGHT = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


def tokenise(text: str) -> list[Token]:
    """Words and marks of a text, with their places; hashtags, addresses and other signs are passed over."""
    return [
        Token(m[0], m.start(), m.end(), "," if m.lastgroup == "break" else _plain(m[0]))
        for m in _TOKEN.finditer(text)
        if m.lastgroup not in ("verbatim", "entity")
    ]


def _plain(word: str) -> str:
    return normalize("NFC", word.lower()).translate(_STRAIGHT)


def perturb(text: str, edits: Iterable[Edit], flags: Iterable[str] = ()) -> Perturbation:
    """Replace text[start:end] by its replacement for all edits at once; everything between them stays byte for byte.

    Edits that change nothing are dropped. Raises ValueError if two edits overlap or one lies outside the text.
    """
    pieces, spans, at, shift = [], [], 0, 0
    for start, end, replacement in sorted(e for e in edits if text[e[0] : e[1]] != e[2]):
        if not at <= start <= end <= len(text):
            raise ValueError(f"edit {start}:{end} overlaps another or lies outside the text")
        pieces += [text[at:start], replacement]
        spans.append((start, end, start + shift, start + shift + len(replacement)))
        shift += len(replacement) - (end - start)
        at = end
    return Perturbation(text, "".join([*pieces, text[at:]]), tuple(spans), tuple(sorted(set(flags))))


def phrase_length(words: Sequence[str], i: int, phrases: Container[Phrase]) -> int:
    """Number of words of the longest of the phrases, of one word or two, that begins at i; 0 if none does."""
    return next((n for n in (2, 1) if i + n <= len(words) and tuple(words[i : i + n]) in phrases), 0)


def places_of(words: Sequence[str], phrases: frozenset[Phrase]) -> set[int]:
    """The places of all words that belong to one of the phrases, whose last word may be a genitive.

    Apostrophes do not count: "bachelor's degree" is the phrase (bachelors, degree), "Lady Gaga's" (lady, gaga).
    """
    longest = _longest(phrases)
    bare = [word.replace("'", "") for word in words]
    owners = [word.partition("'")[0] for word in words]
    return {
        k
        for i in range(len(words))
        for n in range(1, min(longest, len(words) - i) + 1)
        if (*bare[i : i + n],) in phrases or (*bare[i : i + n - 1], owners[i + n - 1]) in phrases
        for k in range(i, i + n)
    }


@cache
def _longest(phrases: frozenset[Phrase]) -> int:
    return max(map(len, phrases), default=0)


def match_case(source: str, replacement: str) -> str:
    """The lower-case replacement with the capitals of the source: UPPER, Title (each word of it), lower or mIxed.

    Decomposed (NFD) if the source is not composed.
    """
    composed = normalize("NFC", source)
    cased = _cased(composed, replacement)
    return cased if composed == source else normalize("NFD", cased)


def _cased(source: str, replacement: str) -> str:
    letters = [c for c in source if c.isalpha()]
    if not any(c.isupper() for c in letters):
        return replacement
    if len(letters) > 1 and all(c.isupper() for c in letters):
        return replacement.upper()
    if source == _titled(source.lower()):
        return _titled(replacement)
    return _mixed(source, replacement)


def _titled(words: str) -> str:
    return re.sub(rf"(?<![\w{APOSTROPHES}])\w", lambda m: m[0].upper(), words)


def _mixed(source: str, replacement: str) -> str:
    """What both share stays (GirlFriend, BoyFriend); the rest is cased letter by letter (mOm, dAd)."""
    first = _shared(source.lower(), replacement)
    rest, new = source[first:], replacement[first:]
    last = _shared(rest.lower()[::-1], new[::-1])
    middle, new = rest[: len(rest) - last], new[: len(new) - last]
    # with no letter to go by, a new beginning takes the first capital: MAn, WoMAn
    capitals = [c.isupper() for c in middle] or [not first and source[0].isupper(), False]
    cased = "".join(c.upper() if capitals[min(k, len(capitals) - 1)] else c for k, c in enumerate(new))
    return source[:first] + cased + rest[len(rest) - last :]


def _shared(one: str, other: str) -> int:
    """Number of first characters that both have."""
    return next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


_VOWEL_SOUND = re.compile(
    r"(?!eu|ewe|one(?!r)|once|u(?:ni(?!n|m)|s[aeiu]|tili|tensil|topi|rin|biq|kr|ga))(?:[aeiou]|hou?rs?\b|hono|hones|heir)"
)


def with_articles(tokens: Sequence[Token], edits: Iterable[Edit]) -> list[Edit]:
    """The edits, and one more for each a/an that agreed with the replaced word and does not with the new one."""
    edits = list(edits)
    before = {second.start: first for first, second in pairwise(tokens)}
    old = {token.start: token.lower for token in tokens}
    for start, _, replacement in list(edits):
        article = before.get(start)
        if article is None or article.lower not in ("a", "an"):
            continue
        fitting = ["an" if _VOWEL_SOUND.match(word) else "a" for word in (old[start], replacement.lower())]
        if article.lower == fitting[0] != fitting[1]:
            # a lone capital A does not tell whether the text shouts
            shape = "AN" if article.text == "A" and len(replacement) > 1 and replacement.isupper() else article.text
            fixed = match_case(shape, fitting[1])
            edits.append((article.start, article.end, fixed))
    return edits
