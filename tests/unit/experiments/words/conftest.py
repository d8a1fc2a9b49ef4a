"""A tokenizer of each family's own."""

import pytest

from random_models import TEXTS, train_wordpiece


@pytest.fixture
def own_tokenizer(classifier, tokenizer):
    return train_wordpiece(TEXTS * 3, len(tokenizer)) if classifier.config.model_type == "bert" else tokenizer
