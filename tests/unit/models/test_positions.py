"""Kinds of positions, and which places in two texts correspond."""

import torch

from emoscope.models.parts import family_of, pooled_token, pooled_tokens
from emoscope.models.positions import FIRST, OTHER, PADDING, POOLED, counterparts, kinds_of


def test_kinds_of_padded_texts(classifier):
    texts = [[5, 6, 7, 8], [5, 6, 0, 0], [9, 0, 0, 0]]
    inputs = {"input_ids": torch.tensor(texts), "attention_mask": (torch.tensor(texts) > 0).long()}
    if family_of(classifier).pools_first:
        expected = [
            [POOLED, OTHER, OTHER, OTHER],
            [POOLED, OTHER, PADDING, PADDING],
            [POOLED, PADDING, PADDING, PADDING],
        ]
    else:
        expected = [
            [FIRST, OTHER, OTHER, POOLED],
            [FIRST, POOLED, PADDING, PADDING],
            [POOLED, PADDING, PADDING, PADDING],
        ]
    assert kinds_of(classifier, inputs).tolist() == expected


def test_the_pooled_tokens_of_a_batch_are_those_of_its_texts(classifier):
    ids = torch.tensor([[5, 6, 7, 8], [5, 6, 0, 0]])
    places = pooled_tokens(classifier, ids)
    assert places.tolist() == [pooled_token(classifier, row[None]) for row in ids]
    assert places.tolist() == ([0, 0] if family_of(classifier).pools_first else [3, 1])


def test_places_of_one_kind_correspond_and_the_same_place_where_it_exists():
    longer = torch.tensor([[FIRST, OTHER, OTHER, OTHER, OTHER, POOLED]])
    shorter = torch.tensor([[FIRST, OTHER, OTHER, POOLED, PADDING, PADDING]])
    assert counterparts(longer, shorter).tolist() == [[0, 1, 2, 1, 2, 3]]
    assert counterparts(shorter, longer)[0, :4].tolist() == [0, 1, 2, 5]
    assert counterparts(longer, longer).tolist() == [[0, 1, 2, 3, 4, 5]]


def test_what_a_text_lacks_is_matched_with_its_pooled_token():
    text = torch.tensor([[FIRST, OTHER, OTHER, POOLED], [POOLED, OTHER, OTHER, OTHER]])
    short = torch.tensor([[POOLED, PADDING], [POOLED, OTHER]])
    assert counterparts(text, short).tolist() == [[0, 0, 0, 0], [0, 1, 1, 1]]
    two = torch.tensor([[FIRST, POOLED], [POOLED, OTHER]])
    assert counterparts(text, two).tolist() == [[0, 1, 1, 1], [0, 1, 1, 1]]
