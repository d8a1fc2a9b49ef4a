"""The write-ups on language models of every family that reads from left to right."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from benchmarks.families import CONFIGS, TEXTS, random_model, settings_of, word_pieces
from emoscope.errors import UserError
from emoscope.models.families import family_named
from emoscope.models.inside.exactness import assert_readable
from emoscope.models.inside.structure import prepared
from emoscope.models.interventions import changing_input, changing_output, recording
from emoscope.models.parts import (
    attention_of,
    blocks_of,
    family_of,
    feed_forward_of,
    head_slice,
    heads_of,
    projection_of,
    seen_by_all,
    write_directions,
)
from emoscope.writeups.attention.blocking import SeenText, blocked_predictions, silenced_predictions
from emoscope.writeups.induction.ablation import mlp_losses
from emoscope.writeups.induction.composition import circuit, processed_weights, residuals_after
from emoscope.writeups.induction.repeats import fitting_lengths, log_probabilities, repeated_tokens
from emoscope.writeups.prompting.soft_prompts import Texts, composite_logits, logits_of, new_prompt
from emoscope.writeups.prompting.training import check_context
from emoscope.writeups.residual.measure import token_lens_table

TOKENIZER, LENGTH = word_pieces(), 10
SHORT = "mistral with a short window"
DECODERS = [
    name
    for name in CONFIGS
    if name != SHORT and not family_named(settings_of(name, len(TOKENIZER)).to_dict()).looks_ahead
]


def language_model(name):
    model = random_model(name, len(TOKENIZER), kind=AutoModelForCausalLM)
    model.set_attn_implementation("eager")
    return prepared(model).requires_grad_(False)


@pytest.fixture(scope="module", params=DECODERS)
def model(request):
    return language_model(request.param)


@torch.no_grad()
def test_a_replaced_mlp_output_is_that_of_a_whole_run(model):
    tokens, block, offset = repeated_tokens(len(TOKENIZER), 1, LENGTH, 3, 0), 1, 4
    _, losses = mlp_losses(model, tokens, LENGTH, [offset])
    with recording(feed_forward_of(model, block)) as seen:
        model(tokens)
    replaced = seen["output"].clone()
    replaced[:, LENGTH + offset] = seen["output"][:, offset]
    with changing_output(feed_forward_of(model, block), lambda _: replaced):
        whole = -log_probabilities(model(tokens).logits, tokens)[:, LENGTH:]
    torch.testing.assert_close(losses[block, offset], whole, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_silenced_head_is_silent_in_the_last_tokens_own_pass(model):
    """Beside the cached text, all heads at once; by hand, one head at the last token of a whole run."""
    if model.config.model_type == "gpt_neo":
        with pytest.raises(UserError, match="check 'blocking'"):
            assert_readable(model, blocked=True)
        pytest.skip("its window is kept by the place in the cache")
    ids = TOKENIZER(TEXTS[0])["input_ids"]
    text, last = SeenText.of(model, ids), len(ids) - 1
    _, divergence = silenced_predictions(model, text, last)
    block, head = 1, heads_of(model) - 1

    def silent(outputs):
        outputs = outputs.clone()
        outputs[:, last, head_slice(model, head)] = 0
        return outputs

    with changing_input(projection_of(model, block), silent):
        after = model(torch.tensor([ids])).logits[0, last].log_softmax(-1)
    before = text.predictions[last]
    expected = float((before.exp() * (before - after)).sum())
    assert divergence[block, head] == pytest.approx(expected, rel=1e-2, abs=1e-6) and expected > 1e-5
    assert np.nanmax(blocked_predictions(model, text)[1]) > 1e-4


@torch.no_grad()
def test_the_lens_ends_at_the_models_prediction(model):
    table = token_lens_table(model, TOKENIZER, TEXTS[:2], 64).set_index(["row", "position", "depth"]).sort_index()
    final = table.xs(len(blocks_of(model)), level="depth")
    for row, text in enumerate(TEXTS[:2]):
        probabilities = model(TOKENIZER(text, return_tensors="pt")["input_ids"]).logits[0].softmax(-1)
        np.testing.assert_allclose(final.loc[row]["p_prediction"], probabilities.max(-1).values, rtol=1e-3)


def test_a_soft_prompt_is_read_alike_alone_and_in_company(model):
    torch.manual_seed(0)
    texts = Texts(model, TOKENIZER, TEXTS, 40, 1e9)
    prompts = [new_prompt(model, 3, 2), new_prompt(model, 3, 4)]
    together = logits_of(model, texts.states([0, 1, 2]), prompts[0])
    alone = logits_of(model, texts.states([1]), prompts[0])
    torch.testing.assert_close(together[1:2], alone, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        composite_logits(model, texts.states([0, 1, 2]), prompts)[0], together, atol=1e-4, rtol=1e-4
    )
    together.sum().backward()
    assert prompts[0].tokens.grad.abs().max() > 0


@torch.no_grad()
def test_circuits_and_write_directions_have_the_models_sizes(model):
    residual = residuals_after(model, torch.arange(20), 1, 3)
    queries, keys = circuit(model, (0, 1), (2, 3), residual[2], residual[0])
    width = head_slice(model, 0).stop
    assert residual.shape == (3, 20, model.config.hidden_size) and queries.shape == keys.shape == (20, width)
    assert write_directions(model, 1).shape[1] == model.config.hidden_size


@torch.no_grad()
def added_alone(model, projection, written, place):
    """What the module `written` gives more, (width,), if of all that a projection gets this place is 1 and not 0."""

    def given(value):
        def only(inputs):
            inputs = torch.zeros_like(inputs)
            inputs[..., place] = value
            return inputs

        with changing_input(projection, only), recording(written) as seen:
            model(torch.tensor([[5, 6, 7]]))
        return seen["output"][0, -1]

    return given(1) - given(0)  # less the bias


def test_a_write_direction_is_what_a_neuron_adds_when_it_fires_alone(model):
    neurons = blocks_of(model)[1].get_submodule(family_of(model).neurons)
    added = added_alone(model, neurons, feed_forward_of(model, 1), 3)
    assert torch.cosine_similarity(added, write_directions(model, 1)[3], dim=0) > 0.9999


def test_what_a_head_writes_points_where_its_weights_say(model):
    block, head = 1, heads_of(model) - 1
    place = head_slice(model, head).start + 2
    added = added_alone(model, projection_of(model, block), attention_of(model, block), place)
    assert torch.cosine_similarity(added, processed_weights(model, block, head)[3][2], dim=0) > 0.9999


def test_texts_beyond_a_sliding_window_are_refused():
    """What the model keeps of the tokens before is cut to the window, and would be taken for the whole."""
    model = language_model(SHORT)
    seen = seen_by_all(model)
    assert seen == model.config.sliding_window - 1 < model.config.max_position_embeddings
    with pytest.raises(UserError, match=rf"do not fit into the {seen} that the model sees at once"):
        fitting_lengths(model, [LENGTH])
    with pytest.raises(UserError, match=rf"sees at most {seen} tokens at once"):
        check_context(model, {"max_tokens": seen, "tokens": 3})
    check_context(model, {"max_tokens": seen - 3, "tokens": 3})


def test_a_model_whose_blocks_look_less_far_than_the_text_is_named():
    model = language_model(SHORT)
    assert_readable(model, blocked=False)
    with pytest.raises(UserError, match="check 'blocking'"):
        assert_readable(model, blocked=True)
