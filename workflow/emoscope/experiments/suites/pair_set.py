"""A suite as a perturbation set: pairs that others wrote, what differs in them, and their neutral swaps."""

import re
from difflib import SequenceMatcher
from pathlib import Path

import pandas as pd

from emoscope.data.known_texts import one_stands_in
from emoscope.errors import UserError
from emoscope.experiments.suites.readers import DOWN, UP, read_suite
from emoscope.perturbation.edits import Perturbation
from emoscope.perturbation.null.balance import balance as balance_of
from emoscope.perturbation.null.balance import balanced
from emoscope.perturbation.null.frequencies import Frequencies
from emoscope.perturbation.null.neutral_lexicon import NeutralLexicon
from emoscope.perturbation.null.neutral_swaps import neutral_pairs
from emoscope.perturbation.pair_sets import pair_row, pair_table
from emoscope.perturbation.pairs import SUITE
from emoscope.storage.decisions import has_several
from emoscope.storage.files import read_json, write_table

PIECES = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
WORDS = re.compile(r"\w+(?:['\u2019]\w+)*(?: \w+)?")  # one word, or two as in african american


def import_suite(
    suite: str, config: dict, train: Path, audit: Path, neutral: Path, pairs: Path, balance: Path
) -> None:  # fmt: skip
    """Write the pairs of a suite with the columns of every perturbation set, `goal`, `people` and `known`, whether one
    of their texts stands in the training set, and its neutral swaps' balance.

    `term` is the group. Only pairs that exchange words one for one have a null: that of a rewritten clause would be as
    many rewritten clauses, which no list offers.
    """
    about, texts = read_json(audit), pd.read_parquet(train)
    classes, left_out = about["classes"], about.get("left_out", {})
    numbered = not left_out and about.get("order", classes) == classes  # or a model's own numbers mean other classes
    own = read_suite(config, classes, numbered, left_out)
    if has_several(texts) and own["goal"].isin((UP, DOWN)).any():
        raise UserError(f"{config['path']}: {UP} and {DOWN} need one class a text; this corpus gives several labels")
    made = pair_table(
        pair_row(
            number,
            suite,
            SUITE,
            row.group,
            row.label,
            Perturbation(row.before, row.after, changed_spans(row.before, row.after)),
            row.direction,
            row.cluster,
        )
        for number, row in enumerate(own.itertuples())
    )
    swaps = NeutralLexicon.load(neutral)
    known = Frequencies.of(texts, swaps.words)
    exchanged = made[[_word_for_word(row) for row in made.itertuples()]]
    swapped = balanced(exchanged, neutral_pairs(exchanged, swaps, known), known)
    write_table(balance_of(made, swapped, known), balance)
    said = ["goal", "people"]
    made[said] = own[said].loc[made["id"]].to_numpy()
    both = pd.concat([made, swapped.assign(**dict.fromkeys(said, ""))], ignore_index=True)
    write_table(both.assign(known=one_stands_in(both, texts["text"])), pairs)


def changed_spans(before: str, after: str) -> tuple[tuple[int, int, int, int], ...]:
    """Where two texts differ, as (start, end) in the one and in the other, word by word where as many words stand in
    both; texts that differ in blanks alone differ as a whole."""
    sides = [list(PIECES.finditer(text)) for text in (before, after)]
    matcher = SequenceMatcher(None, *([piece[0] for piece in side] for side in sides), autojunk=False)
    spans = []
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        count = end - start if end - start == new_end - new_start else 1
        cuts = [_cut(start, end, count), _cut(new_start, new_end, count)]
        spans += [_place(sides[0], *own) + _place(sides[1], *other) for own, other in zip(*cuts, strict=True)]
    return tuple(spans) or ((0, len(before), 0, len(after)),)


def _cut(start: int, end: int, count: int) -> list[tuple[int, int]]:
    """A stretch of pieces as `count` stretches: each piece alone, or all together."""
    return [(start, end)] if count == 1 else [(at, at + 1) for at in range(start, end)]


def _place(pieces: list[re.Match], start: int, end: int) -> tuple[int, int]:
    """Characters that pieces take up; of none, the point behind those before."""
    if start < end:
        return pieces[start].start(), pieces[end - 1].end()
    point = pieces[start - 1].end() if start else 0
    return point, point


def _word_for_word(pair: tuple) -> bool:
    return all(
        WORDS.fullmatch(text[start:end])
        for begin, stop, new_begin, new_stop in pair.spans
        for text, start, end in ((pair.text, begin, stop), (pair.perturbed, new_begin, new_stop))
    )
