"""The neutral words of data/lexicons/neutral.csv, and which of them may take whose place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lemminflect import getAllInflections

from emoscope.errors import UserError
from emoscope.perturbation.edits import Phrase
from emoscope.perturbation.lexicons import read_rows

# What a neutral word is used as: a verb before an object or an infinitive, a pronoun as subject or object, an adjective
# that describes a person; the other names say it.
NEUTRAL_KINDS = (
    "noun", "verb", "transitive", "infinitive", "adjective", "adverb", "subject", "object", "pronoun", "determiner",
    "attribute",
)  # fmt: skip
_VERB = ("VERB", "VB")
_INFLECTED = {"noun": ("NOUN", "NN"), "verb": _VERB, "transitive": _VERB, "infinitive": _VERB}  # Penn tag as listed


@dataclass(frozen=True)
class NeutralLexicon:
    """substitutes: what may stand in place of a word form of one kind (`NEUTRAL_KINDS`); fixed: phrases left alone.

    Nouns and verbs are listed once and inflected. A form gives way only to one that has all of its functions: talked,
    past and participle, to chatted but not to spoke.
    """

    substitutes: Mapping[tuple[str, str], tuple[str, ...]]
    fixed: frozenset[Phrase]

    @classmethod
    def load(cls, path: str | Path) -> "NeutralLexicon":
        """Read a CSV with the columns words, others and kind: words that may take each other's place, or that of which
        is listed under others but not the other way round; or the kind fixed and a phrase."""
        substitutes: dict[tuple[str, str], tuple[str, ...]] = {}
        fixed: set[Phrase] = set()
        listed: set[tuple[str, str]] = set()
        for line, row in read_rows(path, ("words", "others", "kind")):
            words, others, kind = row["words"].lower().split(), row["others"].lower().split(), row["kind"]
            if kind == "fixed" and words and not others:
                fixed.add(tuple(words))
                continue
            if kind not in NEUTRAL_KINDS or not words or len(words + others) < 2:
                kinds = ", ".join(NEUTRAL_KINDS)
                raise UserError(
                    f"{path}, line {line}: needs two words or more and a kind among {kinds}, or a phrase and the kind "
                    f"fixed, has {','.join(row.values())!r}"
                )
            if taken := [word for word in words if (kind, word) in listed or words.count(word) > 1]:
                raise UserError(f"{path}, line {line}: {taken[0]!r} is listed as {kind} twice; take one out")
            listed |= {(kind, word) for word in words}
            forms = {word: _functions(word, kind) for word in (*words, *others)}
            for word in words:
                for form, functions in forms[word].items():
                    near = (_with_functions(forms[other], functions) for other in (*words, *others) if other != word)
                    found = tuple(other for other in near if other and other != form)
                    substitutes[kind, form] = (*substitutes.get((kind, form), ()), *found)
        return cls({key: found for key, found in substitutes.items() if found}, frozenset(fixed))

    @property
    def words(self) -> frozenset[str]:
        """All forms that are exchanged, or that take their place."""
        return frozenset(word for (_, form), found in self.substitutes.items() for word in (form, *found))

    def only(self, allowed: Callable[[str], bool]) -> "NeutralLexicon":
        """What is left if only some words are allowed."""
        kept = {key: tuple(filter(allowed, found)) for key, found in self.substitutes.items() if allowed(key[1])}
        return replace(self, substitutes={key: found for key, found in kept.items() if found})


def _functions(word: str, kind: str) -> dict[str, frozenset[str]]:
    """Each form of a word with its Penn tags; of a word that is not inflected, itself."""
    if kind not in _INFLECTED:
        return {word: frozenset()}
    part, base = _INFLECTED[kind]
    inflections = {base: (word,)} | getAllInflections(word, part)
    if "VBD" in inflections:  # a participle is listed only where it differs from the past
        inflections.setdefault("VBN", inflections["VBD"])
    forms: dict[str, set[str]] = {}
    for tag, found in inflections.items():
        for form in found[:1]:
            forms.setdefault(form, set()).add(tag)
    return {form: frozenset(tags) for form, tags in forms.items()}


def _with_functions(forms: Mapping[str, frozenset[str]], functions: frozenset[str]) -> str | None:
    """The form that can do all that is asked; None if there is none."""
    return next((form for form, tags in forms.items() if functions <= tags), None)
