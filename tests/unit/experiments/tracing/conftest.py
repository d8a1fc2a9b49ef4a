"""A model with special tokens, for tests of tracing."""

import pytest
import torch

from random_models import FAMILIES, TEXTS, train_wordpiece
from traced_pair import FLIPPED, TEXT


@pytest.fixture(scope="module")
def bert():
    """A random BERT whose tokenizer puts [CLS] and [SEP] around a text."""
    own = train_wordpiece([*TEXTS, TEXT, FLIPPED], 300)
    torch.manual_seed(0)
    model = FAMILIES["bert"](len(own)).eval()
    for parameter in model.bert.encoder.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model, own
