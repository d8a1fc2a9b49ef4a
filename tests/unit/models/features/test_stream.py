"""The residual stream of classifiers, by families that read their answer at the first token and at the last one."""

import pytest
import torch

from emoscope.models.activations import activations_of
from emoscope.models.features.stream import gather
from emoscope.models.parts import family_of, pooled_token
from random_models import TEXTS


@pytest.mark.parametrize("budget", [20, 1000])  # one text in a batch, and all in one, with padding
def test_the_first_position_is_left_out_unless_the_head_reads_there(budget, classifier, tokenizer):
    start = 0 if family_of(classifier).pools_first else 1
    found = gather(classifier, tokenizer, TEXTS, 1, budget)
    for row, text in enumerate(TEXTS):
        inputs = tokenizer(text, return_tensors="pt")
        stream, own = activations_of(classifier, inputs).residual[2], found.text == row
        assert found.position[own].tolist() == list(range(start, len(stream)))
        assert pooled_token(classifier, inputs["input_ids"]) in found.position[own]
        torch.testing.assert_close(found.values[own], stream[start:], atol=1e-5, rtol=1e-5)
