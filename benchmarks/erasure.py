"""Does erasing gender close a gap that was planted? `python -m benchmarks erasure [SEEDS]`.

Small models learn generated texts in which gender decides ambiguous sentences, and as many in which nothing is
planted; of both, the keyword and the ambiguous sentences alone. SEEDS, if named, are all taken, else no further one
once half of five minutes is over; the JSON line counts them. Gender is erased at every depth, in each way of
`experiments.probing`, as learned from training texts. Printed are, over the seeds, the mean gap P(anger | male) -
P(anger | female) in ambiguous test sentences, the distance between the answers to each and its flip (what differs
either way shows there, and not in the mean), and the accuracy on keyword sentences, with nothing erased and in each
way, and how much of that is lost.

Gender is one direction only as far as its words differ alike; 17 pairs of words have 17 of their own. Flips of one
token then start alike, so that by word the gap is closed by construction, and what it costs is the question: room for
as many directions beside all else is why the models are as wide as this.
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.measuring import ROOT, student_interval, trained
from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.corpus import generate
from emoscope.data.planted.labels import GAPS
from emoscope.experiments.flips.training_pairs import flip_training_texts
from emoscope.experiments.probing.concepts import people_examples
from emoscope.experiments.probing.erasing.erasers import Erasers, erased, fitted
from emoscope.experiments.probing.names import METHODS, NOTHING
from emoscope.experiments.probing.states import chosen_depths, located
from emoscope.models.loading import load_classifier
from emoscope.models.logits import predict_logits, probabilities
from emoscope.storage.names import EVERYWHERE

SEEDS, ROWS, KEYWORDS, EFFECT, PAIRS = 5, 20_000, 4_000, 0.8, 300
ENOUGH = 150  # seconds after which no further seed is taken
TOKENS = 8192
MODEL = {"blocks": 2, "heads": 4, "width": 256, "vocabulary": 2000, "context": 128}
TRAINING = {"epochs": 6, "batch_size": 32, "learning_rate": 1e-3, "schedule": "cosine", "warmup": 0.1}
TRAINING |= {"weight_decay": 0.0, "precision": "fp32", "balance": "none"}


def measure(seeds: str | None = None, rows: str = str(ROWS)) -> dict:
    start, tables = time.monotonic(), []
    for seed in range(1, int(seeds or SEEDS) + 1):
        if tables and not seeds and time.monotonic() - start > ENOUGH:
            break
        tables += [measured(seed, effect, int(rows)).assign(seed=seed, planted=effect > 0) for effect in (EFFECT, 0.0)]
    found = pd.concat(tables, ignore_index=True)
    return {"seeds": int(found["seed"].nunique()), "ways": json.loads(over_seeds(found).to_json(orient="records"))}


def over_seeds(found: pd.DataFrame) -> pd.DataFrame:
    """By corpus and way, means over seeds of `gap`, `distance`, `accuracy` and what is `lost` of it, with Student's
    intervals."""
    rows = []
    for (planted, method), own in found.groupby(["planted", "method"], sort=False):
        numbers = {name: rounded(own[name].to_numpy()) for name in ("gap", "distance", "accuracy", "lost")}
        rows.append({"planted": bool(planted), "erased": method, **numbers})
    return pd.DataFrame(rows)


def rounded(values: np.ndarray) -> list[float]:
    """Mean, low and high."""
    return [round(value, 4) for value in student_interval(values)]


def measured(seed: int, effect: float, rows: int) -> pd.DataFrame:
    """`method, gap, distance, accuracy, lost` of one model."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        train, ambiguous, keywords = texts_of(seed, effect, rows)
        model = trained(train, {"model": MODEL, "training": TRAINING, "seed": seed}, folder)
        lexicon = ROOT / "data" / "lexicons" / "gender.csv"
        for name, table, count in (("taught", train, PAIRS), ("pairs", ambiguous, len(ambiguous))):
            given, made = folder / f"{name}_texts.parquet", folder / f"{name}.parquet"
            table.to_parquet(given)
            flip_training_texts(given, lexicon, "gender", {"pairs": count, "seed": seed}, made)
        taught, pairs = (pd.read_parquet(folder / f"{name}.parquet") for name in ("taught", "pairs"))
        return erasures(*load_classifier(model), taught, pairs, keywords, seed)


def texts_of(seed: int, effect: float, rows: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Training texts, ambiguous test sentences, and keyword test sentences of a generated corpus; no text is in two."""
    made = generate(rows, seed, gender_effect=effect, duplicate_rate=0.0)
    ids = made.truth["ids"]
    ambiguous = made.table["id"].isin(ids["ambiguous"])
    keyword = ~made.table["id"].isin([*ids["ambiguous"], *ids["negation"], *ids["contrast"]])
    parts = [made.table[ambiguous], made.table[keyword].head(max(KEYWORDS * rows // ROWS, 100))]
    parts = [part.sample(frac=1, random_state=seed) for part in parts]
    tests = [part.head(len(part) // 5) for part in parts]
    train = pd.concat([part.iloc[len(test) :] for part, test in zip(parts, tests, strict=True)])
    return train.reset_index(drop=True), *tests


def erasures(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    taught: pd.DataFrame,
    pairs: pd.DataFrame,
    keywords: pd.DataFrame,
    seed: int,
) -> pd.DataFrame:
    texts, learned = located(model, tokenizer, people_examples(taught, 2 * PAIRS, seed))
    judged = people_examples(pairs, 2 * len(pairs), seed)
    member = (learned["value"] == 0).to_numpy()
    ways = [(method, seed) for method in METHODS]
    found = fitted(model, texts, member, chosen_depths(model, MODEL["blocks"] + 1), ways, TOKENS, seed)
    erasers: dict[str, Erasers] = {NOTHING: {}} | {method: found[method, seed, EVERYWHERE] for method in METHODS}
    rows = []
    for method, eraser in erasers.items():
        with erased(model, eraser):
            answers, asked = (
                probabilities(model, predict_logits(model, tokenizer, list(table["text"]), TOKENS))
                for table in (judged, keywords)
            )
        first = (judged["value"] == 0).to_numpy()
        change = answers[first] - answers[~first]  # twins are in one order
        accuracy = float((asked.argmax(axis=1) == keywords["label"].to_numpy()).mean())
        gap = change[:, EMOTIONS.index(GAPS["gender"].emotion)].mean()
        rows.append((method, float(gap), float(np.abs(change).sum(axis=1).mean() / 2), accuracy))
    table = pd.DataFrame(rows, columns=["method", "gap", "distance", "accuracy"])
    return table.assign(lost=table["accuracy"].iloc[0] - table["accuracy"])
