"""Reading the word lists in data/lexicons, which a user may edit: a mistake is reported with its file and line."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from emoscope.errors import UserError
from emoscope.perturbation.edits import Phrase
from emoscope.storage.yaml_files import read_yaml

_WAYS = {"swap": ("male", "female"), "to_female": ("male",), "to_male": ("female",)}
_LISTS = ("fixed", "guarded", "unflipped", "locked", "name")


@dataclass(frozen=True)
class GenderLexicon:
    """Words of the gender flip.

    swaps: each word, or phrase, and its counterpart. masculine: female words and their male counterparts.
    fixed: phrases that are left alone; guarded: too, unless a determiner stands before. unflipped: gendered words that
    are left alone, which makes a flip of others a half one. locked, name: words that set the flags `gender-locked` and
    `name`.
    """

    swaps: Mapping[Phrase, str]
    masculine: Mapping[str, str]
    fixed: frozenset[Phrase]
    guarded: frozenset[Phrase]
    unflipped: frozenset[Phrase]
    locked: frozenset[Phrase]
    name: frozenset[Phrase]

    @classmethod
    def load(cls, path: str | Path) -> "GenderLexicon":
        """Read a CSV with the columns male, female and kind: a way to swap, or the list that the words go into."""
        swaps: dict[Phrase, str] = {}
        masculine: dict[str, str] = {}
        lists: dict[str, set[Phrase]] = {kind: set() for kind in _LISTS}
        for line, row in read_rows(path, ("male", "female", "kind")):
            male, female, kind = (row[column].lower() for column in ("male", "female", "kind"))
            if kind in _LISTS and (male or female):
                lists[kind] |= {form for phrase in (male, female) if phrase for form in _spellings(phrase)}
            elif kind in _WAYS and male and female:
                for side in _WAYS[kind]:
                    source, target = (male, female) if side == "male" else (female, male)
                    if "'" in target:  # which would be read as the genitive of the text
                        raise UserError(
                            f"{path}, line {line}: {target!r} has an apostrophe, so nothing can become it; make the "
                            "row one way only, away from it"
                        )
                    if swaps.setdefault(_phrase(source), target) != target:
                        raise UserError(f"{path}, line {line}: {source!r} already has another counterpart")
                if "female" in _WAYS[kind]:
                    masculine[female] = male
            else:
                kinds = ", ".join([*_WAYS, *_LISTS])
                raise UserError(
                    f"{path}, line {line}: needs words and a kind among {kinds}, has {','.join(row.values())!r}"
                )
        return cls(swaps, masculine, **{kind: frozenset(phrases) for kind, phrases in lists.items()})


@dataclass(frozen=True)
class RaceLexicon:
    """Words of the race flip; the YAML file says what each list is for. forms: each phrase's group and form."""

    groups: Mapping[str, Mapping[str, str]]
    also: Mapping[str, Mapping[str, str]]
    colours: frozenset[str]
    fixed: frozenset[Phrase]
    person: frozenset[Phrase]
    person_or_adjective: frozenset[Phrase]
    unflipped: frozenset[Phrase]
    between: frozenset[str]
    of_race: frozenset[str]
    looks: frozenset[str]
    plural_things: frozenset[str]
    gatherings: frozenset[str]
    template_persons: tuple[str, ...]
    templates: Mapping[str, tuple[str, ...]]
    forms: Mapping[Phrase, tuple[str, str]]

    @classmethod
    def load(cls, path: str | Path) -> "RaceLexicon":
        """Read the YAML file; the keys are the fields, with spaces."""
        try:
            data = read_yaml(path)
        except OSError as error:
            raise UserError(f"cannot read the race lexicon {path}: {error.strerror}") from None
        except yaml.YAMLError as error:
            raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
        names = {field.name: field.name.replace("_", " ") for field in fields(cls) if field.name != "forms"}
        if missing := set(names.values()) - set(data if isinstance(data, dict) else ()):
            raise UserError(f"{path}: the key {sorted(missing)[0]!r} is missing")
        values = {name: data[key] for name, key in names.items()}
        for name in ("fixed", "unflipped"):
            values[name] = frozenset(form for phrase in values[name] for form in _spellings(phrase))
        for name in ("person", "person_or_adjective"):
            values[name] = frozenset(map(_phrase, values[name]))
        for name in ("colours", "between", "of_race", "looks", "plural_things", "gatherings"):
            values[name] = frozenset(values[name])
        forms = {
            _phrase(word): (group, form) for group, words in data["groups"].items() for form, word in words.items()
        }
        forms |= {_phrase(word): (group, form) for group, words in data["also"].items() for word, form in words.items()}
        for phrase, (group, form) in forms.items():
            if any(form not in words for words in data["groups"].values()):
                raise UserError(
                    f"{path}: {' '.join(phrase)!r} is the form {form!r} of {group!r}, which not all groups have"
                )
        return cls(**values, forms=forms)


def given_names(path: str | Path) -> dict[str, tuple[str, ...]]:
    """The given names in the CSV of `GenderLexicon`, in lower case, by gender."""
    rows = [row for _, row in read_rows(path, ("male", "female", "kind")) if row["kind"] == "name"]
    return {gender: tuple(row[gender].lower() for row in rows if row[gender]) for gender in ("male", "female")}


def read_rows(path: str | Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV with their line numbers, each with exactly these columns; blanks around values are dropped."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restkey="more", restval=None)
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if missing := set(columns) - set(reader.fieldnames or ()):
        raise UserError(f"{path}, line 1: the column {sorted(missing)[0]!r} is missing; it needs {', '.join(columns)}")
    for line, row in rows:
        if "more" in row or None in row.values():
            raise UserError(f"{path}, line {line}: has not {len(reader.fieldnames)} values as line 1 says")
    return [(line, {column: row[column].strip() for column in columns}) for line, row in rows]


def _phrase(text: str) -> Phrase:
    return tuple(text.split())


def _spellings(text: str) -> set[Phrase]:
    """A phrase as `places_of` reads it: without its apostrophes, or split at them as in texts that have lost theirs."""
    return {_phrase(text.replace("'", "")), _phrase(text.replace("'", " "))}
