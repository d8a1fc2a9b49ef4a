"""A sparse autoencoder on the residual stream behind one block, and how it is trained.

The top-k kind of Gao et al., "Scaling and evaluating sparse autoencoders" (2024): of all features only the k strongest
of a token stay, so sparsity is set rather than tuned. As there, every activation is scaled to one length first, and the
reconstruction gets its length back. No library: SAELens 6.54, the well-kept one, needs transformer-lens below 4 and so
cannot share an environment with its current release, and the training itself is the few lines of `train`.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from tqdm import trange

BATCH = 1024  # tokens per step
LEARNING_RATE = 3e-3
WARM_UP, COOL_DOWN = 0.1, 0.2  # shares of the steps in which the learning rate rises and falls
Reconstruction = Callable[[Tensor, Tensor], Tensor]  # activations (tokens, width) and ids (tokens, 2) to the same


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


def scaled(activations: Tensor) -> Tensor:
    """Activations (tokens, width), each brought to the length sqrt(width)."""
    return normalize(activations, dim=-1) * activations.shape[-1] ** 0.5


def scales(activations: Tensor) -> Tensor:
    """What `scaled` divides by: (..., width) to (..., 1)."""
    return activations.norm(dim=-1, keepdim=True) / activations.shape[-1] ** 0.5


def at_its_length(reconstruct: Reconstruction) -> Reconstruction:
    """A reconstruction of scaled activations as one of any, each brought back to the length of the original."""

    def restored(values: Tensor, ids: Tensor) -> Tensor:
        return reconstruct(scaled(values), ids) * scales(values)

    return restored


def strongest(values: Tensor, count: int) -> Tensor:
    """Keep the `count` entries of each row of (rows, columns) that are furthest from zero; the rest becomes zero."""
    places = values.abs().topk(min(count, values.shape[1]), dim=1).indices
    return torch.zeros_like(values).scatter(1, places, values.gather(1, places))


def rates_of(autoencoder: TopKAutoencoder, units: Tensor) -> Tensor:
    """Of scaled activations (tokens, width) the share at which each feature is active, (features,); 0 is a dead one."""
    return sum((autoencoder.encode(part) > 0).sum(dim=0) for part in units.split(BATCH)) / len(units)


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
