"""Which method of attribution finds the planted words? `python -m benchmarks words [SEEDS]`.

Each seed has generated texts of its own, with keywords, negations and ambiguous sentences, and a small model that
learned them; every method explains some test texts. SEEDS, if named, are all taken, else as many as end within some
minutes; the JSON line counts them. Over the texts that the model gets right: how often a method's top word is a
planted one, the share of planted ones among as many top words, and average precision; each the mean over the seeds'
means, with the interval of Student's t over seeds. Beside them are a random order, and the chance of the top word.

Then the same seeds with `shortcuts`: made-up words in a share of the plain sentences, which decide by themselves; after
Bastings et al. (2021), "Will you find these shortcuts?". Asked are texts that say something else beside their shortcut,
so that no other word helps it; how often is it a method's top word?
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measuring import BUDGET, student_interval, trained, turns
from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.corpus import Generated, generate
from emoscope.experiments.words.measure import attribute_words
from emoscope.experiments.words.ranking import found_words, rank_methods
from emoscope.experiments.words.scores import first_answers
from emoscope.models.inside.exactness import check_exactness
from emoscope.storage.decisions import as_matrix, right

SEEDS, ROWS, TEXTS = 5, 8_000, 100
SHORTCUTS = 0.3  # of the plain sentences
MODEL = {"blocks": 4, "heads": 4, "width": 64, "vocabulary": 2000, "context": 128}
TRAINING = {"epochs": 5, "batch_size": 32, "learning_rate": 1e-3, "schedule": "cosine", "warmup": 0.1}
TRAINING |= {"weight_decay": 0.0, "precision": "fp32", "balance": "none"}
WORDS = {"texts": TEXTS, "cut": 1, "classes": 3, "steps": 50, "orders": 5}
TOKENS = 8192


def measure(seeds: str | None = None, rows: str = str(ROWS)) -> dict:
    return ranked(seeds, int(rows), 0) | {"shortcuts": ranked(seeds, int(rows), SHORTCUTS)}


def ranked(seeds: str | None, rows: int, shortcuts: float) -> dict:
    """How high methods rank what was planted in corpora with this share of shortcuts, over seeds."""
    numbers = range(int(seeds)) if seeds else turns(SEEDS, BUDGET / 2)
    found = [measured(number + 1, rows, shortcuts) for number in numbers]
    tables = [table for table, _ in found]
    return {
        "seeds": len(tables),
        "accuracy": [round(accuracy, 3) for _, accuracy in found],
        "texts": [int(table["texts"].max()) for table in tables],
        "methods": over_seeds(tables),
    }


def measured(seed: int, rows: int, shortcuts: float) -> tuple[pd.DataFrame, float]:
    """How high methods rank the planted words of one model's test texts, as `rank_methods` has it; and the share of
    these texts that the model gets right."""
    made, plain = (
        generate(rows, seed, label_noise=0.0, duplicate_rate=0.0, shortcut_share=share) for share in (shortcuts, 0)
    )
    overruled = made.table["label"] != plain.table["label"]  # by a shortcut: all else is the same
    train, test = texts_of(made, seed, overruled if shortcuts else ~overruled)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        paths = {name: folder / f"{name}.parquet" for name in ("scores", "texts", "accounts", "steadiness", "cuts")}
        asked, exactness = folder / "test.parquet", folder / "exactness.json"
        test.to_parquet(asked)
        model = trained(train, {"model": MODEL, "training": TRAINING, "seed": seed}, folder)
        check_exactness(model, asked, exactness)
        attribute_words(model, asked, exactness, WORDS, seed, {"tokens_per_batch": TOKENS}, **paths)
        scores, told = pd.read_parquet(paths["scores"]), pd.read_parquet(paths["texts"])
    correct = dict(zip(told["id"], right(told, as_matrix(told["pred"], len(EMOTIONS))), strict=True))
    ranks = rank_methods(found_words(first_answers(scores, made.words, seed), correct), margin=0.02, alpha=0.05)
    return ranks, float(np.mean([*correct.values()]))


def texts_of(made: Generated, seed: int, asked: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and test texts of a corpus, these among the rows that are `asked` about, bool (rows,); without those
    that name a past feeling and a present one: as many epochs as these take would not end in time."""
    table = made.table[~made.table["id"].isin(made.truth["ids"]["contrast"])]
    test = table[asked[table.index]].sample(TEXTS, random_state=seed)
    return table.drop(test.index).reset_index(drop=True), test.sort_index().reset_index(drop=True)


def over_seeds(tables: list[pd.DataFrame]) -> dict[str, dict[str, list[float]]]:
    """By method and measure, the mean over tables of one seed each, with interval; and the chance of the top word, by
    the measure that tells of it."""
    found: dict[str, dict[str, list[float]]] = {}
    for (method, measure), rows in pd.concat(tables).groupby(["method", "measure"], sort=False):
        found.setdefault(method, {})[measure] = [
            round(value, 3) for value in student_interval(rows["value"].to_numpy())
        ]
    first = tables[0]["measure"].iloc[0]
    return found | {"chance": {first: [round(float(np.mean([table["chance"].iloc[0] for table in tables])), 3)]}}
