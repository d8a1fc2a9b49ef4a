"""Flips from inside: what patching them from one text into the other does, what each part of the model says for each
class, what the model would say after each block, and how activations change; over many pairs, and for the strongest."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import PreTrainedModel

from emoscope.experiments.tracing.aggregate import METHODS, aggregate
from emoscope.experiments.tracing.attribution import attribution_table, class_lens_table
from emoscope.experiments.tracing.dimensions import change_table
from emoscope.models.activations import Activations, activations_of, unit_means
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.parts import pooled_token
from emoscope.perturbation.inside.alignment import Aligned, align
from emoscope.perturbation.inside.patching import patch_table
from emoscope.perturbation.inside.sample import draw
from emoscope.perturbation.pairs import NEUTRAL_ORIGINS, countable, largest_change, scored
from emoscope.storage.files import write_table

ROUNDING = 1e-6  # of a probability: a smaller change leaves nothing to follow
KEY = ["pair", "id", "origin"]
COLUMNS = {  # of every table, after the key
    "traces": ["unit", "word", "flipped_word", "site", "dimension", "original", "flipped"],
    "patching": [
        *("direction", "site", "block", "unit", "head", "word", "flipped_word", "tokens", "flipped_tokens"),
        *("rise", "fall", "share", "change"),
    ],
    "attribution": ["version", "part", "block", "head", "class", "contribution"],
    "lens": ["version", "depth", "class", "logit", "probability"],
}


def trace_pairs(
    model: Path,
    pairs: Path,
    scores: Path,
    test: Path,
    exactness: Path,
    config: dict,
    prediction: dict,
    traces: Path,
    patching: Path,
    attribution: Path,
    lens: Path,
    averaged: Path,
    effects: Path,
    changes: Path,
) -> None:
    """Write four tables on the strongest pairs, and three on flips and neutral swaps drawn by chance.

    The four begin with `pair, id, origin`; for the other columns see `trace`, `patch_table`, `attribution_table` and
    `class_lens_table`; in the last two `version` is `original` or `flipped`. `averaged` and `effects` are those of
    `aggregate`; a pair that was drawn but does not correspond token for token is in `averaged` with no total. `changes`
    is that of `change_table`. What is not exact for this model, by `exactness`, has no rows.
    """
    classifier, tokenizer = load_classifier(model)
    exact = exact_checks(exactness)
    methods = [method for method in METHODS if allowed(method, exact)]
    table, budget, seed = pd.read_parquet(pairs), prediction["tokens_per_batch"], config["seed"]
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in COLUMNS}
    chosen = strongest(scored(table, pd.read_parquet(scores)), config["traced_pairs"])
    for number, row in enumerate(chosen.itertuples(), start=1):
        aligned = align(tokenizer, row.text, row.perturbed, row.spans)
        for name, part in inside(classifier, aligned, config["traced_block"], budget, methods).items():
            parts[name].append(part.assign(pair=number, id=row.id, origin=row.origin)[[*KEY, *COLUMNS[name]]])
    for name, path in {"traces": traces, "patching": patching, "attribution": attribution, "lens": lens}.items():
        found = pd.concat(parts[name], ignore_index=True) if parts[name] else pd.DataFrame(columns=KEY + COLUMNS[name])
        write_table(found, path)
    drawn, passed = draw(classifier, tokenizer, table, config["averaged_pairs"], seed)
    found, moved = aggregate(classifier, drawn, classes_of(classifier), budget, methods)
    write_table(pd.concat([found, passed], ignore_index=True), averaged)
    write_table(moved, effects)
    texts = pd.read_parquet(test)["text"]
    write_table(change_table(classifier, tokenizer, table, texts, config["traced_block"], budget, seed), changes)


def strongest(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """The `count` flips with the largest change of any class's probability, of those that count, each text once."""
    ranked = table.assign(change=largest_change(table)).sort_values("change", ascending=False)
    moved = (ranked["change"] > ROUNDING) & ~ranked["origin"].isin(NEUTRAL_ORIGINS)
    return ranked[countable(ranked) & moved].drop_duplicates("text").head(count)


def inside(
    model: PreTrainedModel, aligned: Aligned, block: int, tokens_per_batch: int, methods: Collection[str] = METHODS
) -> dict[str, pd.DataFrame]:
    """The tables on one pair, `traces` and those of the methods; activations are those of `block`."""
    classes = classes_of(model)
    texts = {"original": aligned.original, "flipped": aligned.flipped}
    runs = {version: activations_of(model, text) for version, text in texts.items()}
    places = {version: pooled_token(model, text["input_ids"]) for version, text in texts.items()}

    def both(function) -> pd.DataFrame:
        return pd.concat(
            [function(model, runs[version], places[version], classes).assign(version=version) for version in texts]
        )

    tables = {
        "traces": lambda: trace(aligned, **runs, block=block),
        "patching": lambda: patch_table(model, aligned, **runs, classes=classes, tokens_per_batch=tokens_per_batch),
        "attribution": lambda: both(attribution_table),
        "lens": lambda: both(class_lens_table),
    }
    return {name: table() for name, table in tables.items() if name in ("traces", *methods)}


def trace(aligned: Aligned, original: Activations, flipped: Activations, block: int) -> pd.DataFrame:
    """Activations of both texts at one block, averaged over each unit's tokens: a row per site, unit and dimension.

    `site` is `residual` (the block's output, which the paper plotted) or `attention` (what the block's attention adds).
    """
    parts = []
    for number, unit in enumerate(aligned.units):
        before = unit_means(original, unit.tokens, block)
        after = unit_means(flipped, unit.flipped_tokens, block)
        for site, values in before.items():
            parts.append(
                pd.DataFrame({
                    "unit": number,
                    "word": unit.word,
                    "flipped_word": unit.flipped_word,
                    "site": site,
                    "dimension": np.arange(len(values)),
                    "original": values,
                    "flipped": after[site],
                })
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
