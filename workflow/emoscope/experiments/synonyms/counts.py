"""How often words stand in texts, without stop words."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from emoscope.errors import UserError
from emoscope.perturbation.edits import tokenise
from emoscope.perturbation.english.word_classes import MARKS


def stopwords(path: str | Path, strip_apostrophes: bool = False) -> frozenset[str]:
    """The words of a file, one per line, `#` begins a comment.

    With strip_apostrophes also what is left of them where a text has lost its apostrophes: dont, didn t, i ve.
    Forms that are words of their own (well, hell, shell, shed, wed) are not added.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"cannot read the stop words {path}: {error.strerror}") from None
    words = {word for line in lines if (word := line.partition("#")[0].strip().lower())}
    if strip_apostrophes:
        for stem, _, ending in [word.partition("'") for word in words if "'" in word]:
            words |= ({stem + ending} - {"well", "hell", "shell", "shed", "wed"}) | {ending}
            if ending == "t":
                words.add(stem)
    return frozenset(words)


def count_words(texts: Iterable[str], stopwords: frozenset[str]) -> Counter[str]:
    """How often each lower-case word occurs in the texts, stop words, links, handles and marks aside."""
    return Counter(token.lower for text in texts for token in tokenise(text) if token.lower not in stopwords | MARKS)
