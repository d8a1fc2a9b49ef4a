"""What averages know of the residual stream: the mean activation behind each token, and each pair of tokens.

Most of what an autoencoder explains is which token was read. So it stands beside the cheapest ways to describe an
activation without looking at it: by the mean of all, of the same token, or of the same token after the same token.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from emoscope.storage.files import replacing


@dataclass(frozen=True)
class Lookups:
    """Means of scaled activations over the training tokens."""

    mean: Tensor  # (width,) of all
    tokens: Tensor  # (known tokens, 1) ids
    token_means: Tensor  # (known tokens, width)
    pairs: Tensor  # (known pairs, 2) ids of the token before, and the token itself
    pair_means: Tensor  # (known pairs, width)

    def by_token(self, ids: Tensor) -> Tensor:
        """What each of (tokens, 2) ids is usually like, (tokens, width); the mean of all for a token never seen."""
        return _looked_up(self.tokens, self.token_means, ids[:, 1:], self.mean.expand(len(ids), -1))

    def by_pair(self, ids: Tensor) -> Tensor:
        """The same by the token before and the token itself; `by_token` for a pair never seen."""
        return _looked_up(self.pairs, self.pair_means, ids, self.by_token(ids))


def fit_lookups(units: Tensor, ids: Tensor) -> Lookups:
    """Average scaled activations (tokens, width) by `ids` (tokens, 2)."""
    return Lookups(units.mean(dim=0), *_means(ids[:, 1:], units), *_means(ids, units))


def save_lookups(lookups: Lookups, path: Path) -> None:
    """Write the means as one safetensors file."""
    with replacing(path) as temporary:
        save_file({name: tensor.contiguous().cpu() for name, tensor in vars(lookups).items()}, temporary)


def load_lookups(path: Path, device: torch.device) -> Lookups:
    """The means that `save_lookups` wrote."""
    return Lookups(**load_file(path, str(device)))


def _means(keys: Tensor, units: Tensor) -> tuple[Tensor, Tensor]:
    known, place, count = keys.unique(dim=0, return_inverse=True, return_counts=True)
    sums = torch.zeros(len(known), units.shape[1]).to(units).index_add(0, place, units)
    return known, sums / count[:, None]


def _looked_up(known: Tensor, means: Tensor, keys: Tensor, otherwise: Tensor) -> Tensor:
    """The means at the keys that are known, (tokens, width), and `otherwise` at the others."""
    both, place = torch.cat([known, keys]).unique(dim=0, return_inverse=True)
    row = torch.full((len(both),), -1).to(place)
    row[place[: len(known)]] = torch.arange(len(known)).to(place)
    row = row[place[len(known) :]]
    return torch.where((row >= 0)[:, None], means[row], otherwise)
