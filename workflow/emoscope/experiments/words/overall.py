"""Which words push each class up and down over the explained texts, and which of them its own texts do not bear out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emoscope.data.text_words import words_of
from emoscope.experiments.words.methods import SPECIAL
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.rates import wilson_interval
from emoscope.storage.decisions import truth_of

FEWEST_TEXTS = 3  # that a word must stand in
PUSHES = ["class", "word", "value", "low", "high", "texts", "share", "share_low", "share_high", "expected", "shortcut"]


def pushes(
    scores: pd.DataFrame, texts: pd.DataFrame, method: str, train: pd.DataFrame, classes: Sequence[str], options: dict
) -> pd.DataFrame:
    """By class and word, the mean score over the explained texts that it stands in, with interval.

    Beside it is the `share` of training texts with the word that have the class, with interval, and the share of all
    that do (`expected`): a word that pushes a class up although its share is not above that is a `shortcut`, or the
    word of another class whose company the model learnt.
    """
    said = dict(zip(texts["id"], texts["text"], strict=True))
    own = scores[scores["word"] != SPECIAL]
    words = [said[row[0]][row[1] : row[2]].lower() for row in zip(own["id"], own["start"], own["end"], strict=True)]
    own = own[["id", "class", method]].assign(said=words)
    often = own.groupby("said")["id"].nunique()
    own = own[own["said"].isin(often.index[often >= FEWEST_TEXTS])]
    shares = learnt(train, sorted(set(own["said"])), classes, options["alpha"])
    rows = []
    for (name, word), part in own.groupby(["class", "said"], sort=True):
        if part["id"].nunique() < FEWEST_TEXTS:
            continue
        values, ids = part[method].to_numpy(dtype=float), part["id"].to_numpy()
        low, high = bootstrap_mean(values, ids, **options)
        told = shares.loc[word, name]
        unsupported = bool(low > 0 and not told["share_low"] > told["expected"])
        rows.append((name, word, values.mean(), low, high, len(set(ids)), *told, unsupported))
    return pd.DataFrame(rows, columns=PUSHES)


def learnt(train: pd.DataFrame, words: Sequence[str], classes: Sequence[str], alpha: float) -> pd.DataFrame:
    """By word and class, the `share` of the training texts with the word that have the class, its interval, and the
    share of all training texts that have it."""
    truth = truth_of(train, len(classes))
    wanted, counts = {word: place for place, word in enumerate(words)}, np.zeros((len(words), len(classes)))
    texts = np.zeros(len(words))
    for text, true in zip(train["text"], truth, strict=True):
        found = [wanted[word] for word in {text[slice(*place)].lower() for place in words_of(text)} if word in wanted]
        counts[found] += true
        texts[found] += 1
    with np.errstate(invalid="ignore"):
        share = counts / texts[:, None]
    low, high = wilson_interval(counts, texts[:, None], alpha)
    columns = {
        "share": share,
        "share_low": low,
        "share_high": high,
        "expected": np.tile(truth.mean(axis=0), (len(words), 1)),
    }
    index = pd.MultiIndex.from_product([words, classes], names=["word", "class"])
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)
