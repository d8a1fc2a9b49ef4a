"""A dictionary of a planted model's signals, and pairs that switch none of them, for tests of features."""

import pandas as pd
import torch

from emoscope.models.features.autoencoder import TopKAutoencoder
from emoscope.models.planted.circuit import CONSTANT, POOLED, SIGNALS
from emoscope.models.planted.compiled import WIDTH
from planted_gender import flips, swaps_of

CONFIG = {
    "block": None,
    "features": 32,
    "active": 8,
    "steps": 150,
    "seeds": 2,
    "learned": 300,
    "judged": 900,
    "seed": 1,
}
CONFIG |= {"chosen": 12, "random": 39, "doses": [1], "pairs": 300}
STATISTICS = {"confidence": 0.95, "margin": 0.02, "seed": 0, "resamples": 200}
PREDICTION = {"tokens_per_batch": 4096}  # so little that texts come in several batches, not in their order
AXES = ("gender", "race")
FEATURES = [signal for signal in SIGNALS if signal not in (CONSTANT, POOLED)]  # of `planted`
ROUNDING = 1e-4  # so much of a signal is none


def planted(backwards: bool = False) -> TopKAutoencoder:
    """A feature for each signal: the two dimensions in which it stands with opposite signs."""
    autoencoder = TopKAutoencoder(WIDTH, len(FEATURES), len(FEATURES))
    rows = torch.arange(len(FEATURES))
    columns = 2 * torch.tensor([SIGNALS.index(signal) for signal in FEATURES])
    with torch.no_grad():
        autoencoder.decoder.zero_()
        autoencoder.decoder[rows, columns], autoencoder.decoder[rows, columns + 1] = 0.5**0.5, -(0.5**0.5)
        if backwards:
            autoencoder.decoder.copy_(autoencoder.decoder.flip(0))
        autoencoder.encoder.copy_(autoencoder.decoder)
        autoencoder.bias.fill_(-ROUNDING)
    return autoencoder.requires_grad_(False)


def neutral_swaps(count: int, seed: int) -> pd.DataFrame:
    """Texts about people in which words that mean nothing are exchanged for another one."""
    return swaps_of(flips(count, seed)).assign(id=lambda rows: rows["id"] + count)
