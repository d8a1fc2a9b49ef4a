"""Activations by word."""

import numpy as np
import torch

from emoscope.models.activations import activations_of, unit_means
from emoscope.models.parts import projection_of, residual_norms_of
from traced_pair import TEXT


def test_activations_are_averaged_over_the_tokens_of_a_word(classifier, tokenizer):
    run = activations_of(classifier, tokenizer(TEXT, return_tensors="pt"))
    for site, whole in (("residual", run.residual[2]), ("attention", run.attention[1])):
        np.testing.assert_allclose(unit_means(run, [1, 2], 1)[site], (whole[1] + whole[2]) / 2, atol=1e-6)


@torch.inference_mode()
def test_the_parts_of_a_block_are_what_the_model_computes(classifier, tokenizer):
    inputs = tokenizer(TEXT, return_tensors="pt")
    run = activations_of(classifier, inputs)
    whole = classifier(**inputs, output_hidden_states=True)
    torch.testing.assert_close(run.logits, whole.logits[0])
    for block in range(3):  # the last of transformers' hidden states has passed the final norm
        torch.testing.assert_close(run.residual[block], whole.hidden_states[block][0])
        projection = projection_of(classifier, block)
        torch.testing.assert_close(run.attention[block], projection(run.heads[block]), rtol=1e-4, atol=1e-5)
        if not residual_norms_of(classifier, block):
            added = run.attention[block] + run.feed_forward[block]
            torch.testing.assert_close(run.residual[block + 1], run.residual[block] + added, rtol=1e-4, atol=1e-4)
        assert run.feed_forward[block].abs().max() > 0.01 and run.attention[block].abs().max() > 0.01
