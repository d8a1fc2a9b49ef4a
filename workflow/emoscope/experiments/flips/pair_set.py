"""The perturbation sets of the flips: every text whose people can be flipped along an axis, and its neutral swaps."""

from pathlib import Path

import pandas as pd

from emoscope.experiments.flips.axes import AXES
from emoscope.perturbation.lexicons import given_names
from emoscope.perturbation.null.balance import balance as balance_of
from emoscope.perturbation.null.balance import balanced
from emoscope.perturbation.null.frequencies import Frequencies
from emoscope.perturbation.null.neutral_lexicon import NeutralLexicon
from emoscope.perturbation.null.neutral_swaps import name_pairs, name_swaps, neutral_pairs
from emoscope.perturbation.pair_sets import joined, pair_row, pair_table
from emoscope.storage.files import write_table


def flip_terms(
    train: Path, test: Path, lexicon: Path, neutral: Path, names: Path, published: Path, axis: str, pairs: Path,
    balance: Path,
) -> None:  # fmt: skip
    """Write the pairs of one axis: the test texts, the paper's own pairs if it has some, and the axis's templates; and
    the balance of their neutral swaps.

    Test texts and templates get neutral swaps, matched on frequencies in the training texts; beside them names are
    exchanged within one gender.
    """
    texts, along = pd.read_parquet(test).rename(columns={"labels": "label"}), AXES[axis]
    words = along.rules.load(lexicon)
    templates = list(along.rules.templates(words))
    filled = [(template.text, template.frame) for template in templates]
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
    made = pair_table(rows)
    swaps, people = NeutralLexicon.load(neutral), given_names(names)
    known = Frequencies.of(pd.read_parquet(train), swaps.words.union(*people.values()))
    swapped = balanced(made, neutral_pairs(made[made["origin"] != "published"], swaps, known), known)
    named = name_swaps(texts, [template.frame for template in templates], name_pairs(people, known), axis)
    write_table(balance_of(made, swapped, known), balance)
    write_table(joined([made, swapped, named]), pairs)
