"""Batches hold every text once, keep to their budget, and do not change predictions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoscope.models import batches as together
from emoscope.models.batches import token_batches
from emoscope.models.logits import predict_logits
from random_models import TEXTS


@given(st.lists(st.integers(1, 60), max_size=50), st.integers(1, 200))
def test_every_row_once_and_within_budget(lengths, budget):
    batches = token_batches(lengths, budget)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget


def test_no_texts_are_no_predictions(classifier, tokenizer):
    assert predict_logits(classifier, tokenizer, [], 1000).shape == (0, 3)


def test_predictions_do_not_depend_on_the_batch(classifier, tokenizer):
    alone = np.concatenate([predict_logits(classifier, tokenizer, [text], 1000) for text in TEXTS])
    np.testing.assert_allclose(predict_logits(classifier, tokenizer, TEXTS, 1000), alone, atol=1e-4)


def test_little_is_padding():
    lengths = np.random.default_rng(0).gamma(6, 3.5, size=20_000).astype(int) + 2  # about as tweets are
    padded = sum(len(batch) * max(lengths[batch]) for batch in token_batches(lengths, 8192))
    assert 1 - lengths.sum() / padded < 0.03


def test_a_few_texts_are_not_padded_to_the_longest():
    lengths = [60] * 5 + [20] * 200
    assert len(token_batches(lengths, 8192)) == 2


@pytest.mark.parametrize("at_once", [1, 14, 1000])
def test_rows_are_what_they_are_all_at_once(monkeypatch, at_once):
    monkeypatch.setattr(together, "AT_ONCE", at_once)
    scores, own = torch.randn(3, 4, 7), torch.tensor([0, 6, 3, 3])
    assert torch.equal(together.logsumexp(scores), scores.logsumexp(dim=-1))
    more = together.higher(scores[0], own)
    assert more.tolist() == [int((row > row[place]).sum()) for row, place in zip(scores[0], own, strict=True)]
