"""The perturbation set of the synonyms with its neutral swaps, and the word counts that synonyms were chosen from."""

from collections import ChainMap
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.synonyms.counts import count_words as count
from emoscope.experiments.synonyms.counts import stopwords
from emoscope.experiments.synonyms.replace import SynonymTable, holds, replace, replace_published
from emoscope.perturbation.edits import tokenise
from emoscope.perturbation.null.balance import balance as balance_of
from emoscope.perturbation.null.balance import balanced
from emoscope.perturbation.null.frequencies import Frequencies
from emoscope.perturbation.null.neutral_lexicon import NeutralLexicon
from emoscope.perturbation.null.neutral_swaps import neutral_pairs
from emoscope.perturbation.pair_sets import joined, pair_row, pair_table
from emoscope.storage.decisions import truth_of
from emoscope.storage.files import read_json, write_table


def count_words(test: Path, audit: Path, stop_words: Path, config: dict, output: Path) -> None:
    """Write each class's most frequent words: `stop_words, class, rank, word, count`.

    `published` leaves the paper's stop words out; `stripped` also their forms without apostrophe (`dont`), which the
    tweets are written in.
    """
    texts, classes = pd.read_parquet(test), read_json(audit)["classes"]
    truth = truth_of(texts, len(classes))
    rows = []
    for kind, strip in (("published", False), ("stripped", True)):
        excluded = stopwords(stop_words, strip)
        for number, name in enumerate(classes):
            words = count(texts.loc[truth[:, number], "text"], excluded)
            common = words.most_common(config["words_per_class"])
            rows += [(kind, name, rank, word, n) for rank, (word, n) in enumerate(common, start=1)]
    write_table(pd.DataFrame(rows, columns=["stop_words", "class", "rank", "word", "count"]), output)


def replace_words(
    train: Path, test: Path, audit: Path, synonyms: Path, neutral: Path, pairs: Path, balance: Path
) -> None:
    """Write the pairs that the synonym table makes, their neutral swaps, and how well these match.

    They are made as published, and word by word without looking at the label.
    """
    texts, classes = pd.read_parquet(test).rename(columns={"labels": "label"}), read_json(audit)["classes"]
    table = SynonymTable.load(synonyms)
    rows = []
    for row, true in zip(texts.itertuples(), truth_of(texts, len(classes)), strict=True):
        own = [table.by_class.get(classes[number], {}) for number in np.flatnonzero(true)]
        pair = replace_published(row.text, dict(ChainMap(*own)))
        rows.append(pair_row(row.id, "synonyms", "published", "", row.label, pair))
    words = [{token.lower for token in tokenise(text)} for text in texts["text"]]  # once, not for every synonym
    for word in dict.fromkeys(word for word, _ in table.mapping):  # in each part of speech at once: a text is one pair
        mapping = {key: synonym for key, synonym in table.mapping.items() if key[0] == word}
        for row, held in zip(texts.itertuples(), words, strict=True):
            if holds(held, mapping):
                pair = replace(row.text, mapping, table.label_bearing)
                rows.append(pair_row(row.id, "synonyms", "word", word, row.label, pair))
    made = pair_table(rows)
    swaps = NeutralLexicon.load(neutral)
    known = Frequencies.of(pd.read_parquet(train), swaps.words)
    swapped = balanced(made, neutral_pairs(made, swaps, known), known)
    write_table(balance_of(made, swapped, known), balance)
    write_table(joined([made, swapped]), pairs)
