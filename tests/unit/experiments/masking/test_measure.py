"""Scores of masks agree with whole runs in which the mask was applied."""

import numpy as np
import torch

from emoscope.experiments.masking.measure import Mask, block_scores
from emoscope.models.batches import padded_batches
from emoscope.models.families import head_slice, projection_of
from emoscope.models.interventions import fixed_head, recording, silenced_block
from emoscope.models.logits import predict_logits
from random_models import TEXTS


def test_block_scores_agree_with_masks_applied_to_whole_runs(classifier, tokenizer):
    names = ["described", "published", "mean"]
    scores = block_scores(classifier, tokenizer, TEXTS, 1, names, ["zero", "mean"], tokens_per_batch=64)
    has_bias = projection_of(classifier, 1).bias is not None
    assert len(scores) == (3 if has_bias else 2) + 2 * 4
    with silenced_block(classifier, 1):
        expected = predict_logits(classifier, tokenizer, TEXTS, 10_000)
    np.testing.assert_allclose(scores[Mask(-1, "described")], expected, atol=1e-4)
    with fixed_head(classifier, 1, 3, 0.0):
        expected = predict_logits(classifier, tokenizer, TEXTS, 10_000)
    np.testing.assert_allclose(scores[Mask(3, "zero")], expected, atol=1e-4)


def test_mean_ablation_uses_the_mean_over_real_tokens(classifier, tokenizer):
    heads, tokens = 0, 0
    for text in TEXTS:  # one by one, so that there is no padding at all
        [(_, inputs)] = padded_batches(tokenizer, [text], 100, torch.device("cpu"))
        with recording(projection_of(classifier, 1)) as seen, torch.inference_mode():
            classifier(**inputs)
        heads, tokens = heads + seen["input"][0].sum(dim=0), tokens + seen["input"].shape[1]
    with fixed_head(classifier, 1, 2, (heads / tokens)[head_slice(classifier, 2)]):
        expected = predict_logits(classifier, tokenizer, TEXTS, 10_000)
    scores = block_scores(classifier, tokenizer, TEXTS, 1, [], ["mean"], tokens_per_batch=80)
    np.testing.assert_allclose(scores[Mask(2, "mean")], expected, atol=1e-4)
