"""Sparse autoencoders on a classifier's residual stream: what they explain of it, and what the model does when it reads
no more than their reconstruction.

Beside them stand the mean of all tokens, that of the same token, which knows nothing of the text, and an autoencoder on
the same model with random weights.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.experiments.features.names import AUTOENCODER, MEAN, MODEL, ORIGINAL, RANDOM_WEIGHTS, TOKEN
from emoscope.experiments.features.texts import learned_and_judged
from emoscope.models.batches import padded_batches
from emoscope.models.features.autoencoder import (
    Reconstruction,
    TopKAutoencoder,
    at_its_length,
    rates_of,
    scaled,
    train,
)
from emoscope.models.features.lookups import Lookups, fit_lookups
from emoscope.models.features.stored import save_autoencoders
from emoscope.models.features.stream import counted, gather, residual_behind, run_on, with_previous
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.loading import load_classifier, random_twin
from emoscope.models.logits import predict_logits, probabilities, thresholds_of
from emoscope.models.parts import blocks_of
from emoscope.storage.decisions import decided, truth_of
from emoscope.storage.files import write_table
from emoscope.storage.names import NONE

Ways = dict[tuple[str, int], Reconstruction]  # by name and, of autoencoders, seed
JUDGED = ["weights", "way", "seed", "text", "tokens", "error", "spread", "agrees", "right"]
RATES = ["weights", "seed", "feature", "rate"]


def learn_features(
    model: Path,
    train: Path,
    test: Path,
    exactness: Path,
    config: dict,
    prediction: dict,
    weights: Path,
    random_weights: Path,
    judged: Path,
    rates: Path,
    thresholds: list[Path] = (),
) -> None:
    """Train an autoencoder for each seed on training texts, and one on the model with random weights; judge them on
    test texts.

    - weights: the autoencoders of the model, as safetensors; random_weights: the other one;
    - judged: `weights, way, seed, text, tokens, error, spread, agrees, right`, sums over a text's tokens, and whether
      the answer of the model that reads the replaced stream is the one it gives otherwise, and the true one; of several
      labels, whether just the same are given;
    - rates: `weights, seed, feature, rate`, the share of the training tokens at which a feature is active.

    Where a run cannot be resumed behind a block, by `exactness`, the tables are empty and no autoencoder is written.
    UserError without a test text that is no training text.
    """
    classifier, tokenizer = load_classifier(model)
    block, budget = block_of(classifier, config["block"]), prediction["tokens_per_batch"]
    learned, others = learned_and_judged(pd.read_parquet(train), pd.read_parquet(test), config)
    if others.empty:
        raise UserError(f"{test}: every text is a training text as well, so that nothing can be judged; fix the split")
    if not allowed("features", exact_checks(exactness)):
        for path in (weights, random_weights):
            save_autoencoders([], block, path)
        write_table(pd.DataFrame(columns=JUDGED), judged)
        write_table(pd.DataFrame(columns=RATES), rates)
        return
    least, truth = thresholds_of(classifier, thresholds), truth_of(others, classifier.config.num_labels)
    seeds = {MODEL: config["seeds"], RANDOM_WEIGHTS: 1}
    tables, shares = [], []
    for kind, one in ((MODEL, classifier), (RANDOM_WEIGHTS, random_twin(classifier, config["seed"]))):
        found, averages, active = fitted(one, tokenizer, learned["text"].tolist(), block, config, seeds[kind], budget)
        save_autoencoders(found, block, weights if kind == MODEL else random_weights)
        texts = others["text"].tolist()
        whole = decided(probabilities(one, predict_logits(one, tokenizer, texts, budget)), least)
        for table, logits in replaced(one, tokenizer, texts, block, ways_of(found, averages), budget):
            given, text = decided(probabilities(one, logits), least), table["text"].to_numpy()
            same = {"agrees": given == whole[text], "right": given == truth[text]}
            same = {name: every.all(axis=1) for name, every in same.items()}
            tables.append(table.assign(weights=kind, **same)[JUDGED])
        shares.append(active.assign(weights=kind)[RATES])
    write_table(pd.concat(tables, ignore_index=True), judged)
    write_table(pd.concat(shares, ignore_index=True), rates)


def block_of(model: PreTrainedModel, block: int | None) -> int:
    """The block behind which the stream is read, by default that behind which half of the blocks are still to come;
    UserError for one that the model does not have."""
    blocks = len(blocks_of(model))
    number = max(0, blocks // 2 - 1) if block is None else block
    if number >= blocks:
        raise UserError(f"there is no block {number}: the model's blocks are 0 to {blocks - 1}; set features.block")
    return number


def fitted(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    block: int,
    config: dict,
    seeds: int,
    tokens_per_batch: int,
) -> tuple[list[TopKAutoencoder], Lookups, pd.DataFrame]:
    """An autoencoder for each seed, averages of the same activations, and `seed, feature, rate` of every feature."""
    stream = gather(model, tokenizer, texts, block, tokens_per_batch)
    units, ids = scaled(stream.values.clone()), stream.ids.clone()  # free of inference mode
    found = [train(units, config, seed)[0] for seed in range(seeds)]
    rates = []
    for seed, autoencoder in enumerate(found):
        rate = rates_of(autoencoder, units).cpu().numpy()
        rates.append(pd.DataFrame({"seed": seed, "feature": range(len(rate)), "rate": rate}))
    return found, fit_lookups(units, ids), pd.concat(rates, ignore_index=True)


def ways_of(autoencoders: list[TopKAutoencoder], averages: Lookups) -> Ways:
    """What may stand in place of the scaled stream."""
    return {
        (ORIGINAL, NONE): lambda units, _: units,
        **{(AUTOENCODER, seed): lambda units, _, own=own: own(units) for seed, own in enumerate(autoencoders)},
        (TOKEN, NONE): lambda _, ids: averages.by_token(ids),
        (MEAN, NONE): lambda units, _: averages.mean.expand_as(units),
    }


@torch.inference_mode()
def replaced(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    block: int,
    ways: Ways,
    tokens_per_batch: int,
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """`way, seed, text, tokens, error, spread` of every text with the stream replaced at its counted tokens, and the
    logits (texts, classes), batch by batch.

    `spread` is around the mean of the training tokens, so that this mean explains nothing.
    """
    mean = ways[MEAN, NONE]
    for rows, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
        residual, kept = residual_behind(model, inputs, block), counted(model, inputs)
        ids, units = with_previous(inputs["input_ids"])[kept], scaled(residual[kept])
        text = kept.nonzero()[:, 0]
        for (way, seed), reconstruct in ways.items():
            stream = residual.clone()
            stream[kept] = at_its_length(reconstruct)(residual[kept], ids)
            columns = {
                "tokens": torch.ones(len(units)),
                "error": (reconstruct(units, ids) - units).square().sum(dim=1),
                "spread": (mean(units, ids) - units).square().sum(dim=1),
            }
            sums = {name: _by_text(values, text, len(rows)) for name, values in columns.items()}
            logits = run_on(model, inputs, block, stream).cpu().numpy()
            yield pd.DataFrame({"way": way, "seed": seed, "text": rows, **sums}), logits


def _by_text(values: Tensor, text: Tensor, count: int) -> np.ndarray:
    sums = torch.zeros(count, dtype=torch.double, device=text.device)
    return sums.index_add(0, text, values.to(sums)).cpu().numpy()
