"""What a trained autoencoder is worth, on texts that it has not seen: reconstruction, the loss of the model that reads
its reconstruction, and the texts that activate each feature.

Every number stands beside those of dictionaries that describe a token by as many numbers but learned no features: the
principal axes of the same activations, and as many directions as there are features, random or from random tokens; and
beside lookups, which know of the activation its length at most: the mean behind the same token, or pair of tokens.
"""

from functools import partial
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.batches import padded_batches
from emoscope.models.features.autoencoder import Reconstruction, at_its_length, scaled, strongest
from emoscope.models.features.feature_texts import text_scores, top_texts
from emoscope.models.features.lookups import Lookups, load_lookups
from emoscope.models.features.stream import TokenActivations, counted, gather, residual_behind, with_previous
from emoscope.models.interventions import changing_output, skipping
from emoscope.models.language_models import load_language_model
from emoscope.models.loading import random_twin
from emoscope.models.parts import blocks_of
from emoscope.statistics.settings import alpha_of
from emoscope.storage.files import read_json, write_table
from emoscope.writeups.residual.autoencoder import Trained, held_out_texts, learn, load
from emoscope.writeups.residual.feature_labels import (
    chosen_directions,
    label_associations,
    shuffled_labels,
)

RIDGE = 1e-4  # keeps the least squares solvable when two chosen directions are nearly one
LOOKUPS = ("token pair", "token")
AT_ONCE = 2048  # tokens whose logits, or chosen directions, are held at once


def evaluate_autoencoder(
    model: Path,
    corpus: Path,
    audit: Path,
    weights: Path,
    lookups: Path,
    config: dict,
    prediction: dict,
    statistics: dict,
    reconstruction: Path,
    patched: Path,
    features: Path,
    texts: Path,
    associations: Path,
    shuffles: Path,
    chosen: Path,
) -> None:
    """Judge an autoencoder on the held-out texts of its corpus.

    - reconstruction: `id, dictionary, tokens, error, spread, active`, sums over a text's tokens; `spread` is around the
      mean of the training tokens, so that this mean explains nothing
    - patched: `id, condition, tokens, loss`, summed next-token losses with the residual stream replaced
    - features: `feature, rate, held_out`, shares of the training and of the held-out tokens that activate it
    - texts: `feature, place, id, text, start, end, activation`, the texts that activate a feature most
    - associations: `feature, label, auc, p, p_adjusted`
    - shuffles: `shuffle, found, largest`, what the same test finds in shuffled labels
    - chosen: `label, kind, number, auc_before, auc, low, high`, chosen on half of the texts, measured on the others
    """
    settings = config["autoencoder"]
    language_model, tokenizer = load_language_model(model)
    trained, averages = load(weights, language_model.device), load_lookups(lookups, language_model.device)
    rows = held_out_texts(corpus, settings, config["seed"])
    ids, labels, held_out = rows["id"].to_numpy(), rows["label"].to_numpy(), rows["text"].tolist()
    names = read_json(audit)["classes"]
    budget = prediction["tokens_per_batch"]
    dictionaries = reconstructions(trained, averages, config["seed"])
    activations = gather(language_model, tokenizer, held_out, trained.block, budget)

    table = reconstruction_table(activations, dictionaries, trained, averages.mean)
    write_table(table.assign(id=ids[table.pop("text")]), reconstruction)

    table = patched_losses(language_model, tokenizer, held_out[: settings["patched"]], trained, dictionaries, budget)
    write_table(table.assign(id=ids[table.pop("text")]), patched)

    units = scaled(activations.values)
    codes = torch.cat([trained.autoencoder.encode(part) for part in units.split(AT_ONCE)])
    table = top_texts(codes, activations, tokenizer, held_out)
    write_table(table.assign(id=ids[table.pop("row")]), texts)
    rates = {"rate": trained.rate.cpu().numpy(), "held_out": (codes > 0).float().mean(dim=0).cpu().numpy()}
    write_table(pd.DataFrame({"feature": range(codes.shape[1]), **rates}), features)

    scores = text_scores(codes, activations.text, len(held_out))
    alpha = alpha_of(statistics)
    write_table(label_associations(scores, labels, names), associations)
    write_table(shuffled_labels(scores, labels, alpha, config["seed"]), shuffles)
    kinds = {"feature": scores}
    for kind, axes in (("principal axis", trained.axes), ("dimension", torch.eye(len(trained.axes)).to(units))):
        coordinates = (units - trained.autoencoder.centre) @ axes.T
        kinds[kind] = text_scores(torch.cat([coordinates, -coordinates], dim=1), activations.text, len(held_out))
    write_table(chosen_directions(kinds, labels, names, statistics), chosen)


def twin_autoencoder(model: Path, corpus: Path, config: dict, prediction: dict, output: Path) -> None:
    """Teach and judge an autoencoder and lookups in the same way on the same model with fresh random weights.

    Writes what `evaluate_autoencoder` writes as reconstruction. What they explain there, no training put in.
    """
    trained_model, tokenizer = load_language_model(model)
    twin = random_twin(trained_model, config["seed"])
    budget = prediction["tokens_per_batch"]
    trained, averages, _ = learn(twin, tokenizer, corpus, config, budget)
    rows = held_out_texts(corpus, config["autoencoder"], config["seed"])
    activations = gather(twin, tokenizer, rows["text"].tolist(), trained.block, budget)
    dictionaries = reconstructions(trained, averages, config["seed"])
    dictionaries = {name: dictionaries[name] for name in ("autoencoder", *LOOKUPS)}
    table = reconstruction_table(activations, dictionaries, trained, averages.mean)
    write_table(table.assign(id=rows["id"].to_numpy()[table.pop("text")]), output)


def reconstructions(trained: Trained, averages: Lookups, seed: int) -> dict[str, Reconstruction]:
    """The autoencoder, the lookups, and dictionaries to beat at the same number of active directions."""
    autoencoder, active = trained.autoencoder, trained.autoencoder.active
    other = torch.Generator().manual_seed(seed + 1)  # with the seed itself, they are what the autoencoder started from
    random = torch.randn(autoencoder.decoder.shape, generator=other)
    random = normalize(random, dim=1).to(autoencoder.decoder)
    sampled = normalize(trained.samples - autoencoder.centre, dim=1)

    def by_axes(units: Tensor, _: Tensor) -> Tensor:
        return strongest((units - autoencoder.centre) @ trained.axes.T, active) @ trained.axes + autoencoder.centre

    def by_directions(units: Tensor, _: Tensor, directions: Tensor) -> Tensor:
        return least_squares(units - autoencoder.centre, directions, active) + autoencoder.centre

    return {
        "autoencoder": lambda units, _: autoencoder(units),
        "token pair": lambda _, ids: averages.by_pair(ids),
        "token": lambda _, ids: averages.by_token(ids),
        "random tokens": partial(by_directions, directions=sampled),
        "principal axes": by_axes,
        "random directions": partial(by_directions, directions=random),
    }


def least_squares(values: Tensor, directions: Tensor, count: int) -> Tensor:
    """Describe each row of (tokens, width) as well as possible by the `count` unit directions most parallel to it."""
    places = (values @ directions.T).abs().topk(min(count, len(directions)), dim=1).indices
    basis = directions[places]  # (tokens, count, width)
    gram = basis @ basis.mT + RIDGE * torch.eye(basis.shape[1]).to(basis)
    weights = torch.linalg.solve(gram, basis @ values[:, :, None])
    return (weights.mT @ basis)[:, 0]


def reconstruction_table(
    activations: TokenActivations, dictionaries: dict[str, Reconstruction], trained: Trained, mean: Tensor
) -> pd.DataFrame:
    """Squared error, spread around the `mean`, and active directions of each text under each dictionary.

    Lookups have no directions: NaN.
    """
    parts = []
    for name, reconstruct in dictionaries.items():
        most = torch.nan if name in LOOKUPS else trained.autoencoder.active
        for values, ids, text in _chunks(activations):
            units = scaled(values)
            active = torch.full((len(units),), float(most))
            if name == "autoencoder":  # fewer where fewer features are positive
                active = (trained.autoencoder.encode(units) > 0).sum(dim=1)
            columns = {
                "error": (reconstruct(units, ids) - units).square().sum(dim=1),
                "spread": (units - mean).square().sum(dim=1),
                "active": active,
            }
            numbers = {column: value.double().cpu().numpy() for column, value in columns.items()}
            parts.append(pd.DataFrame({"dictionary": name, "text": text, "tokens": 1, **numbers}))
    return pd.concat(parts).groupby(["dictionary", "text"], as_index=False, sort=False).sum(min_count=1)


@torch.inference_mode()
def patched_losses(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    trained: Trained,
    dictionaries: dict[str, Reconstruction],
    tokens_per_batch: int,
) -> pd.DataFrame:
    """Summed loss of each text's predictions with the residual stream behind the block replaced.

    `condition` is `original`, a dictionary's name, `mean` (the mean activation) or `zero`. The first position keeps
    what it has, and its prediction, which nothing can change, is left out.
    """
    changes = {
        "original": lambda values, _: values,
        **{name: at_its_length(reconstruct) for name, reconstruct in dictionaries.items()},
        "mean": lambda values, _: trained.mean.expand_as(values),
        "zero": lambda values, _: torch.zeros_like(values),
    }
    blocks = blocks_of(model)
    parts = []
    with tqdm(total=len(texts), desc="patched losses", unit="text", mininterval=2) as progress:
        for rows, inputs in padded_batches(tokenizer, texts, min(tokens_per_batch, AT_ONCE), model.device):
            residual, kept = residual_behind(model, inputs, trained.block), counted(model, inputs)
            predicted, ids = kept[:, :-1] & kept[:, 1:], with_previous(inputs["input_ids"])[kept]
            for condition, change in changes.items():
                stream = residual.clone()
                stream[kept] = change(residual[kept], ids)
                with (
                    skipping(model, blocks[: trained.block + 1]),
                    changing_output(blocks[trained.block], lambda _, stream=stream: stream),
                ):
                    logits = model(**inputs, use_cache=False).logits[:, :-1][predicted]
                losses = cross_entropy(logits, inputs["input_ids"][:, 1:][predicted], reduction="none").double()
                summed = torch.zeros(len(rows)).to(losses).index_add(0, predicted.nonzero()[:, 0], losses)
                numbers = {"tokens": predicted.sum(dim=1).cpu().numpy(), "loss": summed.cpu().numpy()}
                parts.append(pd.DataFrame({"condition": condition, "text": rows, **numbers}))
            progress.update(len(rows))
    return pd.concat(parts, ignore_index=True).query("tokens > 0")


def _chunks(activations: TokenActivations):
    for start in range(0, len(activations.values), AT_ONCE):
        chunk = slice(start, start + AT_ONCE)
        yield activations.values[chunk], activations.ids[chunk], activations.text[chunk]
