"""The logit lens against the model itself."""

import numpy as np
import torch

from emoscope.models.batches import padded_batches
from emoscope.models.interventions import read_out
from emoscope.models.parts import blocks_of
from emoscope.writeups.residual.measure import first_choices, residual_stream, token_lens_table
from random_models import TEXTS


def test_the_lens_at_the_last_depth_is_the_model(model, tokenizer):
    inputs = next(padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu")))[1]
    with torch.inference_mode():
        streams = residual_stream(model, inputs)
        torch.testing.assert_close(read_out(model, streams[-1]), model(**inputs).logits, atol=1e-4, rtol=0)
    assert len(streams) == len(blocks_of(model)) + 1
    assert (read_out(model, streams[-2]) - read_out(model, streams[-1])).abs().max() > 1e-2


def test_lens_table_says_what_the_model_says(model, tokenizer):
    table = token_lens_table(model, tokenizer, TEXTS, 40).set_index(["row", "position", "depth"]).sort_index()
    last = len(blocks_of(model))
    for row, text in enumerate(TEXTS):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        probabilities = model(ids).logits[0].softmax(-1)
        final = table.xs(last, level="depth").loc[row]
        np.testing.assert_allclose(final["p_prediction"], probabilities.max(-1).values, rtol=1e-4)
        assert (final["rank_prediction"] == 1).all()
        following = probabilities[:-1].gather(1, ids[0, 1:, None])[:, 0]
        np.testing.assert_allclose(final["p_next"].to_numpy()[:-1], following, rtol=1e-4)
        assert np.isnan(final["p_next"].iloc[-1])
        rank = (probabilities[:-1] > following[:, None]).sum(-1) + 1
        np.testing.assert_array_equal(final["rank_next"].to_numpy()[:-1], rank)
        embedding = model(ids, output_hidden_states=True).hidden_states[0][0]
        np.testing.assert_allclose(table.xs(0, level="depth").loc[row]["norm"], embedding.norm(dim=-1), rtol=1e-5)


def test_first_choices_cover_every_depth_and_position(model, tokenizer):
    found = first_choices(model, tokenizer, TEXTS[0])
    tokens = len(tokenizer(TEXTS[0])["input_ids"])
    assert len(found) == tokens * (len(blocks_of(model)) + 1)
    assert found["probability"].between(0, 1).all()
    assert "".join(found[found["depth"] == 0]["token"]).strip() == TEXTS[0]
