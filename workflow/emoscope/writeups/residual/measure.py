"""The logit lens: what the model would predict if it stopped after a block.

Each block's residual stream passes the final normalisation and the unembedding, as the last one does; nostalgebraist,
"interpreting GPT: the logit lens" (2020). Depth d is the stream that block d reads, so 0 is the embedding, and the
number of blocks is the depth at which the model itself predicts.
"""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.batches import higher, logsumexp, padded_batches
from emoscope.models.interventions import read_out, recording
from emoscope.models.language_models import load_language_model
from emoscope.models.parts import blocks_of
from emoscope.storage.files import write_table
from emoscope.writeups.residual.positions import encode_sentence, position_tables
from emoscope.writeups.residual.sentences import TEXTS
from emoscope.writeups.residual.texts import distinct_texts

TOKENS_AT_ONCE = 512  # rows of logits held at once: 100 MB for a vocabulary of 49,152


def read_residual(
    model: Path, corpus: Path, config: dict, prediction: dict, positions: Path, sentences: Path, lens: Path
) -> None:
    """Write the notebook's tables, the lens on its three texts, and the lens on texts of a corpus with residual norms.

    `sentences`: `text, position, token, depth, predicted, probability`, the first choice at every depth.
    `lens`: `id, position, depth, norm, p_prediction, rank_prediction, p_next, rank_next`: of the model's final
    prediction and of the true next token (NaN at a text's end). Ranks count from 1.
    """
    language_model, tokenizer = load_language_model(model)
    write_table(position_tables(language_model, tokenizer), positions)
    write_table(
        pd.concat([first_choices(language_model, tokenizer, text).assign(text=name) for name, text in TEXTS.items()]),
        sentences,
    )
    texts = distinct_texts(corpus, config["seed"]).head(config["lens_texts"])
    table = token_lens_table(language_model, tokenizer, texts["text"].tolist(), prediction["tokens_per_batch"])
    write_table(table.assign(id=texts["id"].to_numpy()[table.pop("row")]), lens)


def residual_stream(model: PreTrainedModel, inputs: dict[str, Tensor]) -> Tensor:
    """The residual stream at every depth, (blocks + 1, rows, tokens, width)."""
    with ExitStack() as stack:
        seen = [stack.enter_context(recording(block)) for block in blocks_of(model)]
        model.base_model(**inputs, use_cache=False)
    return torch.stack([seen[0]["input"], *(block["output"] for block in seen)])


@torch.inference_mode()
def first_choices(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str) -> pd.DataFrame:
    """The most probable next token at every depth and position of one sentence."""
    encoded = encode_sentence(model, tokenizer, text)
    probability, choice = read_out(model, residual_stream(model, encoded)[:, 0]).softmax(-1).max(-1)
    tokens = [tokenizer.decode([number]) for number in encoded["input_ids"][0].tolist()]
    depth, position = np.indices(choice.shape).reshape(2, -1)
    return pd.DataFrame({
        "position": position,
        "token": [tokens[place] for place in position],
        "depth": depth,
        "predicted": [tokenizer.decode([number]) for number in choice.flatten().tolist()],
        "probability": probability.flatten().cpu().numpy(),
    })  # fmt: skip


@torch.inference_mode()
def token_lens_table(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str], tokens_per_batch: int
) -> pd.DataFrame:
    """The lens and the norm of the residual stream at every depth and token of some texts; `row` numbers the text."""
    parts = []
    with tqdm(total=len(texts), desc="logit lens", unit="text", mininterval=2) as progress:
        for rows, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
            real = inputs["attention_mask"].bool()
            row, position = torch.nonzero(real, as_tuple=True)
            streams = residual_stream(model, inputs)[:, real]  # (depths, tokens, width)
            following = torch.where(real, inputs["input_ids"], -1).roll(-1, dims=1)
            following[:, -1] = -1
            places = {"row": rows[row.cpu().numpy()], "position": position.cpu().numpy()}
            for chunk in torch.arange(streams.shape[1]).split(TOKENS_AT_ONCE):
                where = {name: values[chunk.numpy()] for name, values in places.items()}
                parts += [part.assign(**where) for part in _read(model, streams[:, chunk], following[real][chunk])]
            progress.update(len(rows))
    return pd.concat(parts, ignore_index=True)


def _read(model: PreTrainedModel, streams: Tensor, following: Tensor) -> list[pd.DataFrame]:
    """The lens on streams (depths, tokens, width); `following` (tokens,) is the next token, -1 where there is none."""
    prediction = read_out(model, streams[-1]).argmax(-1)
    known = (following >= 0).cpu().numpy()
    parts = []
    for depth, stream in enumerate(streams):
        logits = read_out(model, stream)
        total = logsumexp(logits)
        columns = {"depth": depth, "norm": stream.norm(dim=-1).cpu().numpy()}
        for name, wanted in (("prediction", prediction), ("next", following.clamp(min=0))):
            own = logits.gather(-1, wanted[:, None])
            columns[f"p_{name}"] = (own[:, 0] - total).exp().cpu().numpy()
            columns[f"rank_{name}"] = higher(logits, wanted).cpu().numpy() + 1.0
        parts.append(pd.DataFrame(columns))
        parts[-1].loc[~known, ["p_next", "rank_next"]] = np.nan
    return parts
