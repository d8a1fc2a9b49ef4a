"""Tokens for the language models."""

import pytest

from attention_tables import SENTENCE


@pytest.fixture(scope="module")
def ids(tokenizer) -> list[int]:
    return tokenizer(SENTENCE)["input_ids"]
