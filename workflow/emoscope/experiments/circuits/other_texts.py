"""Pairs of texts that are no flips: a text and another one of another class, beside another one of its own class."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence, Set
from typing import NamedTuple

import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.parts import pooled_token
from emoscope.perturbation.inside.alignment import Aligned, Unit
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.perturbation.inside.sample import PASSED, Drawn, draw, places_of
from emoscope.storage.decisions import class_count, labelled, truth_of

TURNS = ((FLIP, NEUTRAL), (FLIP,), (NEUTRAL,))  # texts with a partner of either kind first, then what they lack


class Text(NamedTuple):
    """What is told of a pair by its first text."""

    id: int
    origin: str
    cluster: str


def draw_pairs(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, table: pd.DataFrame, count: int, seed: int
) -> tuple[list[Drawn], pd.DataFrame]:
    """At most `count` pairs of either kind: of a perturbation set flips and neutral swaps, see `draw`; of texts with
    `id`, `text` and their label, pairs of two classes (FLIP) and of one (NEUTRAL).

    Both texts of a pair have as many tokens, and the same one where the classifier reads, so that all of one text can
    be put into the other. No text stands in two pairs, but for the first one of a pair of either kind. It is the label
    that tells classes apart: had the model's answer to differ, the margin of any model would move further. With the
    pairs come those of the perturbation set that were passed over, see `draw`.
    """
    if "perturbed" in table:
        return draw(model, tokenizer, table, count, seed)
    table = table[labelled(table)].sort_values("id").drop_duplicates("text").sample(frac=1, random_state=seed)
    tokens = tokenizer(table["text"].tolist(), truncation=True)["input_ids"] if len(table) else []
    shapes = [(len(ids), ids[pooled_token(model, torch.tensor([ids]))]) if ids else () for ids in tokens]
    numbers = matched(shapes, [row.tobytes() for row in truth_of(table, class_count(table))], tokens, count)
    rows = table.to_dict("records")
    drawn = [
        _drawn(model, tokenizer, kind, rows[one], rows[other]) for kind, both in numbers.items() for one, other in both
    ]
    return drawn, pd.DataFrame(columns=PASSED)


def matched(
    shapes: Sequence[Hashable], labels: Sequence[Hashable], tokens: Sequence[Sequence[int]], count: int
) -> dict[str, list[tuple[int, int]]]:
    """By kind at most `count` pairs of texts, by number, whose shapes are the same and whose tokens are not, the first
    texts of all being tried first; a text without a shape has no partner. With a lower count, the first pairs of two
    classes stay the same."""
    alike, of_class, free = defaultdict(list), defaultdict(list), set(range(len(shapes)))
    for number, both in enumerate(zip(shapes, labels, strict=True)):
        alike[both[0]].append(number)
        of_class[both].append(number)
    two_classes = {shape: _Queue(numbers, labels, free) for shape, numbers in alike.items()}
    one_class = {both: _Queue(numbers, tokens, free) for both, numbers in of_class.items()}
    found: dict[str, list[tuple[int, int]]] = {FLIP: [], NEUTRAL: []}

    def partner(one: int, kind: str) -> int | None:
        if kind == NEUTRAL:
            return next(one_class[shapes[one], labels[one]].unlike(tokens[one]), None)
        others = two_classes[shapes[one]].unlike(labels[one])
        return next((other for other in others if tokens[other] != tokens[one]), None)

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


class _Queue:
    """Texts by number, in order, and what each is (all texts). However often it is asked while fewer of them are free,
    it passes over each but twice: all that are free between the first of them and `other` are like the first."""

    def __init__(self, numbers: Sequence[int], what: Sequence, free: Set[int]):
        self.numbers, self.what, self.free = numbers, what, free
        self.first = self.other = 0  # places in `numbers`

    def unlike(self, one: object) -> Iterator[int]:
        """The free texts that are something else than `one`."""
        end = len(self.numbers)
        self.first = next((at for at in range(self.first, end) if self.numbers[at] in self.free), end)
        if self.first == end:
            return iter(())
        like = self.what[self.numbers[self.first]]
        self.other = next((at for at in range(max(self.first, self.other), end) if self._unlike(at, like)), end)
        start = self.first if like != one else self.other
        return (self.numbers[at] for at in range(start, end) if self._unlike(at, one))

    def _unlike(self, at: int, one: object) -> bool:
        number = self.numbers[at]
        return number in self.free and self.what[number] != one


def _drawn(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, kind: str, one: dict, other: dict) -> Drawn:
    """The pair of two rows, every token a unit of its own."""
    first, second = (tokenizer(row["text"], truncation=True, return_tensors="pt") for row in (one, other))
    words = (tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist()) for inputs in (first, second))
    units = [Unit(*both, [place], [place]) for place, both in enumerate(zip(*words, strict=True))]
    places = places_of(units, pooled_token(model, first["input_ids"]))
    return Drawn(kind, Text(one["id"], "test", one["text"]), Aligned(first, second, units), places)
