"""Training the sparse autoencoder of a language model on the texts of a corpus, and what is stored of it."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.batches import encode
from emoscope.models.families import blocks_of
from emoscope.models.features.autoencoder import BATCH, TopKAutoencoder, scaled, train
from emoscope.models.features.lookups import Lookups, fit_lookups, save_lookups
from emoscope.models.features.stream import gather
from emoscope.models.language_models import load_language_model
from emoscope.storage.files import replacing, write_csv
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
    with torch.inference_mode():
        rate = sum((autoencoder.encode(part) > 0).sum(dim=0) for part in units.split(BATCH)) / len(units)
    drawn = torch.randint(len(units), (settings["features"],), generator=torch.Generator().manual_seed(seed))
    found = Trained(autoencoder, settings["block"], rate, values.mean(dim=0), principal_axes(units), units[drawn])
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
    """Write as safetensors; `active` and `block` are in its metadata."""
    tensors = trained.autoencoder.state_dict() | {name: getattr(trained, name) for name in BESIDES}
    settings = {"active": trained.autoencoder.active, "block": trained.block}
    metadata = {"settings": json.dumps(settings)}  # one entry: safetensors writes several in any order
    with replacing(path) as temporary:
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, temporary, metadata)


def load(path: Path, device: torch.device) -> Trained:
    """Read what `save` wrote."""
    with safe_open(path, "pt", device=str(device)) as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        settings = json.loads(stored.metadata()["settings"])
    own = {name: tensors.pop(name) for name in BESIDES}
    features, width = tensors["encoder"].shape
    autoencoder = TopKAutoencoder(width, features, settings["active"]).to(device)
    autoencoder.load_state_dict(tensors)
    return Trained(autoencoder.requires_grad_(False), settings["block"], **own)
