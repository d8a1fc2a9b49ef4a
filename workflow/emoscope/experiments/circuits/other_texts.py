"""Pairs of texts that are no flips: a text and another one of another class, beside another one of its own class."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.parts import pooled_token
from emoscope.perturbation.inside.alignment import Aligned, Unit
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.perturbation.inside.sample import Drawn, draw, places_of
from emoscope.storage.decisions import class_count, labelled, truth_of

TURNS = ((FLIP, NEUTRAL), (FLIP,), (NEUTRAL,))  # texts with a partner of either kind first, then what they lack


class Text(NamedTuple):
    """What is told of a pair by its first text."""

    id: int
    origin: str
    cluster: str


def draw_pairs(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, table: pd.DataFrame, count: int, seed: int
) -> list[Drawn]:
    """At most `count` pairs of either kind: of a perturbation set flips and neutral swaps, see `draw`; of texts with
    `id`, `text` and their label, pairs of two classes (FLIP) and of one (NEUTRAL).

    Both texts of a pair have as many tokens, and the same one where the classifier reads, so that all of one text can
    be put into the other. No text stands in two pairs, but for the first one of a pair of either kind. It is the label
    that tells classes apart: had the model's answer to differ, the margin of any model would move further.
    """
    if "perturbed" in table:
        return draw(model, tokenizer, table, count, seed)[0]
    table = table[labelled(table)].sort_values("id").drop_duplicates("text").sample(frac=1, random_state=seed)
    tokens = tokenizer(table["text"].tolist(), truncation=True)["input_ids"] if len(table) else []
    shapes = [(len(ids), ids[pooled_token(model, torch.tensor([ids]))]) if ids else () for ids in tokens]
    numbers = matched(shapes, [row.tobytes() for row in truth_of(table, class_count(table))], tokens, count)
    rows = table.to_dict("records")
    return [
        _drawn(model, tokenizer, kind, rows[one], rows[other]) for kind, both in numbers.items() for one, other in both
    ]


def matched(
    shapes: Sequence[Hashable], labels: Sequence[Hashable], tokens: Sequence[Sequence[int]], count: int
) -> dict[str, list[tuple[int, int]]]:
    """By kind at most `count` pairs of texts, by number, whose shapes are the same and whose tokens are not, the first
    texts of all being tried first; a text without a shape has no partner. With a lower count, the first pairs of two
    classes stay the same."""
    alike, free = defaultdict(list), set(range(len(shapes)))
    for number, shape in enumerate(shapes):
        alike[shape].append(number)
    found: dict[str, list[tuple[int, int]]] = {FLIP: [], NEUTRAL: []}

    def partner(one: int, kind: str) -> int | None:
        others = (other for other in alike[shapes[one]] if other in free and tokens[other] != tokens[one])
        return next((other for other in others if (labels[other] == labels[one]) == (kind == NEUTRAL)), None)

    for kinds in TURNS:
        for one in range(len(shapes)):
            if any(len(found[kind]) == count for kind in kinds):
                break
            if one not in free or not shapes[one]:
                continue
            others = [partner(one, kind) for kind in kinds]
            if None not in others:
                for kind, other in zip(kinds, others, strict=True):
                    found[kind].append((one, other))
                free -= {one, *others}
    return found


def _drawn(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, kind: str, one: dict, other: dict) -> Drawn:
    """The pair of two rows, every token a unit of its own."""
    first, second = (tokenizer(row["text"], truncation=True, return_tensors="pt") for row in (one, other))
    words = (tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist()) for inputs in (first, second))
    units = [Unit(*both, [place], [place]) for place, both in enumerate(zip(*words, strict=True))]
    places = places_of(units, pooled_token(model, first["input_ids"]))
    return Drawn(kind, Text(one["id"], "test", one["text"]), Aligned(first, second, units), places)
