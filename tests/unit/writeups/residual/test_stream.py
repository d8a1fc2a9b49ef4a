"""Activations are the residual stream."""

from itertools import pairwise

import pytest
import torch

from emoscope.errors import UserError
from emoscope.models.features.stream import gather
from emoscope.writeups.residual.autoencoder import check_block
from emoscope.writeups.residual.measure import residual_stream
from random_models import TEXTS


@pytest.mark.parametrize("budget", [20, 1000])  # one text in a batch, and all in one, with padding
def test_activations_are_the_residual_stream_without_the_first_position(budget, model, tokenizer):
    found = gather(model, tokenizer, TEXTS, 1, budget)
    for row, text in enumerate(TEXTS):
        stream = residual_stream(model, tokenizer(text, return_tensors="pt"))[2, 0, 1:]
        torch.testing.assert_close(found.values[found.text == row], stream, atol=1e-5, rtol=1e-5)
        assert found.position[found.text == row].tolist() == list(range(1, len(stream) + 1))
        ids = tokenizer(text)["input_ids"]
        assert found.ids[found.text == row].tolist() == [list(pair) for pair in pairwise(ids)]


def test_a_block_that_is_not_there_is_refused(model):
    with pytest.raises(UserError, match="no block 3: the model's blocks are 0 to 2"):
        check_block(model, 3)
