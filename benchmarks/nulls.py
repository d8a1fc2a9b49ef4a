"""Is the null fair, and is "more than neutral" seldom wrong? `python -m benchmarks nulls FOLDER [everything]`.

FOLDER holds labelled texts as workflow/configs/tweets.yaml reads them: files of `text;class`. For flips and synonyms
of its test part: how many texts offer a fair control, and the balance table; with `everything`, for the gender flips of
all texts, too. Then how often "no more" is said of a rate that exceeds the baseline by the margin, and "more" of one
that is the same, simulated: of independent texts, and of sentences with ten texts each, which differ much in how often
they change, or change as a whole beside a few texts that change by themselves; and how often "more" is said of such
that do change more.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measuring import ROOT
from emoscope.data.corpus import import_corpus
from emoscope.data.split import split_corpus
from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.flips.pair_set import flip_terms
from emoscope.experiments.synonyms.pair_set import replace_words
from emoscope.statistics.rates import excess_interval, excess_verdict

LEXICONS = ROOT / "data" / "lexicons"
CLASSES = ["sadness", "joy", "love", "anger", "fear", "surprise"]
MARGIN, DRAWS = 0.02, 1000
STRAY = 0.003  # of the texts change by themselves where the others change with their sentence


def measure(folder: str, everything: str = "") -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        corpus, source = place / "corpus.parquet", place / "source.json"
        import_corpus({"source": "semicolon", "path": folder, "classes": CLASSES}, corpus, source)
        config = {"duplicates": "keep", "split": {"method": "given", "test": 0.2, "seed": 10, "validation": "train"}}
        train, validation, test = (place / f"{name}.parquet" for name in ("train", "validation", "test"))
        audit = place / "corpus.json"
        split_corpus(config, corpus, source, train, validation, test, audit)
        tables = {axis: flips(axis, train, test, place) for axis in AXES}
        output, table = place / "synonyms.parquet", place / "synonyms_balance.parquet"
        lists = LEXICONS / "synonyms.csv", LEXICONS / "neutral.csv"
        replace_words(train, test, audit, *lists, output, table)
        tables["synonyms"] = pd.read_parquet(table)
        if everything:
            tables["gender, all texts"] = flips("gender", corpus, corpus, place)
    for name, balance in tables.items():
        print(f"\n{name}\n{balance.round(3).to_string(index=False)}", file=sys.stderr)
    return {
        "fair": {f"{name}, {origin}": told for name, found in tables.items() for origin, told in fair(found).items()},
        "said_wrongly": said_wrongly(),
        "said_rightly": said_rightly(),
    }


def flips(axis: str, train: Path, test: Path, place: Path) -> pd.DataFrame:
    """The balance of one axis."""
    output, table = place / f"{axis}.parquet", place / f"{axis}_balance.parquet"
    published = ROOT / "data" / "reference" / "table4_gender_pairs.csv"
    lists = LEXICONS / AXES[axis].words, LEXICONS / "neutral.csv", LEXICONS / "gender.csv"
    flip_terms(train, test, *lists, published, axis, output, table)
    return pd.read_parquet(table)


def fair(balance: pd.DataFrame) -> dict[str, dict]:
    """For each origin: texts with a fair control, of how many, and what is not balanced."""
    return {
        origin: {
            "texts": int(rows.loc[rows["unit"] == "text", "n"].iloc[0]),
            "of": int(rows.loc[rows["unit"] == "text", "n_all"].iloc[0]),
            "unbalanced": {
                row.measure: round(row.difference, 2) for row in rows[~rows["balanced"].astype(bool)].itertuples()
            },
        }
        for origin, rows in balance.groupby("origin", sort=False)
    }


def said_wrongly() -> dict[str, dict[str, float]]:
    """The largest share of wrong verdicts over baselines of 0 to 3 %: "no more" of rates that lie above by the margin,
    "more" of rates that are the same."""
    cases = {f"{texts} texts": ((0.0, 0.01, 0.03), "alike", texts) for texts in (30, 66, 100, 200, 300, 600, 2000)}
    for sentences in (34, 300):
        for kind, baselines in (("uneven", (0.01, 0.03)), ("whole", (STRAY, 0.01, 0.03))):
            cases[f"{sentences} {kind} sentences of 10 texts"] = baselines, kind, sentences, 10
    rng = np.random.default_rng(0)
    return {
        verdict: {
            name: max(_said(rng, verdict, baseline + excess, baseline, *case) for baseline in baselines)
            for name, (baselines, *case) in cases.items()
        }
        for verdict, excess in (("no more", MARGIN), ("more", 0.0))
    }


def said_rightly() -> dict[str, float]:
    """How often "more" is said of the texts of sentences, ten in each, that change more often by so much."""
    rng = np.random.default_rng(0)
    return {
        f"{sentences} {kind} sentences, {excess:.0%} more": _said(
            rng, "more", STRAY + excess, STRAY, kind, sentences, 10
        )
        for sentences, excess in ((34, 0.1), (34, 0.2), (300, 0.05))
        for kind in ("alike", "whole")
    }


def _said(
    rng: np.random.Generator, verdict: str, rate: float, baseline: float, kind: str, sentences: int, texts: int = 1
) -> float:
    ids, said = np.repeat(np.arange(sentences), texts), 0
    for _ in range(DRAWS):
        chances = (_chances(rng, mean, sentences, kind) for mean in (rate, baseline))
        pair = ((rng.random((sentences, texts)) < chance[:, None]).ravel() for chance in chances)
        said += excess_verdict(excess_interval(*pair, ids), MARGIN) == verdict
    return said / DRAWS


def _chances(rng: np.random.Generator, rate: float, sentences: int, kind: str) -> np.ndarray:
    """How likely the texts of each sentence change, (sentences,), with this mean: all alike, uneven, or most of them
    only with their whole sentence."""
    if kind == "alike":
        return np.full(sentences, rate)
    if kind == "whole":
        return np.where(rng.random(sentences) < (rate - STRAY) / (1 - STRAY), 1, STRAY)
    return rng.beta(0.3 * rate, 0.3 * (1 - rate), sentences)
