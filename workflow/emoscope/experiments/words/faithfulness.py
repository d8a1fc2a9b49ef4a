"""Whether the words that a method names are those that the classifier goes by: take them away, or leave only them.

Every text is altered in three ways, since each is unlike real texts in its own: words are `cut` out, `resampled` from
other texts, or `padded` where they stand.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.words.methods import BINS, KINDS, SHARES
from emoscope.experiments.words.read_texts import Reading, read_texts
from emoscope.experiments.words.removal import Reader, Removal
from emoscope.experiments.words.scores import Scored, first_answers, ranked
from emoscope.models.inside.integration import centred
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import probabilities
from emoscope.storage.files import write_table

SUBSETS = 12  # random sets of words of each text, for infidelity


def measure_faithfulness(
    model: Path, texts: Path, scores: Path, seed: int, prediction: dict, curves: Path, faithfulness: Path,
    planted: list[Path] = (),
) -> None:  # fmt: skip
    """Write what is left of the probability of each text's first class, `id, method, kind, part, share, probability`:
    `without` so many of its first words, or `with` them alone; and `faithfulness_of` for each text."""
    classifier, tokenizer = load_classifier(model)
    table = pd.read_parquet(texts)
    readings = dict(zip(table["id"], read_texts(tokenizer, table["text"].tolist()), strict=True))
    known = pd.read_parquet(planted[0]) if planted else None
    found = list(first_answers(pd.read_parquet(scores), known, seed))
    own = [readings[one.id] for one in found]
    reader = Reader(classifier, tokenizer, prediction["tokens_per_batch"])
    others = other_words(own, seed)
    left, infidel = [], []
    for kind in KINDS:
        left.append(curves_of(reader, own, found, kind, others))
        infidel.append(infidelity_of(reader, own, found, kind, others, seed))
    table = pd.concat(left, ignore_index=True)
    write_table(table, curves)
    write_table(faithfulness_of(table).merge(pd.concat(infidel), on=["id", "method", "kind"], how="left"), faithfulness)


def other_words(readings: Sequence[Reading], seed: int) -> list[list[str]]:
    """For each word of each text, another text's word, drawn at random: so frequent words are drawn often."""
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(len(readings)), [len(reading.words) for reading in readings])
    words = np.array(
        [reading.word(number) for reading in readings for number in range(len(reading.words))], dtype=object
    )
    drawn = []
    for row, reading in enumerate(readings):
        pool = words[owners != row] if len(readings) > 1 else words
        drawn.append(list(rng.choice(pool, len(reading.words))))
    return drawn


def answered(
    reader: Reader, readings: Sequence[Reading], removals: Sequence[Removal], kind: str, others: Sequence[Sequence[str]]
) -> np.ndarray:
    """Logits (removals, classes) of texts of which only some words stay, altered in one of KINDS."""
    match kind:
        case "cut":
            return reader.without(readings, removals)
        case "resampled":
            return reader.without(readings, removals, others)
        case "padded":
            owners = [readings[row].owners for row, _ in removals]
            tokens = [(row, kept[own] & (own >= 0)) for (row, kept), own in zip(removals, owners, strict=True)]
            return reader.padded(readings, tokens)
    raise ValueError(f"no such way to take words away: {kind}")


def curves_of(
    reader: Reader, readings: Sequence[Reading], found: Sequence[Scored], kind: str, others: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """The probability of the first class without the words that each method ranks first, and with these alone."""
    classes = classes_of(reader.model)
    keys, removals = [], {}
    for row, one in enumerate(found):
        for name, scores in one.scores.items():
            ranks = np.argsort(ranked(scores))
            for share in SHARES:
                first = ranks < np.ceil(share * len(ranks))
                for part, kept in (("without", ~first), ("with", first)):
                    removal = removals.setdefault((row, kept.tobytes()), (row, kept))
                    keys.append((one.id, name, kind, part, share, row, removal[1].tobytes()))
    logits = answered(reader, readings, list(removals.values()), kind, others)
    by_removal = dict(zip(removals, probabilities(reader.model, logits), strict=True))
    numbers = {row: classes.index(one.answer) for row, one in enumerate(found)}
    values = [by_removal[row, kept][numbers[row]] for *_, row, kept in keys]
    columns = ["id", "method", "kind", "part", "share"]
    return pd.DataFrame([key[:5] for key in keys], columns=columns).assign(probability=values)


def faithfulness_of(curves: pd.DataFrame) -> pd.DataFrame:
    """By text, method and kind: `comprehensiveness`, by how much the probability falls without the first words, and
    `sufficiency`, by how much it falls with these alone, both means over BINS (DeYoung et al. 2020, "ERASER"); and the
    areas below both curves, `deletion` and `insertion` (Petsiuk et al. 2018, "RISE")."""
    wide = curves.pivot_table(
        index=["id", "method", "kind"], columns=["part", "share"], values="probability", sort=False
    )
    whole = wide["without"][[0.0]].to_numpy()
    found = {
        "comprehensiveness": (whole - wide["without"][list(BINS)].to_numpy()).mean(axis=1),
        "sufficiency": (whole - wide["with"][list(BINS)].to_numpy()).mean(axis=1),
        "deletion": np.trapezoid(wide["without"][list(SHARES)].to_numpy(), SHARES, axis=1),
        "insertion": np.trapezoid(wide["with"][list(SHARES)].to_numpy(), SHARES, axis=1),
    }
    return pd.DataFrame(found, index=wide.index).reset_index()


def infidelity_of(
    reader: Reader,
    readings: Sequence[Reading],
    found: Sequence[Scored],
    kind: str,
    others: Sequence[Sequence[str]],
    seed: int,
) -> pd.DataFrame:
    """By text and method, how badly the scores of random sets of words say by how much the explained logit falls
    without them: the mean squared error, after the best scaling that keeps signs, over the mean square of the falls.

    0 is perfect, 1 no better than saying nothing; infidelity of Yeh et al. (2019) with optimal scaling.
    """
    rng = np.random.default_rng(seed)
    classes, removals = classes_of(reader.model), []
    for row, reading in enumerate(readings):
        words = len(reading.words)
        for size in rng.integers(1, words + 1, SUBSETS):
            kept = np.ones(words, dtype=bool)
            kept[rng.permutation(words)[:size]] = False
            removals.append((row, kept))
        removals.append((row, np.ones(words, dtype=bool)))
    logits = centred(reader.model, answered(reader, readings, removals, kind, others))
    rows = []
    for one, start in zip(found, range(0, len(removals), SUBSETS + 1), strict=True):
        own = logits[start : start + SUBSETS + 1, classes.index(one.answer)]
        falls = own[-1] - own[:-1]
        gone = np.array([~kept for _, kept in removals[start : start + SUBSETS]])
        for name, scores in one.scores.items():
            rows.append((one.id, name, kind, unexplained(gone @ scores, falls)))
    return pd.DataFrame(rows, columns=["id", "method", "kind", "infidelity"])


def unexplained(told: np.ndarray, falls: np.ndarray) -> float:
    """The share of the mean square of `falls` that the best multiple >= 0 of `told` leaves; NaN where nothing falls."""
    square = (falls**2).mean()
    scale = max((told * falls).mean() / max((told**2).mean(), 1e-30), 0)
    return float(((scale * told - falls) ** 2).mean() / square) if square > 1e-12 else np.nan
