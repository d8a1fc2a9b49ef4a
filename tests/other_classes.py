"""A configuration and texts with classes of any names and number, which the texts name."""

from random import Random

import pandas as pd

CONFIG = """
corpora: {mine: {source: csv, path: mine.csv, text: tweet, label: emotion, group: dialect, classes: [%s]}}
models: {scratch: {blocks: 2, heads: 2, width: 16, vocabulary: 400, context: 64}}
runs:
  - name: mine
    corpus: mine
    model: scratch
    training: {epochs: 4, batch_size: 32, learning_rate: 1.0e-2, balance: weights}
samples: {per_class: 5}
flips: {averaged_pairs: 10, traced_pairs: 1}
words: {cut: 60, steps: 8, orders: 1}
attention: {texts: 3}
statistics: {resamples: 200}
companions: []
"""


def tweets(classes: list[str], rows: int) -> pd.DataFrame:
    """Texts that name their class, later ones being rarer, and people, and words with synonyms and neutral twins."""
    draw = Random(0)
    people = ["he", "she", "my brother", "my sister", "the black man", "my friend"]
    ends = ["on the bus", "in the train", "all the time", "and people know it", "after a little tea", "at work today"]
    labels = draw.choices(classes, [1 / (2 + place) for place in range(len(classes))], k=rows)
    texts = [f"{draw.choice(people)} said i feel {name} {draw.choice(ends)} {draw.choice(ends)}" for name in labels]
    dialects = [draw.choice(["north", "south", "<east>", ""]) for _ in range(rows)]
    return pd.DataFrame({"tweet": texts, "emotion": labels, "dialect": dialects})
