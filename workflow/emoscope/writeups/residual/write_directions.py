"""How the directions that a block's MLP neurons write into the residual stream overlap: superposition seen in weights.

With more neurons than dimensions, some directions must overlap. The question is whether they overlap more than random
ones would. Two nulls answer it: directions drawn uniformly from the sphere, whose cosine c is known exactly,
(c + 1) / 2 ~ Beta((width - 1) / 2, (width - 1) / 2), and the block's own weights with each dimension shuffled over the
neurons, which keeps what makes some dimensions larger than others and takes every other likeness away.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import Tensor
from torch.nn.functional import normalize
from tqdm import tqdm

from emoscope.models.language_models import load_language_model
from emoscope.models.parts import blocks_of, write_directions
from emoscope.statistics.settings import alpha_of
from emoscope.storage.files import write_table

BINS = np.linspace(-1, 1, 201)


def measure_writes(model: Path, config: dict, statistics: dict, overlaps: Path, histogram: Path) -> None:
    """Write each block's overlap measures, and how its cosines are distributed.

    `overlaps`: `block, weights` (trained or shuffled) and the columns of `overlap`. `histogram`: `block, low, high,
    trained, shuffled, random`, shares of all pairs.
    """
    language_model, _ = load_language_model(model)
    generator = torch.Generator().manual_seed(config["seed"])
    rows, shares = [], []
    for block in tqdm(range(len(blocks_of(language_model))), desc="write directions", unit="block", mininterval=2):
        directions = write_directions(language_model, block).cpu()
        kinds = {"trained": directions, "shuffled": shuffled(directions, generator)}
        bins = {"random": np.diff(random_cosine(directions.shape[1]).cdf(BINS))}
        for name, weights in kinds.items():
            cosines = pairwise_cosines(weights)
            measures = overlap(cosines, directions.shape[1], alpha_of(statistics))
            rows.append({"block": block, "weights": name, **measures})
            bins[name] = _shares(cosines)
        shares.append(pd.DataFrame({"block": block, "low": BINS[:-1], "high": BINS[1:], **bins}))
    write_table(pd.DataFrame(rows), overlaps)
    write_table(pd.concat(shares, ignore_index=True), histogram)


def random_cosine(width: int) -> stats.rv_continuous:
    """The distribution of the cosine of two random directions."""
    return stats.beta((width - 1) / 2, (width - 1) / 2, loc=-1, scale=2)


def pairwise_cosines(directions: Tensor) -> Tensor:
    """Cosine of every two rows, (neurons, neurons); a neuron's with itself is NaN."""
    units = normalize(directions.float(), dim=1)
    return (units @ units.T).fill_diagonal_(torch.nan)


def overlap(cosines: Tensor, width: int, alpha: float) -> dict[str, float]:
    """Measures of overlap between `neurons` directions.

    - mean_square: mean squared cosine of two; 1 / width for random directions
    - welch: the smallest mean square that so many directions allow, Welch (1974)
    - threshold: the |cosine| that the closest of all pairs of random directions exceeds with probability `alpha`
    - pairs_beyond, neurons_beyond: the share of pairs beyond it, and of neurons that are in such a pair
    - opposite: the share of the pairs beyond it that point apart
    - closest: the largest |cosine|
    - dimensions: participation ratio, the number of equally used dimensions with the same mean square
    """
    neurons = len(cosines)
    pairs = neurons * (neurons - 1) / 2
    threshold = float(random_cosine(width).isf(alpha / pairs / 2))
    beyond, below = cosines > threshold, cosines < -threshold
    counts = float(beyond.sum()) / 2, float(below.sum()) / 2
    mean_square = float(cosines.square().nansum(dtype=torch.float64)) / (2 * pairs)
    return {
        "neurons": neurons,
        "width": width,
        "mean_square": mean_square,
        "welch": max(0.0, (neurons - width) / (width * (neurons - 1))),
        "threshold": threshold,
        "pairs_beyond": sum(counts) / pairs,
        "neurons_beyond": float((beyond | below).any(dim=1).float().mean()),
        "opposite": counts[1] / sum(counts) if sum(counts) else np.nan,
        "closest": float(cosines.abs().nan_to_num(0).max()),
        "dimensions": neurons / (1 + (neurons - 1) * mean_square),
    }


def shuffled(weights: Tensor, generator: torch.Generator) -> Tensor:
    """Permute each column of (neurons, width) independently."""
    order = torch.rand(weights.shape, generator=generator).argsort(dim=0)
    return weights.gather(0, order)


def _shares(cosines: Tensor) -> np.ndarray:
    counts = torch.histc(cosines[~cosines.isnan()], bins=len(BINS) - 1, min=-1, max=1).numpy()
    return counts / counts.sum()
