"""The words of a text."""

import re

_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]+")

Span = tuple[int, int]


def words_of(text: str) -> list[Span]:
    """The words and the marks of a text, (start, end) each."""
    return [match.span() for match in _WORD.finditer(text)]
