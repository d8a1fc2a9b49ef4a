"""The perturbation sets of the flips: every text whose people can be flipped along an axis, and its neutral swaps."""

from pathlib import Path

import pandas as pd

from emoscope.experiments.flips.axes import AXES
from emoscope.perturbation.neutral_swaps import NeutralLexicon, neutral_pairs
from emoscope.perturbation.pair_sets import pair_row, pair_table
from emoscope.storage.files import write_table


def flip_terms(test: Path, lexicon: Path, neutral: Path, published: Path, axis: str, output: Path) -> None:
    """Write the pairs of one axis: the test texts, the paper's own pairs if it has some, and the axis's templates.

    Test texts and templates get neutral swaps; a template's stand in the same template.
    """
    texts, along = pd.read_parquet(test), AXES[axis]
    words = along.rules.load(lexicon)
    filled = [(template.text, template.frame) for template in along.rules.templates(words)]
    extra = pd.DataFrame(filled, columns=["text", "cluster"]).assign(origin="template", term="")
    if along.published:
        own = pd.read_csv(published)
        extra = pd.concat([extra, own.assign(origin="published", term=own["pair"], cluster=own["text"])])
    extra = extra.reset_index(drop=True)
    extra = extra.assign(id=-1 - extra.index, label=-1)  # never the id of a test text
    rows = []
    for row in pd.concat([texts.assign(origin="natural", term="", cluster=texts["text"]), extra]).itertuples():
        pair = along.rules.flip(row.text, words)
        direction = along.direction(pair, words)
        rows.append(pair_row(row.id, axis, row.origin, row.term, row.label, pair, direction, row.cluster))
    pairs = pair_table(rows)
    swaps = NeutralLexicon.load(neutral).known_in(texts["text"])
    swapped = [
        neutral_pairs(pairs[pairs["origin"] == "natural"], swaps, others=texts),
        neutral_pairs(pairs[pairs["origin"] == "template"], swaps, others=texts[:0]),
    ]
    write_table(pd.concat([pairs, *swapped], ignore_index=True), output)
