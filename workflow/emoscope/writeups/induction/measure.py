"""How a language model predicts repeated tokens: log-probabilities, and where its heads look."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from emoscope.models.language_models import load_language_model
from emoscope.models.loading import check_blocks, random_twin
from emoscope.models.parts import blocks_of, heads_of
from emoscope.storage.files import write_table
from emoscope.writeups.induction.repeats import (
    first_token,
    fitting_lengths,
    head_scores,
    hits,
    log_probabilities,
    repeated_tokens,
)

SEQUENCES_PER_BATCH = 8
HEADS = ("sequence", "block", "head")


def score_heads(model: Path, blocks: int, config: dict, predictions: Path, heads: Path, patterns: Path) -> None:
    """Run repeated tokens through the model, and through models of its architecture with fresh random weights.

    Writes `length, sequence, position, log_prob, hit` (position of the predicted token), `weights, length, sequence,
    block, head, induction, previous, stripe`, and `kind, block, head, query, key, attention`: what the best induction
    and the best previous-token head do on the first sequence of the main length. `weights` is `trained` or the number
    of a random model.
    """
    trained, tokenizer = load_language_model(model)
    check_blocks(trained, blocks)
    first, lengths = first_token(tokenizer), fitting_lengths(trained, config["lengths"])
    drawn = {
        length: repeated_tokens(trained.config.vocab_size, first, length, config["sequences"], config["seed"])
        for length in lengths
    }
    runs = [_run(trained, tokens, length) for length, tokens in drawn.items()]
    write_table(pd.concat([table for table, _ in runs], ignore_index=True), predictions)
    scores = [table.assign(weights="trained") for _, table in runs]
    write_table(_patterns(trained, drawn[lengths[0]][:1], scores[0]), patterns)
    for number in range(config["random_models"]):
        fresh = random_twin(trained, config["seed"] + number)
        scores.append(_scores(fresh, drawn[lengths[0]], lengths[0]).assign(weights=str(number)))
    write_table(pd.concat(scores, ignore_index=True), heads)


@torch.inference_mode()
def _run(model: PreTrainedModel, tokens: Tensor, length: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions and head scores of one length."""
    predicted, lines = [], []
    for batch, output, scores in _read(model, tokens, length):
        predicted.append({"log_prob": log_probabilities(output.logits, batch), "hit": hits(output.logits, batch)})
        lines.append(scores)
    predictions = _table(length, ("sequence", "position"), predicted)
    return predictions.assign(position=predictions["position"] + 1), _table(length, HEADS, lines)


@torch.inference_mode()
def _scores(model: PreTrainedModel, tokens: Tensor, length: int) -> pd.DataFrame:
    """Head scores alone, of a model without its output layer: what random weights predict, nobody asks."""
    return _table(length, HEADS, [scores for *_, scores in _read(model.base_model, tokens, length)])


def _read(model: PreTrainedModel, tokens: Tensor, length: int) -> Iterator[tuple[Tensor, ModelOutput, dict]]:
    """Batches with what the model makes of them; attention patterns are reduced to (sequences, blocks, heads)."""
    for batch in tqdm(tokens.split(SEQUENCES_PER_BATCH), desc=f"halves of {length}", unit="batch", mininterval=2):
        batch = batch.to(model.device)
        output = model(batch, output_attentions=True, use_cache=False)
        yield batch, output, head_scores(torch.stack(output.attentions, dim=1), length)


def _table(length: int, names: tuple[str, ...], parts: list[dict[str, Tensor]]) -> pd.DataFrame:
    """Batches of values, all of one shape, as rows; `names` name their dimensions."""
    found = {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in parts[0]}
    index = np.indices(next(iter(found.values())).shape).reshape(len(names), -1)
    key = dict(zip(names, index, strict=True))
    return pd.DataFrame({"length": length, **key, **{name: values.ravel() for name, values in found.items()}})


@torch.inference_mode()
def _patterns(model: PreTrainedModel, tokens: Tensor, scores: pd.DataFrame) -> pd.DataFrame:
    attentions = model(tokens.to(model.device), output_attentions=True, use_cache=False).attentions
    parts = []
    for kind in ("induction", "previous"):
        block, head = best_heads(scores, kind, 1)[0]
        pattern = attentions[block][0, head].cpu().numpy()
        query, key = np.tril_indices(len(pattern))
        line = {"kind": kind, "block": block, "head": head, "query": query, "key": key}
        parts.append(pd.DataFrame({**line, "attention": pattern[query, key]}))
    return pd.concat(parts, ignore_index=True)


def best_heads(scores: pd.DataFrame, kind: str, count: int) -> list[tuple[int, int]]:
    """The (block, head) with the highest mean scores, best first."""
    return scores.groupby(["block", "head"])[kind].mean().nlargest(count).index.tolist()


def trained_scores(heads: Path) -> pd.DataFrame:
    """The trained model's head scores at the main length, which is the one that was run first."""
    scores = pd.read_parquet(heads)
    return scores[(scores["weights"] == "trained") & (scores["length"] == scores["length"].iloc[0])]


def all_heads(model: PreTrainedModel) -> list[tuple[int, int]]:
    """Every (block, head)."""
    return [(block, head) for block in range(len(blocks_of(model))) for head in range(heads_of(model))]
