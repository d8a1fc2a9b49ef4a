"""What the cheapest classifiers make of a corpus' test texts: what a fine-tuned model's accuracy is seen beside."""

from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.storage.decisions import as_column, has_several, truth_of
from emoscope.storage.files import read_json, write_table
from emoscope.training.baselines import best_constant, log_odds, word_features


def predict_baselines(train: Path, test: Path, audit: Path, predictions: Path) -> None:
    """Write `id, method, pred` for the test texts: `words`, a logistic regression of words and pairs of words for each
    class, learnt on all of the training texts, and `constant`, their most frequent class.

    Of several labels a text, `words` gives those that are more likely than not, `constant` their most frequent set.
    """
    training, testing = map(pd.read_parquet, (train, test))
    truth = truth_of(training, len(read_json(audit)["classes"])).astype(np.int8)
    words, asked = word_features(training["text"], testing["text"])
    odds = log_odds(words, truth, asked)
    if has_several(training):
        sets, counts = np.unique(truth, axis=0, return_counts=True)
        constant = np.tile(sets[counts.argmax()], (len(testing), 1))
        found = {"words": as_column(odds > 0), "constant": as_column(constant)}
    else:
        found = {
            "words": odds.argmax(axis=1),
            "constant": np.full(len(testing), best_constant(truth, single=True).argmax()),
        }
    tables = [pd.DataFrame({"id": testing["id"], "method": method, "pred": pred}) for method, pred in found.items()]
    write_table(pd.concat(tables, ignore_index=True), predictions)
