"""Activations of the pairs that a flip changed most, word by word, so that both texts of a pair line up."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.architectures import blocks_of, projection_of
from emoscope.files import write_table
from emoscope.interventions import recording
from emoscope.models import load_classifier
from emoscope.pairs import countable, largest_change, scored

Piece = tuple[int, int]


def trace_pairs(model: Path, pairs: Path, scores: Path, config: dict, output: Path) -> None:
    """Write `pair, id, origin, unit, word, flipped_word, site, dimension, original, flipped` for the strongest pairs.

    `site` is `residual` (the block's output, which the paper plotted) or `attention` (what the block's attention adds).
    """
    classifier, tokenizer = load_classifier(model)
    table = scored(pd.read_parquet(pairs), pd.read_parquet(scores))
    parts = [
        trace(classifier, tokenizer, row.text, row.perturbed, row.spans, config["traced_block"]).assign(
            pair=number, id=row.id, origin=row.origin
        )
        for number, row in enumerate(strongest(table, config["traced_pairs"]).itertuples(), start=1)
    ]
    write_table(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=TRACE_COLUMNS), output)


TRACE_COLUMNS = ["unit", "word", "flipped_word", "site", "dimension", "original", "flipped", "pair", "id", "origin"]


def strongest(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """The `count` pairs with the largest change of any class's probability, of those that count, each text once."""
    ranked = table.assign(change=largest_change(table)).sort_values("change", ascending=False)
    return ranked[countable(ranked)].drop_duplicates("text").head(count)


def trace(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    perturbed: str,
    spans: Sequence[Sequence[int]],
    block: int,
) -> pd.DataFrame:
    """Activations of both texts at one block, averaged over each unit's tokens: a row per site, unit and dimension."""
    units = aligned_units(text, perturbed, spans)
    before = unit_activations(model, tokenizer, text, [first for first, _ in units], block)
    after = unit_activations(model, tokenizer, perturbed, [second for _, second in units], block)
    parts = []
    for site in before:
        kept = ~np.isnan(before[site]).any(axis=1) & ~np.isnan(after[site]).any(axis=1)  # cut off by the context
        for number in np.flatnonzero(kept):
            (start, end), (other_start, other_end) = units[number]
            parts.append(
                pd.DataFrame({
                    "unit": number,
                    "word": text[start:end],
                    "flipped_word": perturbed[other_start:other_end],
                    "site": site,
                    "dimension": np.arange(before[site].shape[1]),
                    "original": before[site][number],
                    "flipped": after[site][number],
                })
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def aligned_units(text: str, perturbed: str, spans: Sequence[Sequence[int]]) -> list[tuple[Piece, Piece]]:
    """Cut both texts into the same units: each changed span is one, and so is every word between the spans."""
    units: list[tuple[Piece, Piece]] = []
    place, shift = 0, 0
    last = (len(text), len(text), len(perturbed), len(perturbed))
    for start, end, other_start, other_end in [*spans, last]:
        for word in re.finditer(r"\S+", text[place:start]):
            first, last = place + word.start(), place + word.end()
            units.append(((first, last), (first + shift, last + shift)))
        if end > start or other_end > other_start:
            units.append(((start, end), (other_start, other_end)))
        place, shift = end, other_end - end
    return units


@torch.inference_mode()
def unit_activations(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str, units: Sequence[Piece], block: int
) -> dict[str, np.ndarray]:
    """Mean activation over the tokens of each unit, {site: (units, width)}; NaN for a unit without tokens."""
    encoded = tokenizer(text, truncation=True, return_offsets_mapping=True, return_tensors="pt")
    offsets = encoded.pop("offset_mapping")[0].tolist()
    with recording(blocks_of(model)[block]) as residual, recording(projection_of(model, block)) as attention:
        model(**encoded.to(model.device))
    activations = {"residual": residual["output"][0], "attention": attention["output"][0]}
    members = [[t for t, (a, b) in enumerate(offsets) if min(b, end) > max(a, start)] for start, end in units]
    return {
        site: np.stack([values[m].mean(dim=0).cpu().numpy() for m in members]) for site, values in activations.items()
    }
