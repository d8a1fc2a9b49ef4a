"""Lining up the two texts of a pair: the same units in both, and the tokens of each unit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import pandas as pd
from transformers import BatchEncoding, PreTrainedTokenizerBase

Piece = tuple[int, int]


@dataclass(frozen=True)
class Unit:
    """A word, a changed span or a special token: how it reads in both texts, and its token places in both."""

    word: str
    flipped_word: str
    tokens: list[int]
    flipped_tokens: list[int]


@dataclass(frozen=True)
class Aligned:
    """Both texts as model inputs of shape (1, tokens), and their units in the order of the text."""

    original: BatchEncoding
    flipped: BatchEncoding
    units: list[Unit]


def align(tokenizer: PreTrainedTokenizerBase, text: str, perturbed: str, spans: Sequence[Sequence[int]]) -> Aligned:
    """Tokenise both texts and give every token to one unit.

    Words that share a token in either text (`he` and `s` of `hes`) become one unit; a token between two words goes with
    the second; special tokens ([CLS], [SEP]) are units of their own. A unit that the model's context cuts off in either
    text is left out.
    """
    pieces = aligned_units(text, perturbed, spans)
    inputs, owned, special = zip(
        *(_owners(tokenizer, whole, [piece[side] for piece in pieces]) for side, whole in enumerate((text, perturbed))),
        strict=True,
    )
    joined = {piece for side in owned for overlapped in side.values() for piece in overlapped[1:]}
    group_of = list(accumulate(piece not in joined for piece in range(len(pieces))))
    first, second = (_tokens_of_groups(side, group_of) for side in owned)
    units = [
        Unit(token, token, [place], [other])
        for (place, token), (other, _) in zip(special[0].items(), special[1].items(), strict=True)
    ]
    for group in sorted(first.keys() & second.keys()):
        members = [piece for piece, number in zip(pieces, group_of, strict=True) if number == group]
        (start, other_start), (end, other_end) = (tuple(s[i] for s in members[i and -1]) for i in (0, 1))
        units.append(Unit(text[start:end], perturbed[other_start:other_end], first[group], second[group]))
    return Aligned(*inputs, sorted(units, key=lambda unit: unit.tokens))


def aligned_units(text: str, perturbed: str, spans: Sequence[Sequence[int]]) -> list[tuple[Piece, Piece]]:
    """Cut both texts into the same units: each changed span is one, and so is every word between the spans."""
    units: list[tuple[Piece, Piece]] = []
    place, shift = 0, 0
    the_end = (len(text), len(text), len(perturbed), len(perturbed))
    for start, end, other_start, other_end in [*spans, the_end]:
        for word in re.finditer(r"\S+", text[place:start]):
            first, last = place + word.start(), place + word.end()
            units.append(((first, last), (first + shift, last + shift)))
        if end > start or other_end > other_start:
            units.append(((start, end), (other_start, other_end)))
        place, shift = end, other_end - end
    return units


def _owners(
    tokenizer: PreTrainedTokenizerBase, text: str, pieces: Sequence[Piece]
) -> tuple[BatchEncoding, dict[int, list[int]], dict[int, str]]:
    """Tokenise one text: model inputs; the numbers of the pieces that each token overlaps; special tokens by place."""
    encoded = tokenizer(
        text, truncation=True, return_offsets_mapping=True, return_special_tokens_mask=True, return_tensors="pt"
    )
    offsets = encoded.pop("offset_mapping")[0].tolist()
    mask = encoded.pop("special_tokens_mask")[0].tolist()
    names = tokenizer.convert_ids_to_tokens(encoded["input_ids"][0].tolist())
    owned = {
        token: [number for number, (start, end) in enumerate(pieces) if min(b, end) > max(a, start)]
        for token, (a, b) in enumerate(offsets)
        if not mask[token]
    }
    return encoded, owned, {token: names[token] for token in range(len(mask)) if mask[token]}


def _tokens_of_groups(owned: dict[int, list[int]], group_of: Sequence[int]) -> dict[int, list[int]]:
    """Token places by group of pieces; a token that overlaps none joins the next one's group, or the last group."""
    groups = pd.Series({token: group_of[pieces[0]] if pieces else None for token, pieces in owned.items()}, dtype=float)
    groups = groups.bfill().ffill().dropna().astype(int)
    return {group: list(map(int, tokens)) for group, tokens in groups.groupby(groups).groups.items()}
