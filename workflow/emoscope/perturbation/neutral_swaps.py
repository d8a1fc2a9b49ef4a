"""The null baseline of every perturbation: in a text like it, as many neutral words are exchanged.

A classifier never gives quite the same answer to two texts. What a flip or a synonym does means something only beyond
what exchanging as many words does that tell of no emotion, gender or race: bus and train, tea and coffee.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from emoscope.errors import UserError
from emoscope.perturbation.edits import (
    Perturbation,
    Phrase,
    Token,
    match_case,
    perturb,
    places_of,
    tokenise,
    with_articles,
)
from emoscope.perturbation.lexicons import read_rows
from emoscope.perturbation.pair_sets import pair_row, pair_table
from emoscope.perturbation.pairs import NEUTRAL_OF, countable

ARTICLES = ("a", "an")  # mended, not exchanged
SEED = 0  # of the order in which texts are borrowed


@dataclass(frozen=True)
class NeutralLexicon:
    """swaps: each neutral word and the one that takes its place, both ways; fixed: phrases that are left alone."""

    swaps: Mapping[str, str]
    fixed: frozenset[Phrase]

    @classmethod
    def load(cls, path: str | Path) -> "NeutralLexicon":
        """Read a CSV with the columns word, other and kind: swap (two words) or fixed (a phrase, and nothing)."""
        swaps: dict[str, str] = {}
        fixed: set[Phrase] = set()
        for line, row in read_rows(path, ("word", "other", "kind")):
            word, other, kind = (row[column].lower() for column in ("word", "other", "kind"))
            if kind == "fixed" and word and not other:
                fixed.add(tuple(word.split()))
            elif kind == "swap" and word and other and word != other:
                if taken := {word, other} & swaps.keys():
                    raise UserError(f"{path}, line {line}: {min(taken)!r} already has another counterpart")
                swaps |= {word: other, other: word}
            else:
                raise UserError(
                    f"{path}, line {line}: needs two words and the kind swap, or a phrase and the kind fixed, has "
                    f"{','.join(row.values())!r}"
                )
        # what a fixed phrase would become is fixed too, or exchanging twice would not give the text back
        fixed |= {tuple(swaps.get(word, word) for word in phrase) for phrase in fixed}
        return cls(swaps, frozenset(fixed))

    def known_in(self, texts: Iterable[str]) -> "NeutralLexicon":
        """Only the pairs of which both words stand in the texts: a word new to a model would move it by itself."""
        words = {token.lower for text in texts for token in tokenise(text)}
        known = {word: other for word, other in self.swaps.items() if {word, other} <= words}
        return replace(self, swaps=known)

    def places(self, tokens: list[Token]) -> list[Token]:
        """The words of a text that can be exchanged."""
        fixed = places_of([token.lower for token in tokens], self.fixed)
        return [token for i, token in enumerate(tokens) if token.lower in self.swaps and i not in fixed]


def swap_neutral(text: str, lexicon: NeutralLexicon, count: int | None = None) -> Perturbation:
    """Exchange neutral words, all of them or `count` drawn by chance, the same ones each time; a/an is mended.

    Exchanging all twice gives the text back. Raises ValueError if the text offers fewer than `count`.
    """
    tokens = tokenise(text)
    places = lexicon.places(tokens)
    chosen = places if count is None else random.Random(text).sample(places, count)
    edits = [(t.start, t.end, match_case(t.text, lexicon.swaps[t.lower])) for t in chosen]
    return perturb(text, with_articles(tokens, edits))


def neutral_pairs(pairs: pd.DataFrame, lexicon: NeutralLexicon, others: pd.DataFrame) -> pd.DataFrame:
    """The neutral swaps to compare pairs with: one for each distinct text of an origin, if its pair counts.

    As many neutral words are swapped as the pair changes words: in the same text if it has so many, else in the next of
    `others` (columns `text`, `label`; shuffled once) that has, is not of this origin and was not yet borrowed for it.
    If there is none, the pair has no neutral swap.
    """

    @cache
    def offers(text: str) -> int:
        return len(lexicon.places(tokenise(text)))

    others = others.drop_duplicates("text").sample(frac=1, random_state=SEED)
    rows = []
    counted = pairs[countable(pairs)].drop_duplicates(["origin", "text"])
    for _, kind in counted.groupby("origin", sort=False):
        own = set(kind["text"])
        spare = {row.text: row.label for row in others.itertuples() if row.text not in own}
        for pair in kind.itertuples():
            count = words_changed(pair)
            text, label, flags = pair.text, pair.label, ()
            if offers(text) < count:
                text = next((text for text in spare if offers(text) >= count), None)
                if text is None:
                    continue
                label, flags = spare.pop(text), ("borrowed",)
            swapped = replace(swap_neutral(text, lexicon, count), flags=flags)
            rows.append(pair_row(pair.id, pair.axis, NEUTRAL_OF[pair.origin], "", label, swapped, cluster=pair.cluster))
    return pair_table(rows)


def words_changed(pair) -> int:
    """How many words or phrases a pair exchanges; mended articles do not count."""
    return sum(pair.text[start:end].lower() not in ARTICLES for start, end, _, _ in pair.spans)
