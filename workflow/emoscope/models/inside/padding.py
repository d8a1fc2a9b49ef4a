"""How a check is made, on which texts, and the one that every classifier has to pass: padding changes no answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.batches import encode, padded_batches

LIMIT = 1e-4  # up to which an error counts as exact, of the largest absolute value
TEXTS = 5  # on which checks are made: the shortest, the longest, and between them
LONGEST = 512  # tokens; of a longer text the first: eager attention holds their square for every head of every block
LOOKED_AT = 200  # distinct test texts from which these are taken

Routes = Iterator[tuple[Tensor, Tensor]]  # the same quantity by two routes


@dataclass(frozen=True)
class Check:
    """One check: its error, relative to the largest value, whether that is within the limit, and what went wrong if
    the model could not be checked at all (the error is then infinite)."""

    check: str
    error: float
    limit: float = LIMIT
    note: str = ""

    @property
    def exact(self) -> bool:
        return self.error <= self.limit


@torch.inference_mode()
def assert_padding(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: pd.Series) -> None:
    """UserError for a model whose answer to a text depends on the batch that it is in."""
    judge_padding(padding_check(model.eval(), tokenizer, chosen_texts(tokenizer, texts)), model.name_or_path)


def judge_padding(check: Check, name: str) -> None:
    """UserError if the check of padding fails."""
    if not check.exact:
        raise UserError(
            f"{name}: its answers depend on padding (by {check.error:.2g} of the largest logit{said(check)}), so that "
            "a text would get another answer in another batch; give a model that masks its padding"
        )


def padding_check(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> Check:
    """Whether a text's answer is the same in a batch."""
    return checked("padding", _padding(model, tokenizer, texts))


def _padding(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> Routes:
    """A text's answer alone and in a batch with all others, and with a text longer than any, so that all are padded."""
    texts = [*texts, " ".join(texts)]
    [(rows, together)] = padded_batches(tokenizer, texts, 10**9, model.device)
    answers = model(**together).logits
    for row, answer in zip(rows, answers, strict=True):
        [(_, alone)] = padded_batches(tokenizer, [texts[row]], 10**9, model.device)
        yield answer, model(**alone).logits[0]


def chosen_texts(tokenizer: PreTrainedTokenizerBase, texts: pd.Series) -> list[str]:
    """TEXTS distinct texts: the shortest and the longest in tokens, and some evenly between them, of LOOKED_AT that lie
    evenly over all, as a corpus may be sorted; of a text longer than LONGEST its beginning.

    UserError if none of them has a token.
    """
    distinct = texts.drop_duplicates().to_numpy()
    looked_at = distinct[_evenly(len(distinct), LOOKED_AT)]
    tokens = encode(tokenizer, looked_at)["input_ids"]
    lengths = np.array(list(map(len, tokens)))
    by_length = [place for place in np.argsort(lengths, kind="stable") if lengths[place]]
    if not by_length:
        raise UserError("no text of those looked at has a token, so that nothing can be said about the model")
    chosen = [by_length[place] for place in _evenly(len(by_length), TEXTS)]
    beginning = partial(tokenizer.decode, skip_special_tokens=True)
    return [looked_at[at] if lengths[at] <= LONGEST else beginning(tokens[at][:LONGEST]) for at in chosen]


def _evenly(count: int, most: int) -> np.ndarray:
    """At most so many of the places up to `count`, evenly from the first to the last."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(int)


def checked(name: str, pairs: Routes) -> Check:
    """The largest difference over the largest value, where the model lets it be taken; a model of a description from
    the configuration may fail in any way. That memory does not suffice says nothing of a model."""
    try:
        error = float(np.max([_difference(one, other) for one, other in pairs]))  # `max` passes over most NaNs
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:
        return Check(name, np.inf, note=first_line(error))
    return Check(name, error if np.isfinite(error) else np.inf)


def _difference(one: Tensor, other: Tensor) -> float:
    """The largest difference over the largest value; 0 where both are nothing."""
    difference, largest = (one - other).abs().max(), other.abs().max()
    return 0.0 if difference == largest == 0 else float(difference / largest)


def first_line(error: Exception) -> str:
    """What kind of error it is, and the first 200 characters of what it says."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def said(check: Check) -> str:
    """What went wrong, behind a colon."""
    return f": {check.note}" if check.note else ""
