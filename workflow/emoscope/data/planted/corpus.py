"""The embedded corpus, `calibration` in the config: sentences with planted, known effects, and their ground truth."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.data.class_names import EMOTIONS
from emoscope.data.corpus import write_source
from emoscope.data.planted.labels import draw_labels
from emoscope.data.planted.sentences import draw_plan, write_texts
from emoscope.data.planted.shortcuts import plant_shortcuts
from emoscope.data.planted.truth import ceiling, effects_of, rows_by_kind
from emoscope.errors import UserError
from emoscope.storage.files import write_json, write_table


class Generated(NamedTuple):
    """A corpus, what is planted in it, and which words decide its sentences."""

    table: pd.DataFrame
    truth: dict
    words: pd.DataFrame


def generate_corpus(config: dict, corpus: Path, source: Path, truth: Path, words: Path) -> None:
    """Write the planted corpus, what was planted in it, and which words decide its sentences."""
    settings = ("rows", "seed", "label_noise", "gender_effect", "race_effect", "shortcut_share")
    generated = generate(**{key: config[key] for key in settings})
    write_table(generated.table.assign(part=""), corpus)
    write_json(generated.truth, truth)
    write_table(generated.words, words)
    write_source(source, corpus, list(EMOTIONS), source="calibration", revision=f"seed {config['seed']}")


def generate(
    rows: int,
    seed: int,
    label_noise: float = 0.06,
    duplicate_rate: float = 0.055,
    gender_effect: float = 0.8,
    race_effect: float | None = None,
    shortcut_share: float = 0,
) -> Generated:
    """Make the corpus and its truth, the same for the same arguments.

    Args:
        rows: number of rows, duplicates included.
        seed: of the numpy generator that draws everything.
        label_noise: share of the rows whose label is replaced by another class, each equally likely; 0 to 0.8.
        duplicate_rate: share of the rows whose text repeats that of another row; 0 to 0.9.
        gender_effect: P(anger | male) - P(anger | female) in ambiguous sentences, before label noise; 0 to 1.
        race_effect: P(joy | white) - P(joy | black) in encounters, before label noise; 0 to 1. Without it there are no
            encounters, and race stands beside an emotion only.
        shortcut_share: share of the sentences that name an emotion plainly, and no race, into which one of SHORTCUTS is
            put, whose class they then have; 0 to 1. All other sentences are those of a corpus without.

    Returns:
        A table with `id` (int64, 0..rows-1), `text` (str) and `label` (int8, 0..5); the truth, fit for JSON: the
        exact Bayes accuracy (`ceiling`), the `effects` (size, what is planted, where it is visible) and the `ids` of
        the rows of each special kind; and the words that decide: `id`, `start` and `end` in characters of the text, and
        `role`: `emotion` (also a negated one), `cue` (which feeling holds), `gender` or `race` (where nothing else
        decides), `past`, a feeling that no longer holds and so decides nothing, and `shortcut`, beside which nothing
        else decides, so nothing else is listed.

    Raises:
        UserError: an argument is out of its range.
    """
    sizes = {"gender": gender_effect, "race": race_effect or 0}
    _check("rows", rows, 1, math.inf)
    _check("label_noise", label_noise, 0, 0.8)
    _check("duplicate_rate", duplicate_rate, 0, 0.9)
    for axis, size in sizes.items():
        _check(f"{axis}_effect", size, 0, 1)
    _check("shortcut_share", shortcut_share, 0, 1)
    rng = np.random.default_rng(seed)
    duplicates = min(round(rows * duplicate_rate), rows - 1)
    encounters = race_effect is not None
    plan = draw_plan(rows - duplicates, encounters, rng)
    spans = write_texts(plan, rng)
    plan["text"], plan["shortcut"] = list(spans), ""
    if shortcut_share:
        plant_shortcuts(plan, spans, shortcut_share, seed)
    repeated = rng.integers(len(plan), size=duplicates)
    plan = plan.iloc[rng.permutation(np.concatenate([np.arange(len(plan)), repeated]))].reset_index(drop=True)
    label, noisy, best = draw_labels(plan, sizes, label_noise, rng)

    table = pd.DataFrame({"id": np.arange(rows, dtype="int64"), "text": plan["text"], "label": label.astype("int8")})
    truth = {
        "rows": rows,
        "seed": seed,
        "ceiling": ceiling(best, label_noise),
        "effects": effects_of(label_noise, duplicate_rate, gender_effect, race_effect, shortcut_share),
        "ids": rows_by_kind(plan, noisy, encounters, shortcut_share > 0),
    }
    marks = [(row, *span) for row, text in enumerate(plan["text"]) for span in spans[text]]
    return Generated(table, truth, pd.DataFrame(marks, columns=["id", "start", "end", "role"]))


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise UserError(f"calibration corpus: {name} is {value}; choose a value from {least} to {most}")
