"""Training the sparse autoencoder of a language model on the texts of a corpus, and what is stored of it."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.batches import encode
from emoscope.models.features import stored
from emoscope.models.features.autoencoder import TopKAutoencoder, rates_of, scaled, train
from emoscope.models.features.lookups import Lookups, fit_lookups, save_lookups
from emoscope.models.features.stream import gather
from emoscope.models.language_models import load_language_model
from emoscope.models.parts import blocks_of
from emoscope.storage.files import write_csv
from emoscope.writeups.residual.texts import distinct_texts

BESIDES = ("rate", "mean", "axes", "samples")  # what is stored beside the autoencoder's own tensors


@dataclass(frozen=True)
class Trained:
    """An autoencoder and what its training activations say besides: what it is compared with rests on the same data."""

    autoencoder: TopKAutoencoder
    block: int
    rate: Tensor  # (features,) share of the training tokens at which a feature is active; 0 is a dead feature
    mean: Tensor  # (width,) of the activations
    axes: Tensor  # (width, width) principal axes of the scaled activations, a row each, the strongest first
    samples: Tensor  # (features, width) scaled activations of training tokens drawn at random


def train_autoencoder(
    model: Path, corpus: Path, config: dict, prediction: dict, weights: Path, lookups: Path, history: Path
) -> None:
    """Train on the texts of a corpus that are not held out; write weights as safetensors, and `step, error` as CSV.

    `error` is the mean squared error of a batch relative to the activations' spread: 1 minus the explained variance.
    `lookups`: what the same activations are on average behind each token and each pair of tokens.
    """
    language_model, tokenizer = load_language_model(model)
    trained, averages, errors = learn(language_model, tokenizer, corpus, config, prediction["tokens_per_batch"])
    save(trained, weights)
    save_lookups(averages, lookups)
    write_csv(pd.DataFrame({"step": range(1, len(errors) + 1), "error": errors}), history)


def learn(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, corpus: Path, config: dict, tokens_per_batch: int
) -> tuple[Trained, Lookups, list[float]]:
    """What the texts that are not held out teach of a model: an autoencoder, lookups, and the error of every step."""
    settings, seed = config["autoencoder"], config["seed"]
    check_block(model, settings["block"])
    texts = training_texts(corpus, tokenizer, settings, seed)
    activations = gather(model, tokenizer, texts, settings["block"], tokens_per_batch)
    values, ids = activations.values.clone(), activations.ids.clone()  # free of inference mode
    units = scaled(values)
    autoencoder, errors = train(units, settings, seed)
    drawn = torch.randint(len(units), (settings["features"],), generator=torch.Generator().manual_seed(seed))
    rate, mean = rates_of(autoencoder, units), values.mean(dim=0)
    found = Trained(autoencoder, settings["block"], rate, mean, principal_axes(units), units[drawn])
    return found, fit_lookups(units, ids), errors


def check_block(model: PreTrainedModel, block: int) -> None:
    """UserError for a block that the model does not have."""
    if block >= (found := len(blocks_of(model))):
        raise UserError(f"there is no block {block}: the model's blocks are 0 to {found - 1}; set autoencoder.block")


def held_out_texts(corpus: Path, settings: dict, seed: int) -> pd.DataFrame:
    """The distinct texts on which the autoencoder is judged; none of them is in `training_texts`."""
    return distinct_texts(corpus, seed).head(settings["held_out"])


def training_texts(corpus: Path, tokenizer: PreTrainedTokenizerBase, settings: dict, seed: int) -> list[str]:
    """Distinct texts with `tokens` tokens in all, first positions left out; UserError if the corpus has too few."""
    texts = distinct_texts(corpus, seed)["text"].tolist()[settings["held_out"] :]
    total, chosen = 0, []
    for start in range(0, len(texts), 1000):
        part = texts[start : start + 1000]
        for text, ids in zip(part, encode(tokenizer, part)["input_ids"], strict=True):
            chosen.append(text)
            total += len(ids) - 1
            if total >= settings["tokens"]:
                return chosen
    raise UserError(
        f"{corpus}: beyond {settings['held_out']} held-out texts it has {total:,} tokens to train on, not "
        f"{settings['tokens']:,}; lower residual.autoencoder.tokens or name another corpus"
    )


def principal_axes(units: Tensor) -> Tensor:
    """Principal axes of (tokens, width): (width, width), a row each, the strongest first."""
    centred = units - units.mean(dim=0)
    return torch.linalg.eigh(centred.T @ centred / len(units)).eigenvectors.T.flip(0)


def save(trained: Trained, path: Path) -> None:
    """Write as safetensors, as `stored.save` does."""
    tensors = trained.autoencoder.state_dict() | {name: getattr(trained, name) for name in BESIDES}
    stored.save(tensors, {"active": trained.autoencoder.active, "block": trained.block}, path)


def load(path: Path, device: torch.device) -> Trained:
    """Read what `save` wrote."""
    tensors, settings = stored.load(path, device)
    besides = {name: tensors.pop(name) for name in BESIDES}
    return Trained(stored.autoencoder_of(tensors, settings["active"]), settings["block"], **besides)
