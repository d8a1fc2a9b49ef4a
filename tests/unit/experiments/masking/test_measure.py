"""Scores of masks agree with runs text by text, in which the mask was applied by hand."""

from contextlib import ExitStack

import numpy as np
import pytest
import torch

from emoscope.experiments.masking.masks import Mask, masks_of
from emoscope.experiments.masking.measure import all_but_scores, block_scores
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.interventions import fixed_head, fixed_output, silenced_bias
from emoscope.models.parts import feed_forward_of, head_slice, projection_of
from emoscope.storage.names import WHOLE_BLOCK
from masked_by_hand import OTHERS, at_mean, inputs_of, means_by_hand, reference_of, resampled
from random_models import TEXTS

MODULES = {"attention": projection_of, "mlp": feed_forward_of}
WHOLE = ["described", "mean", "resample", "published", "mlp_zero", "mlp_mean", "mlp_resample"]


def scores_of(model, tokenizer, block, masks):
    """In batches some of which hold texts of unequal length."""
    return block_scores(model, tokenizer, TEXTS, block, masks, reference_of(model, tokenizer), 64, CHECKS)


def by_hand(model, tokenizer, mask):
    """Logits of every text run alone; `mask` makes the intervention for a text and its number."""
    with torch.inference_mode():
        rows = []
        for number, text in enumerate(TEXTS):
            with mask(text, number):
                rows.append(model(**inputs_of(tokenizer, text)).logits[0].numpy())
    return np.array(rows)


def assert_close(found, expected, unlike):
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - unlike).max() > 1e-3, "the mask does nothing"


@pytest.fixture
def unmasked(classifier, tokenizer):
    return by_hand(classifier, tokenizer, lambda *_: ExitStack())


@pytest.mark.parametrize("block", [0, 1, 2])
def test_zero_ablation(classifier, tokenizer, unmasked, block):
    masks = [Mask(WHOLE_BLOCK, "described"), Mask(WHOLE_BLOCK, "mlp_zero"), Mask(3, "zero")]
    scores = scores_of(classifier, tokenizer, block, masks)
    ways = [
        lambda *_: fixed_output(projection_of(classifier, block), torch.zeros(())),
        lambda *_: fixed_output(feed_forward_of(classifier, block), torch.zeros(())),
        lambda *_: fixed_head(classifier, block, 3, 0.0),
    ]
    for mask, way in zip(masks, ways, strict=True):
        assert_close(scores[mask], by_hand(classifier, tokenizer, way), unmasked)


def test_the_authors_mask_takes_the_bias_alone(classifier, tokenizer, unmasked):
    if projection_of(classifier, 1).bias is None:
        assert not [mask for mask in masks_of(classifier, WHOLE, ["zero"], 2) if mask.condition == "published"]
        return
    [scores] = scores_of(classifier, tokenizer, 1, [Mask(WHOLE_BLOCK, "published")]).values()
    assert_close(scores, by_hand(classifier, tokenizer, lambda *_: silenced_bias(classifier, 1)), unmasked)


@pytest.mark.parametrize("part", ["attention", "mlp"])
@pytest.mark.parametrize("block", [0, 2])
def test_mean_ablation_puts_the_mean_of_the_kind_of_position_in_reference_texts(
    classifier, tokenizer, unmasked, block, part
):
    means = means_by_hand(classifier, tokenizer, OTHERS, block, part)

    def mask(text, _):
        return fixed_output(MODULES[part](classifier, block), at_mean(classifier, tokenizer, text, means))

    [scores] = scores_of(
        classifier, tokenizer, block, [Mask(-1, "mean" if part == "attention" else "mlp_mean")]
    ).values()
    assert_close(scores, by_hand(classifier, tokenizer, mask), unmasked)
    judged = means_by_hand(classifier, tokenizer, TEXTS, block, part)
    assert all((judged[kind] - means[kind]).abs().max() > 1e-3 for kind in means), "the judged texts' own means differ"


def test_mean_ablation_of_a_head_takes_that_heads_mean(classifier, tokenizer, unmasked):
    means = means_by_hand(classifier, tokenizer, OTHERS, 1, "heads")
    where = head_slice(classifier, 2)

    def mask(text, _):
        return fixed_head(classifier, 1, 2, at_mean(classifier, tokenizer, text, means)[..., where])

    [scores] = scores_of(classifier, tokenizer, 1, [Mask(2, "mean")]).values()
    assert_close(scores, by_hand(classifier, tokenizer, mask), unmasked)


@pytest.mark.parametrize("part", ["attention", "mlp"])
def test_resampling_puts_the_output_in_another_text_at_the_same_kind_of_position(classifier, tokenizer, unmasked, part):
    masks = [Mask(-1, "resample" if part == "attention" else "mlp_resample", draw) for draw in (0, 1)]
    scores = scores_of(classifier, tokenizer, 1, masks)
    for mask in masks:
        others = [OTHERS[other] for other in reference_of(classifier, tokenizer).drawn(len(TEXTS), mask.draw)]

        def way(text, number, others=others):
            value = resampled(classifier, tokenizer, text, others[number], 1, part)
            return fixed_output(MODULES[part](classifier, 1), value)

        assert_close(scores[mask], by_hand(classifier, tokenizer, way), unmasked)
    assert np.abs(scores[masks[0]] - scores[masks[1]]).max() > 1e-3, "every draw takes other texts"


def test_a_text_resampled_from_itself_stays_as_it_is(classifier, tokenizer, unmasked):
    reference = reference_of(classifier, tokenizer)
    same = type(reference)(TEXTS, reference.means, seed=1)
    chosen = same.drawn(len(TEXTS), 0)
    assert sorted(chosen) == list(range(len(TEXTS))) and (chosen != np.arange(len(TEXTS))).any()
    judged = [TEXTS[number] for number in chosen]
    [scores] = block_scores(classifier, tokenizer, judged, 1, [Mask(-1, "resample")], same, 64, CHECKS).values()
    np.testing.assert_allclose(scores, unmasked[chosen], atol=1e-4)


@pytest.mark.parametrize("condition", ["described", "mean", "resample", "published"])
def test_all_blocks_but_one(classifier, tokenizer, unmasked, condition):
    """Every condition, every block that is kept, against masks on each of the others in a whole run."""
    masks = masks_of(classifier, [condition], [], 1)
    reference = reference_of(classifier, tokenizer)
    scores = all_but_scores(classifier, tokenizer, TEXTS, masks, reference, 64, CHECKS)
    assert set(scores) == {(kept, mask) for kept in range(3) for mask in masks}
    means = {block: means_by_hand(classifier, tokenizer, OTHERS, block, "attention") for block in range(3)}

    def masked(block, text, number, mask):
        module = projection_of(classifier, block)
        if condition == "described":
            return fixed_output(module, torch.zeros(()))
        if condition == "published":
            return silenced_bias(classifier, block)
        if condition == "mean":
            return fixed_output(module, at_mean(classifier, tokenizer, text, means[block]))
        other = OTHERS[reference.drawn(len(TEXTS), mask.draw)[number]]
        return fixed_output(module, resampled(classifier, tokenizer, text, other, block, "attention"))

    for (kept, mask), found in scores.items():

        def way(text, number, kept=kept, mask=mask):
            others = [
                masked(block, text, number, mask) for block in {0, 1, 2} - {kept}
            ]  # before any of them is in place
            stack = ExitStack()
            for other in others:
                stack.enter_context(other)
            return stack

        assert_close(found, by_hand(classifier, tokenizer, way), unmasked)


def test_every_mask_that_was_asked_for_is_made_once(classifier):
    masks = masks_of(classifier, WHOLE, ["zero", "mean"], 3)
    has_bias = projection_of(classifier, 0).bias is not None
    assert len(set(masks)) == len(masks) == 4 + 2 * 3 + has_bias + 2 * 4
    assert {mask.draw for mask in masks if mask.condition == "mlp_resample"} == {0, 1, 2}


@pytest.mark.parametrize("exact", [[], ["resumed"], ["pooled"], ["values"]])
def test_a_run_that_cannot_be_shortened_is_whole_and_the_same(classifier, tokenizer, monkeypatch, exact):
    """What would be spared is not, where a model does not allow it: it would otherwise spoil the answer."""
    masks, reference = [Mask(WHOLE_BLOCK, "described"), Mask(1, "mean")], reference_of(classifier, tokenizer)
    short = block_scores(classifier, tokenizer, TEXTS, 1, masks, reference, 64, CHECKS)
    kept = all_but_scores(classifier, tokenizer, TEXTS, masks[:1], reference, 64, CHECKS)
    for needed, shortcut in (("resumed", "resumed_at"), ("pooled", "computed_where_read"), ("values", "idle")):
        if needed not in exact:
            monkeypatch.setattr(f"emoscope.experiments.masking.shortcuts.{shortcut}", None)
    for mask, scores in block_scores(classifier, tokenizer, TEXTS, 1, masks, reference, 64, exact).items():
        np.testing.assert_allclose(scores, short[mask], atol=1e-4)
    for key, scores in all_but_scores(classifier, tokenizer, TEXTS, masks[:1], reference, 64, exact).items():
        np.testing.assert_allclose(scores, kept[key], atol=1e-4)
