"""The notebook's tables: how probable each token of a sentence is at each of its positions, and what follows from it.

The notebook calls the columns of its tables `layer_k`. They are positions: every number comes from the model's last
layer. Rows are the sentence's tokens, columns its positions, both from 0.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.parts import context_of
from emoscope.writeups.residual.sentences import TEXTS

Entry = tuple[str, int, int | None, float]  # table, row, column, value


@torch.inference_mode()
def position_tables(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> pd.DataFrame:
    """All tables of the three texts in long form, `text, table, row, column, value, token` (`token` is the row's)."""
    parts = []
    for name, text in TEXTS.items():
        encoded = encode_sentence(model, tokenizer, text)
        ids = encoded["input_ids"][0].tolist()
        probabilities = model(**encoded).logits[0].softmax(-1)[:, ids].T.double().cpu().numpy()
        table = derived(np.array(ids), probabilities)
        parts.append(table.assign(text=name, token=table["row"].map([tokenizer.decode([i]) for i in ids].__getitem__)))
    return pd.concat(parts, ignore_index=True)


def encode_sentence(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str) -> BatchEncoding:
    """One sentence as tensors (1, tokens); UserError if the model cannot read it whole, or if it is a single token."""
    encoded = tokenizer(text, return_tensors="pt").to(model.device)
    tokens, context = encoded["input_ids"].shape[1], context_of(model)
    if not 2 <= tokens <= context:
        raise UserError(f"{text!r} has {tokens} tokens; it needs at least 2, and the model reads at most {context}")
    return encoded


def derived(ids: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """Every table of one text from its token ids (tokens,) and P(token | position), (tokens, positions).

    - input_id, probability: what was given
    - correlation: Pearson's, over the tokens, of each column with the indicator of one token; row is that token
    - input_id_correlation: the same of the token ids, which mean nothing as numbers
    - lowest: the column with the lowest correlation
    - above_lowest: correlation minus the lowest in its row
    - testing: the diagonal of above_lowest, the notebook's "testing vector"
    - expected: the correlation of a token with the column *before* its own, the position that has to predict it
    - row_mean: the mean probability of a token over the positions
    """
    correlation, of_ids = _with_indicators(probabilities), _with_indicators(ids[:, None].astype(float))[:, 0]
    above_lowest = correlation - correlation.min(axis=1, keepdims=True)
    vectors = {
        "input_id": ids,
        "input_id_correlation": of_ids,
        "lowest": correlation.argmin(axis=1),
        "testing": above_lowest.diagonal(),
        "row_mean": probabilities.mean(axis=1),
    }
    matrices = {"probability": probabilities, "correlation": correlation, "above_lowest": above_lowest}

    def entries() -> Iterator[Entry]:
        for name, vector in vectors.items():
            yield from ((name, row, None, float(value)) for row, value in enumerate(vector))
        yield from (("expected", row + 1, None, float(v)) for row, v in enumerate(correlation.diagonal(-1)))
        for name, matrix in matrices.items():
            yield from ((name, row, column, float(value)) for (row, column), value in np.ndenumerate(matrix))

    return pd.DataFrame(entries(), columns=["table", "row", "column", "value"]).astype({"column": "Int64"})


def _with_indicators(columns: np.ndarray) -> np.ndarray:
    """Correlation of each column (tokens, columns) with each token's indicator: (tokens, columns)."""
    tokens = len(columns)
    centred = columns - columns.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0) * (1 - 1 / tokens))
    return centred / spread
