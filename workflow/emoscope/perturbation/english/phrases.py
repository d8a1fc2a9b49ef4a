"""Phrases that decide about the `her` or `his` before them, whatever the single words may be."""

from emoscope.perturbation.english.sentences import Sentence
from emoscope.perturbation.english.word_classes import (
    AUXILIARIES,
    BACK,
    BACK_DOES,
    BACK_OF,
    BE,
    BRING,
    CLOSERS,
    CONJUNCTIONS,
    COUNTS,
    DAYS,
    DO,
    DRAW,
    FOND,
    GIVE,
    KEEP,
    KIN,
    PREPOSITIONS,
    RIGHT,
    TAKE,
    UNITS,
    word_set,
)


def compound(s: Sentence, i: int) -> bool:
    """Whether a function word begins a compound noun, as in: her in laws, her to do list, her then boyfriend."""
    first, second, third = s.word(i + 1), s.word(i + 2), s.word(i + 3)
    return (
        (first, second)
        in {("in", "law"), ("in", "laws"), ("so", "called"), ("like", "minded"), ("not", "so"), ("up", "bringing")}
        or (first == "to" and second == "do" and third in ("list", "lists"))
        or (first == "to" and second == "be" and third in KIN)
        or (first in ("then", "now", "ex", "once") and second in KIN)
        or (first == "soon" and second == "to" and third == "be")
        or (first in ("upstairs", "downstairs") and s.tag(i + 2).startswith("NN"))
        or (first, second)
        in {("later", "years"), ("later", "life"), ("alone", "time"), ("inside", "jokes"), ("inside", "voice")}
        or (
            first in ("always", "never", "ever", "sometimes")
            and (s.tag(i + 2).startswith("AJ") or second.endswith("ing"))
            and s.tag(i + 3).startswith("NN")
        )
        or (first in ("down", "over", "under", "out", "off") and s.tag(i + 2).startswith("NN") and second.endswith("s"))
    )


def back(s: Sentence, i: int) -> tuple[bool, bool]:
    """The back of a body (her back hurts) or an adverb (called her back)."""
    before, second = s.word(i - 1), s.word(i + 2)
    if before in PREPOSITIONS | BE | BACK | CONJUNCTIONS or not before:
        return True, True
    if second in BACK_OF | BACK_DOES or second in AUXILIARIES:
        return True, True
    return False, before in KEEP | BRING | GIVE


def describes_object(s: Sentence, i: int) -> bool:
    """A last word says how or when: held her close, treat her right, like her best, saw her monday."""
    before, first, second = s.word(i - 1), s.word(i + 1), s.word(i + 2)
    if second and second not in CLOSERS:
        return False
    return (
        (first == "right" and before in RIGHT)
        or (first in ("close", "closer", "near", "nearer", "tight") and before in DRAW)
        or (first in ("best", "most", "better", "first", "last") and before in FOND)
        or (first in DAYS and before not in PREPOSITIONS | BE)
    )


def adverbial(s: Sentence, i: int) -> bool:
    """Whether an adverbial follows, as in: her every day, her many times, her right away, her one more."""
    first, second = s.word(i + 1), s.word(i + 2)
    return (
        (first in COUNTS | {"every", "all"} and second in UNITS and s.word(i + 3) != "of")
        or (first == "half" and second not in ("sister", "brother", "of"))
        or (first in UNITS and s.word(i - 1) in TAKE)
        or (first == "first" and second in ("thing", "time") and s.word(i - 1) not in PREPOSITIONS | BE)
        or (first == "long" and second in ("time", "enough", "ago", "before"))
        or (
            first == "right"
            and (second in PREPOSITIONS | CONJUNCTIONS or second in word_set("away now then here there back home"))
        )
        or (first == "one" and second in ("more", "of", "day", "last"))
        or (first in ("good", "justice", "harm", "wrong") and s.word(i - 1) in DO)
        or (first == "good" and second in ("night", "morning", "bye"))
        or (first in ("goodbye", "goodnight", "farewell", "daily", "weekly") and (not second or second in CLOSERS))
        or (first == "hand" and second == "and" and s.word(i + 3) == "foot")
    )
