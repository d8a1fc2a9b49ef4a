"""The copier learns to copy, or is refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import UserError
from emoscope.models.language_models import load_language_model
from emoscope.writeups.induction.copier import train_copier, window_at
from emoscope.writeups.induction.repeats import first_token, hits, repeated_tokens


def test_a_copier_learns_to_copy_and_is_a_usable_model_folder(copier, copier_settings):
    model, tokenizer = load_language_model(copier)
    tokens = repeated_tokens(copier_settings["vocabulary"], first_token(tokenizer), 10, 20, seed=5)
    with torch.inference_mode():
        right = hits(model(tokens).logits, tokens)
    assert right[:, :10].float().mean() < 0.2 and right[:, 11:].float().mean() > 0.9


def test_a_copier_that_did_not_learn_is_refused(copier_settings, tmp_path):
    with pytest.raises(UserError, match="more `steps`"):
        train_copier({**copier_settings, "steps": 2, "learning_rate": 0.01}, tmp_path / "copier")
    assert not (tmp_path / "copier").exists()


@given(st.floats(0, 1), st.integers(25, 300))
def test_the_training_window_grows_to_the_context(progress, context):
    assert 25 <= window_at(progress, context) <= context
    assert window_at(0.5, context) == context
