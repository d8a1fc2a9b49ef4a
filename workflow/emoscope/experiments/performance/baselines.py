"""What the cheapest classifiers make of a corpus' test texts: what a fine-tuned model's accuracy is seen beside."""

from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.storage.files import read_json, write_table
from emoscope.training.baselines import best_constant, log_odds, word_features


def predict_baselines(train: Path, test: Path, audit: Path, predictions: Path) -> None:
    """Write `id, method, pred` for the test texts: `words`, a logistic regression of words and pairs of words, learnt
    on all of the training texts, and `constant`, their most frequent class."""
    training, testing = map(pd.read_parquet, (train, test))
    truth = np.eye(len(read_json(audit)["classes"]), dtype=np.int8)[training["label"]]
    words, asked = word_features(training["text"], testing["text"])
    found = {
        "words": log_odds(words, truth, asked).argmax(axis=1),
        "constant": np.full(len(testing), best_constant(truth, single=True).argmax()),
    }
    tables = [pd.DataFrame({"id": testing["id"], "method": method, "pred": pred}) for method, pred in found.items()]
    write_table(pd.concat(tables, ignore_index=True), predictions)
