"""What the cheapest classifiers make of a corpus' test texts: what a fine-tuned model's accuracy is seen beside."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from emoscope.experiments.performance.names import CHOSEN, WORDS
from emoscope.storage.decisions import as_column, decided, has_several, truth_of
from emoscope.storage.files import read_json, write_table
from emoscope.training.baselines import best_constant, log_odds, word_features
from emoscope.training.best_thresholds import best_thresholds


def predict_baselines(train: Path, validation: Path, test: Path, audit: Path, predictions: Path) -> None:
    """Write `id, method, pred` for the test texts: `words`, a logistic regression of words and pairs of words for each
    class, learnt on all of the training texts, and `constant`, their most frequent class.

    Of several labels a text, `words` gives those that are more likely than not, and `words_chosen`, if the corpus has a
    validation part, those that reach the thresholds with the highest F1 on it; `constant` is the most frequent set, and
    `every_label` gives them all, of all constant answers the one with the highest macro F1.
    """
    training, held, testing = map(pd.read_parquet, (train, validation, test))
    truth = truth_of(training, len(read_json(audit)["classes"])).astype(np.int8)
    words, asked = word_features(training["text"], pd.concat([held["text"], testing["text"]]))
    judged, odds = np.split(log_odds(words, truth, asked), [len(held)])
    if has_several(training):
        found = {name: as_column(given) for name, given in _sets(truth, held, judged, odds).items()}
    else:
        found = {
            WORDS: odds.argmax(axis=1),
            "constant": np.full(len(testing), best_constant(truth, single=True).argmax()),
        }
    tables = [pd.DataFrame({"id": testing["id"], "method": method, "pred": pred}) for method, pred in found.items()]
    write_table(pd.concat(tables, ignore_index=True), predictions)


def _sets(truth: np.ndarray, held: pd.DataFrame, judged: np.ndarray, odds: np.ndarray) -> dict[str, np.ndarray]:
    """By method the decisions, bool (test texts, labels), from log-odds of the validation and of the test texts."""
    given = {WORDS: odds > 0}
    if len(held):
        known, found = (expit(one).astype(np.float32) for one in (judged, odds))
        given[CHOSEN] = decided(found, best_thresholds(truth_of(held, truth.shape[1]), known))
    sets, counts = np.unique(truth, axis=0, return_counts=True)
    constant = np.tile(sets[counts.argmax()], (len(odds), 1))
    return given | {"constant": constant, "every_label": np.ones_like(constant)}
