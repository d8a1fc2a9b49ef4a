"""Scores of a whole vocabulary: some rows at a time or all at once, the same numbers."""

import pytest
import torch

from emoscope.models import language_models


@pytest.mark.parametrize("at_once", [1, 14, 1000])
def test_rows_are_what_they_are_all_at_once(monkeypatch, at_once):
    monkeypatch.setattr(language_models, "AT_ONCE", at_once)
    scores, own = torch.randn(3, 4, 7), torch.tensor([0, 6, 3, 3])
    assert torch.equal(language_models.logsumexp(scores), scores.logsumexp(dim=-1))
    more = language_models.higher(scores[0], own)
    assert more.tolist() == [int((row > row[place]).sum()) for row, place in zip(scores[0], own, strict=True)]
