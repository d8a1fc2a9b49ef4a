"""Repeated tokens: what is drawn and what is scored."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import UserError
from emoscope.writeups.induction.copier import word_tokenizer
from emoscope.writeups.induction.repeats import (
    first_token,
    fitting_lengths,
    head_scores,
    hits,
    log_probabilities,
    repeated_tokens,
)

LENGTH = 12


@given(st.integers(2, 30), st.integers(1, 4), st.integers(0, 99), st.integers(0, 39))
def test_the_second_half_repeats_the_first_and_no_token_comes_twice_in_it(length, sequences, seed, first):
    tokens = repeated_tokens(40, first, length, sequences, seed)
    assert tokens.shape == (sequences, 1 + 2 * length)
    assert (tokens[:, 0] == first).all()
    assert torch.equal(tokens[:, 1 : length + 1], tokens[:, length + 1 :])
    assert all(len(set(line.tolist())) == length + 1 for line in tokens)
    assert torch.equal(tokens, repeated_tokens(40, first, length, sequences, seed))


def test_scores_of_heads_that_do_nothing_else():
    patterns = torch.zeros(2, 1 + 2 * LENGTH, 1 + 2 * LENGTH)
    for query in range(1, 1 + 2 * LENGTH):
        patterns[0, query, query - (LENGTH - 1) if query > LENGTH else query] = 1
        patterns[1, query, query - 1] = 1
    scores = head_scores(patterns, LENGTH)
    assert scores["induction"].tolist() == [1, 0]
    assert scores["previous"][1] == 1
    assert scores["stripe"][0] == pytest.approx(LENGTH / (LENGTH + 2))  # the first half's two entries are not induction


def test_log_probabilities_and_hits_are_of_the_next_token():
    tokens = torch.tensor([[0, 2, 1]])
    logits = torch.log(torch.tensor([[[0.2, 0.1, 0.7], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]])) + 3
    np.testing.assert_allclose(log_probabilities(logits, tokens).exp(), [[0.7, 0.3]], rtol=1e-5)
    assert hits(logits, tokens).tolist() == [[True, False]]


def test_lengths_that_do_not_fit_are_left_out_but_not_the_main_one(model):
    assert fitting_lengths(model, [12, 31, 40]) == [12, 31]
    with pytest.raises(UserError, match=r"64.*at most 31"):
        fitting_lengths(model, [40, 12])


def test_eos_starts_a_sequence_where_there_is_no_bos():
    tokenizer = word_tokenizer(9, 64)
    tokenizer.bos_token, tokenizer.eos_token = None, "t3"
    assert first_token(tokenizer) == 3
    tokenizer.eos_token = None
    with pytest.raises(UserError, match="BOS"):
        first_token(tokenizer)
