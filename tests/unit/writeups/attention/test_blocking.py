"""Blocked attention and silenced heads, each against a whole run of the model."""

import numpy as np
import pytest
import torch

from emoscope.models.interventions import fixed_head
from emoscope.writeups.attention import blocking as attention_effects


def blocked_whole(model, ids, source, target):
    """The source's log-probabilities from a run of the whole text in which it cannot look at the target."""
    mask = torch.full((len(ids), len(ids)), torch.finfo(torch.float32).min).triu(1)
    mask[source, target] = torch.finfo(torch.float32).min
    with torch.no_grad():
        return model(torch.tensor([ids]), attention_mask=mask[None, None]).logits[0, source].log_softmax(-1)


def divergence_of(before, after):
    return float((before.exp() * (before - after)).sum())


def test_blocked_predictions_equal_whole_runs(model, ids, monkeypatch):
    monkeypatch.setattr(attention_effects, "MOST_QUERIES", 7)  # several passes
    seen = attention_effects.SeenText.of(model, ids)
    change, divergence = attention_effects.blocked_predictions(model, seen)
    assert np.isnan(change[0]).all() and np.isnan(change[-1]).all() and np.isnan(divergence[0]).all()
    for source, target in [(1, 0), (5, 0), (5, 5), (8, 3), (len(ids) - 1, 2)]:
        after = blocked_whole(model, ids, source, target)
        before = seen.predictions[source]
        assert divergence[source, target] == pytest.approx(divergence_of(before, after), abs=1e-4)
        assert divergence[source, target] > 1e-3, "blocking must do something in this model"
        if source < len(ids) - 1:
            following = ids[source + 1]
            assert change[source, target] == pytest.approx(float(after[following] - before[following]), abs=1e-4)


def test_silenced_heads_equal_whole_runs(model, ids):
    """At the first token a head silenced there alone and one silenced everywhere are the same for its prediction."""
    seen = attention_effects.SeenText.of(model, ids)
    _, divergence = attention_effects.silenced_predictions(model, seen, 0)
    for block, head in [(0, 0), (1, 2), (2, 3)]:
        with torch.no_grad(), fixed_head(model, block, head, 0.0):
            after = model(torch.tensor([ids])).logits[0, 0].log_softmax(-1)
        expected = divergence_of(seen.predictions[0], after)
        assert expected > 1e-3
        assert divergence[block, head] == pytest.approx(expected, abs=1e-4)
    _, later = attention_effects.silenced_predictions(model, seen, len(ids) - 2)
    with torch.no_grad(), fixed_head(model, 2, 1, 0.0):  # nor do the last block's other rows matter
        after = model(torch.tensor([ids])).logits[0, len(ids) - 2].log_softmax(-1)
    assert later[2, 1] == pytest.approx(divergence_of(seen.predictions[len(ids) - 2], after), abs=1e-4)
