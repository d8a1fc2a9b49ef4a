"""The cheapest classifiers that could do a task: what a trained model's score has to be seen beside.

A logistic regression for each class, of words or of a frozen model's states, and the one answer that suits most texts.
Their only setting is the same for all and was fixed before any result: rows have a length of about 1, and before a text
is seen the variance of a logit is PRIOR, so that a class may well have a probability of 0.05 or 0.95.
"""

import re
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

PRIOR = 10.0
CERTAIN = 20.0  # log-odds where all training texts have one answer
# of scripts without blanks between words: Thai and Lao, Burmese, Khmer, Japanese syllables, Chinese characters
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def word_features(training: Sequence[str], asked: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
    """TF-IDF of the training texts' words and pairs of neighbouring words; rows of length 1.

    Where most of these texts are `without_blanks`, so that a whole sentence would be one word, or none has a word, as
    where all are emoji, of characters and up to three neighbouring ones.
    """
    if 2 * sum(map(without_blanks, training)) > len(training) or not any(re.search(r"\w", text) for text in training):
        counter = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    else:
        counter = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\b\w+\b")  # words of one letter count, too
    return counter.fit_transform(training), counter.transform(asked)


def without_blanks(text: str) -> bool:
    """Whether more than half of the characters are of a script without blanks between words, and fewer than one in ten
    is a blank: words that somebody has set apart are words."""
    unspaced = sum(map(len, UNSPACED.findall(text)))
    return 2 * unspaced > len(text) and 10 * (len(text.split()) - 1) < len(text)


def state_features(training: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """States (texts, width), each dimension standardised on the training texts; rows of a length of about 1."""
    scaler = StandardScaler().fit(training)
    return tuple(scaler.transform(states) / np.sqrt(training.shape[1]) for states in (training, asked))


def log_odds(
    training: csr_matrix | np.ndarray, truth: np.ndarray, asked: csr_matrix | np.ndarray, balanced: bool = False
) -> np.ndarray:
    """Log-odds (asked texts, classes) by a logistic regression for each class; `truth` is 0/1, (training, classes).

    `balanced`: in each class, texts that have it weigh as much together as those that do not.
    """
    found = np.empty((asked.shape[0], truth.shape[1]))
    for number, column in enumerate(truth.T.astype(bool)):
        if column.all() or not column.any():
            found[:, number] = CERTAIN if column.all() else -CERTAIN
            continue
        # the dual is as exact as the primal and, for words, several times as fast
        fitted = LogisticRegression(
            C=PRIOR,
            solver="liblinear",
            dual=True,
            class_weight="balanced" if balanced else None,
            max_iter=1000,
            random_state=0,
        ).fit(training, column)
        found[:, number] = fitted.decision_function(asked)
    return found


def best_constant(truth: np.ndarray, single: bool) -> np.ndarray:
    """The answer, bool (classes,), that does best on `truth` (training texts, classes) when it is given to every text.

    If `single`, the most frequent class. Else the set of labels with the highest micro F1: the most frequent ones, so
    many of them that one more would lower it.
    """
    counts = truth.sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    sizes = np.arange(1, len(counts) + 1)
    f1 = 2 * counts[order].cumsum() / (sizes * len(truth) + counts.sum())
    return np.isin(np.arange(len(counts)), order[: 1 if single else sizes[f1.argmax()]])
