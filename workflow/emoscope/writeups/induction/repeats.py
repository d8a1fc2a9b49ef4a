"""Sequences of random tokens that repeat themselves: BOS, a random half, the same half again.

Nothing but the repetition can be predicted in them. With halves of L tokens, positions 1..L hold the first half and
L+1..2L the second; the model's output at position i predicts token i + 1.
"""

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.batches import logsumexp
from emoscope.models.parts import seen_by_all


def first_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The token to start with: BOS, or EOS for a model that knows none; UserError if it has neither."""
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return token
    raise UserError("the tokenizer knows neither a BOS nor an EOS token to start a sequence with; name another model")


def fitting_lengths(model: PreTrainedModel, lengths: list[int]) -> list[int]:
    """The halves that fit into what the model sees at once and its vocabulary; UserError if the first, the main one,
    does not."""
    context, vocabulary = seen_by_all(model), model.config.vocab_size
    fitting = [length for length in lengths if 1 + 2 * length <= context and length < vocabulary]
    if lengths[0] not in fitting:
        raise UserError(
            f"induction.lengths: BOS and two halves of {lengths[0]} tokens do not fit into the {context} that the "
            f"model sees at once and a vocabulary of {vocabulary}; begin with a length of at most "
            f"{int(min((context - 1) / 2, vocabulary - 1))}"
        )
    return fitting


def repeated_tokens(vocabulary: int, first: int, length: int, sequences: int, seed: int) -> Tensor:
    """Token ids (sequences, 1 + 2 length). Within a half no token comes twice, so that each has one successor."""
    rng = np.random.default_rng([seed, length])
    others = np.delete(np.arange(vocabulary), first)
    halves = np.stack([rng.choice(others, length, replace=False) for _ in range(sequences)])
    return torch.from_numpy(np.hstack([np.full((sequences, 1), first), halves, halves]))


def log_probabilities(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probability of each token but the first, (sequences, tokens - 1), in nats."""
    chosen = logits[:, :-1].gather(-1, tokens[:, 1:, None])[..., 0]
    return chosen - logsumexp(logits)[:, :-1]


def hits(logits: Tensor, tokens: Tensor) -> Tensor:
    """Whether each token but the first is the most probable one, (sequences, tokens - 1)."""
    return logits[:, :-1].argmax(dim=-1) == tokens[:, 1:]


def head_scores(attention: Tensor, length: int) -> dict[str, Tensor]:
    """Induction (prefix matching) and previous-token scores of heads' patterns, (..., tokens, tokens) -> (...).

    `induction`: a token of the second half looks at the token after its first occurrence, `length - 1` back.
    `previous`: a token looks at the one before it. `stripe`: the whole diagonal `length - 1` back, as the blog has it;
    it counts two tokens of the first half, from which there is nothing to induce.
    """
    second, all_but_first = torch.arange(length + 1, 2 * length + 1), torch.arange(1, 2 * length + 1)
    return {
        "induction": attention[..., second, second - (length - 1)].mean(dim=-1),
        "previous": attention[..., all_but_first, all_but_first - 1].mean(dim=-1),
        "stripe": attention.diagonal(offset=1 - length, dim1=-2, dim2=-1).mean(dim=-1),
    }
