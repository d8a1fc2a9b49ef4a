"""The names of a corpus' classes, in the order of their numbers. Imported by the Snakefile: nothing heavy in here."""

from collections.abc import Mapping
from pathlib import Path

from emoscope.data.plain_text import text_lines
from emoscope.errors import UserError

EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise")  # the paper's; of generated texts, too
MOST_CLASSES = 100  # as the schema has it; labels are written as int8
TAKEN = ("all", "micro avg", "macro avg", "weighted avg", "samples avg")  # rows of tables; as the schema has it
MAPPING, LISTED = "mapping.txt", "labels.txt"


def class_names(entry: Mapping) -> list[str]:
    """Those that a corpus' settings list, or a file of its folder, or the paper's; UserError if the file tells none."""
    if (file := names_file(entry)) is not None:
        return mapped_names(file) if file.name == MAPPING else listed_names(file)
    return entry.get("labels") or entry.get("classes") or list(EMOTIONS)


def has_numbers(entry: Mapping) -> bool:
    """Whether a label that is a number means the class in that place: if anybody said in which order they are."""
    return names_file(entry) is not None or "classes" in entry


def names_file(entry: Mapping) -> Path | None:
    """The file that names the classes of a corpus with these settings; None where they do so themselves."""
    files = {"parallel": MAPPING, "tabbed": LISTED}
    return Path(entry["path"], files[entry["source"]]) if entry["source"] in files else None


def has_several(entry: Mapping) -> bool:
    """Whether a text of a corpus with these settings may have several labels, or none."""
    return entry["source"] == "tabbed" or "labels" in entry or entry.get("multilabel", False)


def mapped_names(file: Path) -> list[str]:
    """Names from lines `number<tab>name`, whose numbers count from 0."""
    pairs = [line.split("\t") for line in _lines(file, "`number<tab>name`")]
    for number, pair in enumerate(pairs):
        if len(pair) != 2 or pair[0].strip() != str(number):
            raise UserError(f"{file}: line {number + 1}: write `{number}<tab>name`; numbers count from 0")
    return _checked([name for _, name in pairs], file)


def listed_names(file: Path) -> list[str]:
    """Names from lines that hold one each, the first one's number being 0."""
    return _checked(_lines(file, "one name each"), file)


def _lines(file: Path, wanted: str) -> list[str]:
    if not file.is_file():
        raise UserError(f"{file}: no such file; it should name the classes, in lines of {wanted}")
    return text_lines(file)


def _checked(names: list[str], file: Path) -> list[str]:
    names = [name.strip() for name in names]
    for number, name in enumerate(names):
        if not name or name in TAKEN or name in names[:number]:
            reason = "is named twice" if name in names[:number] else "is taken" if name else "is no name"
            raise UserError(f"{file}: line {number + 1}: {name!r} {reason}; give every class a name of its own")
    if len(names) < 2:
        raise UserError(f"{file}: {len(names)} classes; at least 2 are needed")
    if len(names) > MOST_CLASSES:
        raise UserError(f"{file}: {len(names)} classes; at most {MOST_CLASSES} can be handled")
    return names
