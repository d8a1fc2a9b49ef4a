"""Flips of training texts, from which it can be learned how a classifier's states tell two groups of people apart."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from emoscope.experiments.flips.axes import AXES
from emoscope.perturbation.pair_sets import pair_row, pair_table
from emoscope.perturbation.pairs import UNFIT
from emoscope.storage.files import write_table


def flip_training_texts(train: Path, lexicon: Path, axis: str, config: dict, pairs: Path) -> None:
    """Write the perturbation set of at most `config["pairs"]` distinct training texts, drawn by `config["seed"]`, that
    name one group of an axis and no other and whose flips count."""
    along = AXES[axis]
    words = along.rules.load(lexicon)
    texts = pd.read_parquet(train).rename(columns={"labels": "label"}).drop_duplicates("text")
    rows: list[tuple] = []
    shuffled = texts.sample(frac=1, random_state=config["seed"])
    for text in tqdm(shuffled.itertuples(), desc=f"flips of {axis}", total=len(shuffled), mininterval=2):
        if len(rows) == config["pairs"]:
            break
        pair = along.rules.flip(text.text, words)
        direction = along.direction(pair, words)
        if direction != "mixed" and UNFIT.isdisjoint(pair.flags):
            rows.append(pair_row(text.id, axis, "natural", "", text.label, pair, direction))
    write_table(pair_table(rows), pairs)
