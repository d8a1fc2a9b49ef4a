"""Activations by word."""

import numpy as np

from emoscope.models.activations import activations_of, unit_means
from traced_pair import TEXT


def test_activations_are_averaged_over_the_tokens_of_a_word(classifier, tokenizer):
    run = activations_of(classifier, tokenizer(TEXT, return_tensors="pt"))
    for site, whole in (("residual", run.residual[2]), ("attention", run.attention[1])):
        np.testing.assert_allclose(unit_means(run, [1, 2], 1)[site], (whole[1] + whole[2]) / 2, atol=1e-6)
