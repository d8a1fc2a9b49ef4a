"""A sparse autoencoder on the residual stream behind one block, and how it is trained.

The top-k kind of Gao et al., "Scaling and evaluating sparse autoencoders" (2024): of all features only the k strongest
of a token stay, so sparsity is set rather than tuned. As there, every activation is scaled to one length first, and the
reconstruction gets its length back. No library: SAELens 6.54, the well-kept one, needs transformer-lens below 4 and so
cannot share an environment with its current release, and the training itself is the few lines of `train`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import normalize
from tqdm import trange
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.batches import encode
from emoscope.models.language_models import load_language_model
from emoscope.storage.files import replacing, write_csv
from emoscope.writeups.residual.lookups import Lookups, fit_lookups, save_lookups
from emoscope.writeups.residual.stream import check_block, distinct_texts, gather

BATCH = 1024  # tokens per step
LEARNING_RATE = 3e-3
BESIDES = ("rate", "mean", "axes", "samples")  # what is stored beside the autoencoder's own tensors
WARM_UP, COOL_DOWN = 0.1, 0.2  # shares of the steps in which the learning rate rises and falls


class TopKAutoencoder(nn.Module):
    """`features` directions of which `active` describe each token."""

    def __init__(self, width: int, features: int, active: int):
        super().__init__()
        self.active = active
        self.centre = nn.Parameter(torch.zeros(width))
        self.encoder = nn.Parameter(torch.empty(features, width))
        self.bias = nn.Parameter(torch.zeros(features))
        self.decoder = nn.Parameter(torch.empty(features, width))

    def start(self, units: Tensor, generator: torch.Generator) -> None:
        """Begin with random directions, the same for reading and writing, around the mean of the activations."""
        with torch.no_grad():
            self.centre.copy_(units.mean(dim=0))
            directions = torch.randn(self.decoder.shape, generator=generator)
            self.decoder.copy_(normalize(directions, dim=1))
            self.encoder.copy_(self.decoder)

    def encode(self, units: Tensor) -> Tensor:
        """Features of scaled activations (tokens, width): (tokens, features), zero but for the `active` largest."""
        return strongest(torch.relu((units - self.centre) @ self.encoder.T + self.bias), self.active)

    def decode(self, features: Tensor) -> Tensor:
        return features @ self.decoder + self.centre

    def forward(self, units: Tensor) -> Tensor:
        return self.decode(self.encode(units))


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


def scaled(activations: Tensor) -> Tensor:
    """Activations (tokens, width), each brought to the length sqrt(width)."""
    return normalize(activations, dim=-1) * activations.shape[-1] ** 0.5


def strongest(values: Tensor, count: int) -> Tensor:
    """Keep the `count` entries of each row of (rows, columns) that are furthest from zero; the rest becomes zero."""
    places = values.abs().topk(min(count, values.shape[1]), dim=1).indices
    return torch.zeros_like(values).scatter(1, places, values.gather(1, places))


def train(units: Tensor, settings: dict, seed: int) -> tuple[TopKAutoencoder, list[float]]:
    """Fit an autoencoder to scaled activations (tokens, width); also the relative error of every step."""
    generator = torch.Generator().manual_seed(seed)
    autoencoder = TopKAutoencoder(units.shape[1], settings["features"], settings["active"])
    autoencoder.start(units.cpu(), generator)
    autoencoder.to(units.device)
    steps = settings["steps"]
    optimiser = torch.optim.Adam(autoencoder.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, (step + 1) / (WARM_UP * steps), (steps - step) / (COOL_DOWN * steps))
    )
    spread = (units - units.mean(dim=0)).square().sum(dim=1).mean()
    errors = []
    for _ in (progress := trange(steps, desc="autoencoder", unit="step", mininterval=2)):
        batch = units[torch.randint(len(units), (BATCH,), generator=generator)]
        error = (autoencoder(batch) - batch).square().sum(dim=1).mean() / spread
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        schedule.step()
        with torch.no_grad():  # else features shrink and their directions grow
            autoencoder.decoder.copy_(normalize(autoencoder.decoder, dim=1))
        errors.append(error.item())
        progress.set_postfix(error=f"{errors[-1]:.3f}", refresh=False)
    return autoencoder.requires_grad_(False), errors


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
