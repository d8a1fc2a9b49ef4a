"""The null baseline of every perturbation: as many neutral words of the same text exchanged, matched word for word.

A classifier never gives quite the same answer to two texts. What a flip or a synonym does means something only beyond
what exchanging like words does that tell of no emotion, gender or race: bus and train, they and we. Like means: of the
same part of speech, about as frequent, becoming as much rarer, near the same place. A text that offers no such words
has no null. A second null exchanges a given name for another one of the same gender.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from emoscope.perturbation.edits import Perturbation, match_case, perturb, places_of, tokenise, with_articles
from emoscope.perturbation.english.sentences import Sentence
from emoscope.perturbation.english.word_classes import CONJUNCTIONS, PARTICLES
from emoscope.perturbation.null.exchanged import Exchanged, exchanged_words, part_at, read
from emoscope.perturbation.null.frequencies import Frequencies
from emoscope.perturbation.null.neutral_lexicon import NEUTRAL_KINDS, NeutralLexicon
from emoscope.perturbation.pair_sets import pair_row, pair_table
from emoscope.perturbation.pairs import NAMES_OF, NEUTRAL_OF, countable, distinct

# How unlike a neutral word may be, in powers of ten, settled before any prediction was seen: the word itself up to ten
# times as frequent or as rare; that it becomes more or less frequent, by a factor of up to three more or less.
FREQUENCY, CHANGE = 1.0, 0.5
# The part of speech of a kind of neutral words that is none itself.
PART_OF = {"subject": "pronoun", "object": "pronoun", "transitive": "verb", "infinitive": "verb"}

ATTRIBUTIVE = ("certain", "present", "real")  # these mean something else, or their substitutes nothing, behind a noun


class Place(NamedTuple):
    """A word of a text that may be exchanged, and by what."""

    index: int
    part: str
    substitutes: tuple[str, ...]


def places(s: Sentence, lexicon: NeutralLexicon) -> Iterator[Place]:
    """The words of a text that can be exchanged where they stand."""
    fixed = places_of(s.words, lexicon.fixed)
    for i, word in enumerate(s.words):
        for kind in NEUTRAL_KINDS if i not in fixed else ():
            found = lexicon.substitutes.get((kind, word), ())
            if found and _fits(s, i, kind):
                yield Place(i, PART_OF.get(kind, kind), tuple(other for other in found if _agrees(s, i, kind, other)))
                break  # a word of several kinds is still one place


def _fits(s: Sentence, i: int, kind: str) -> bool:
    """Whether the word at i is used as that kind, and nothing around it forbids another word."""
    word, before, after, following = s.word(i), s.word(i - 1), s.word(i + 1), s.tag(i + 1)
    if kind == "subject":
        opens = not before or before in CONJUNCTIONS
        return word != "you" or (opens and following.startswith("V"))
    if kind == "object":
        governed = s.tag(i - 1)[:2] in ("VV", "PR") and not following.startswith("V")
        return (word != "you" or governed) and after not in ("and", "too")
    if kind == "pronoun":
        return word != "it" or not (following[:2] in ("AJ", "AV", "VV") or after in ("to", "s", "self"))
    if kind == "determiner":
        # not its for it is, which the tagger cannot tell apart, nor your for you are: its sad, your amazing
        own = s.tag(i - 1).startswith("PR") if word == "its" else part_at(s, i) == "determiner"
        return own and after != "own" and bool(s.head(i + 1))
    if kind == "attribute":
        return False  # for templates alone
    if part_at(s, i) != PART_OF.get(kind, kind):
        return False
    if word in ATTRIBUTIVE and not s.head(i + 1):
        return False
    if kind == "infinitive":
        return after == "to"
    if kind == "transitive":
        return following[:2] in ("AT", "DP", "DT", "PN", "NN")
    if kind == "verb":
        return after not in PARTICLES | {"to", "like"}
    return kind != "noun" or not following.startswith("NN")


def _agrees(s: Sentence, i: int, kind: str, other: str) -> bool:
    """Whether a determiner can stand before what follows: this needs a singular noun."""
    return kind != "determiner" or other not in ("this", "that") or s.tag(i + 1) == "NN1"


def fair_swap(
    text: str,
    spans: Iterable[tuple[int, int]],
    wanted: Sequence[Exchanged],
    lexicon: NeutralLexicon,
    known: Frequencies,
) -> Perturbation | None:
    """Exchange neutral words outside `spans`, one like each of those `wanted`; None if the text does not offer them.

    Of all ways to choose them, the one with the least sum of squared differences in frequency, in its change, in place,
    in being the last word, and in being a pronoun or a determiner, which otherwise pass for one part of speech: few
    tweets hold another pronoun than i, most hold my. a/an is fixed.
    """
    (tokens, s), spans = read(text), list(spans)
    words = [i for i in range(len(tokens)) if s.word(i)]
    free = [
        place
        for place in places(s, lexicon)
        if not any(start < tokens[place.index].end and tokens[place.index].start < end for start, end in spans)
    ]
    if not wanted or len(free) < len(wanted):
        return None
    costs, chosen = np.full((len(wanted), len(free)), np.inf), {}
    for column, place in enumerate(free):
        frequency = known.log10(s.words[place.index])
        at = words.index(place.index)
        for row, word in enumerate(wanted):
            for other in place.substitutes if _class(place.part) == _class(word.part) else ():
                unlike = frequency - word.frequency, known.log10(other) - frequency - word.change
                if abs(unlike[0]) > FREQUENCY or abs(unlike[1]) > CHANGE:
                    continue
                elsewhere = at / max(len(words) - 1, 1) - word.place
                cost = (unlike[0] / FREQUENCY) ** 2 + (unlike[1] / CHANGE) ** 2 + elsewhere**2
                cost += ((at == len(words) - 1) != word.last) + (place.part != word.part)
                if cost < costs[row, column]:
                    costs[row, column], chosen[row, column] = cost, other
    rows, columns = linear_sum_assignment(np.where(np.isfinite(costs), costs, 1e9))
    if not np.isfinite(costs[rows, columns]).all():
        return None
    swaps = [(tokens[free[column].index], chosen[row, column]) for row, column in zip(rows, columns, strict=True)]
    return _exchange(text, [(token.start, token.end, other) for token, other in swaps])


def _class(part: str) -> str:
    return "pronoun" if part == "determiner" else part


def neutral_pairs(pairs: pd.DataFrame, lexicon: NeutralLexicon, known: Frequencies) -> pd.DataFrame:
    """The neutral swaps to compare pairs with: one for each distinct text, origin and term whose pair counts and whose
    text offers a fair one. In a template, the person is described by neutral words in place of the group's."""
    lexicon = lexicon.only(known.neutral)
    rows = []
    counted = distinct(pairs[countable(pairs)], "origin", "term")
    for number, pair in enumerate(counted.itertuples()):
        spans = [tuple(map(int, span)) for span in pair.spans]
        wanted = exchanged_words(pair.text, pair.perturbed, spans, known)
        swap = None
        if pair.origin == "template":
            swap = described_otherwise(pair.text, spans, wanted, lexicon, known, number)
        swap = swap or fair_swap(pair.text, [span[:2] for span in spans], wanted, lexicon, known)
        if swap:
            origin = NEUTRAL_OF[pair.origin]
            rows.append(pair_row(pair.id, pair.axis, origin, pair.term, pair.label, swap, cluster=pair.cluster))
    return pair_table(rows)


def described_otherwise(
    text: str,
    spans: Sequence[tuple[int, int, int, int]],
    wanted: Sequence[Exchanged],
    lexicon: NeutralLexicon,
    known: Frequencies,
    number: int,
) -> Perturbation | None:
    """A template about a white man as one about a tall man, who becomes a short man: of all pairs of such adjectives
    that are alike enough, the `number`-th, over again. None if another word than one adjective is flipped, or none is.
    """
    if len(wanted) != 1 or wanted[0].part != "adjective":
        return None
    target, fitting = wanted[0], []
    for (kind, word), others in lexicon.substitutes.items():
        for other in others if kind == "attribute" else ():
            frequency = known.log10(word)
            near = abs(frequency - target.frequency) <= FREQUENCY
            if near and abs(known.log10(other) - frequency - target.change) <= CHANGE:
                fitting.append((word, other))
    if not fitting:
        return None
    word, other = sorted(fitting)[number % len(fitting)]
    start = next(start for start, end, _, _ in spans if text[start:end].lower() == target.old)
    neutral = _exchange(text, [(start, start + len(target.old), word)]).perturbed
    start = next(m.start() for m in re.finditer(rf"\b{re.escape(word)}\b", neutral) if abs(m.start() - start) <= 1)
    return _exchange(neutral, [(start, start + len(word), other)])


def name_pairs(names: Mapping[str, Sequence[str]], known: Frequencies) -> dict[str, str]:
    """Each given name that a model has met and the one of the same gender next to it in frequency, both ways; names
    whose frequencies differ by more than a factor of three have none."""
    partners: dict[str, str] = {}
    for own in names.values():
        met = sorted({name for name in own if known.neutral(name)}, key=lambda name: (-known.counts[name], name))
        for name, other in zip(met[::2], met[1::2], strict=False):
            if abs(known.log10(name) - known.log10(other)) <= CHANGE:
                partners |= {name: other, other: name}
    return partners


def swap_names(text: str, partners: Mapping[str, str]) -> Perturbation:
    """Exchange every given name for its partner; doing it twice gives the text back."""
    return _exchange(text, [(t.start, t.end, partners[t.lower]) for t in tokenise(text) if t.lower in partners])


def name_swaps(texts: pd.DataFrame, frames: Iterable[str], partners: Mapping[str, str], axis: str) -> pd.DataFrame:
    """The second null: names exchanged within one gender, in the test texts that hold some, and in the frames of
    templates, in which the next name takes the person's place each time."""
    rows = []
    for row in texts.drop_duplicates("text").itertuples():
        rows.append(pair_row(row.id, axis, NAMES_OF["natural"], "", row.label, swap_names(row.text, partners)))
    for number, (frame, name) in enumerate(zip(frames, cycle(partners)), start=1):
        text = re.sub(r"(?:\b(?:an?|the) )?\{person\}", name, frame)
        swapped = swap_names(text, partners)
        rows.append(pair_row(-number, axis, NAMES_OF["template"], "", -1, swapped, cluster=frame))
    return pair_table(rows)


def _exchange(text: str, edits: Iterable[tuple[int, int, str]]) -> Perturbation:
    """The text with other words, in the capitals of the old ones; a/an is fixed."""
    cased = [(start, end, match_case(text[start:end], other)) for start, end, other in edits]
    return perturb(text, with_articles(tokenise(text), cased))
