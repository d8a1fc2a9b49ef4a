"""Write directions of neurons, and how much random directions overlap."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoscope.models.batches import padded_batches
from emoscope.models.interventions import changing_input
from emoscope.models.parts import blocks_of, family_of, write_directions
from emoscope.writeups.residual.measure import residual_stream
from emoscope.writeups.residual.write_directions import overlap, pairwise_cosines, random_cosine, shuffled
from random_models import TEXTS


def test_write_directions_are_what_a_neuron_adds(model, tokenizer):
    inputs = next(padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu")))[1]
    last = len(blocks_of(model)) - 1
    projection = blocks_of(model)[last].get_submodule(family_of(model).neurons)

    def more(values, neuron=5):
        values = values.clone()
        values[..., neuron] += 2
        return values

    before = residual_stream(model, inputs)[-1]
    with changing_input(projection, more):
        after = residual_stream(model, inputs)[-1]
    expected = (2 * write_directions(model, last)[5]).expand_as(before)
    torch.testing.assert_close(after - before, expected, atol=1e-4, rtol=0)


def test_random_directions_overlap_no_more_than_chance():
    directions = torch.randn(600, 64, generator=torch.Generator().manual_seed(1))
    found = overlap(pairwise_cosines(directions), 64, 0.05)
    assert found["mean_square"] * 64 == pytest.approx(1, abs=0.03)
    assert found["neurons_beyond"] <= 2 / 600
    doubled = overlap(pairwise_cosines(torch.cat([directions, -directions[:30]])), 64, 0.05)
    assert doubled["neurons_beyond"] >= 60 / 630
    assert doubled["opposite"] == pytest.approx(1, abs=0.1)
    assert doubled["closest"] == pytest.approx(1, abs=1e-5)


def test_cosine_of_random_directions_has_the_stated_distribution():
    vectors = torch.nn.functional.normalize(torch.randn(40_000, 12, generator=torch.Generator().manual_seed(0)), dim=1)
    for cosine in (0.1, 0.4, 0.7):
        assert (vectors[:, 0] > cosine).float().mean().item() == pytest.approx(random_cosine(12).sf(cosine), abs=0.006)


@given(st.integers(2, 40), st.integers(2, 12), st.integers(0, 1000))
def test_no_directions_overlap_less_than_welchs_bound(neurons, width, seed):
    directions = torch.randn(neurons, width, generator=torch.Generator().manual_seed(seed))
    found = overlap(pairwise_cosines(directions), width, 0.05)
    assert found["welch"] - 1e-6 <= found["mean_square"] <= 1 + 1e-6
    assert 1 - 1e-6 <= found["dimensions"] <= min(neurons, width) + 1e-3


def test_shuffling_keeps_every_dimension():
    weights = torch.randn(50, 6)
    found = shuffled(weights, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.sort(dim=0).values, weights.sort(dim=0).values)
    assert (found != weights).any()
