"""In which order parts of a model, or edges between them, are kept, and which of them are checked by patching."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
import pandas as pd

from emoscope.experiments.circuits.names import MASKING, RANDOM
from emoscope.models.inside.nodes import Node
from emoscope.storage.names import NONE, WHOLE_BLOCK

CURVE_COLUMNS = ["pair", "ranking", "draw", "side", "size", "effect"]
MASKS = {"head": "mean", "feed_forward": "mlp_mean"}  # the masks by which masking ranks


def counts_of(shares: Sequence[float], total: int) -> list[int]:
    """How many of `total` parts make up each of the shares, rounded up, rising; each count once."""
    return sorted({ceil(share * total) for share in shares})


def effect_rows(by_method: Mapping[str, np.ndarray], keys: Sequence[tuple]) -> list[tuple]:
    """Rows of the table `effects`, the pair's number, the method, the part's key and its effect, of effects (pairs,
    parts) by method."""
    return [
        (number, method, *key, effect)
        for method, values in by_method.items()
        for number, row in enumerate(values)
        for key, effect in zip(keys, row, strict=True)
    ]


def to_check(sizes: np.ndarray, count: int, rng: np.random.Generator) -> list[tuple[int, bool, bool]]:
    """Which parts are patched, by number: the `count` largest, and as many of all drawn by chance; and which of both
    each is."""
    largest = set(np.argsort(-sizes, kind="stable")[:count].tolist())
    by_chance = set(rng.permutation(len(sizes))[:count].tolist())
    return [(number, number in largest, number in by_chance) for number in sorted(largest | by_chance)]


def masked_effects(changes: pd.DataFrame, nodes: Sequence[Node]) -> np.ndarray | None:
    """How far masking by the mean moves the margin of the confident samples, (nodes,); None if not all were masked."""
    found = {(row.condition, row.block, row.head): row.change for row in changes.itertuples()}
    wanted = [(MASKS[site], block, WHOLE_BLOCK if head == NONE else head) for site, block, head in nodes]
    return np.array([found[mask] for mask in wanted]) if found.keys() >= set(wanted) else None


def rankings(
    estimates: Mapping[str, np.ndarray],
    halves: np.ndarray,
    masked: np.ndarray | None,
    random_orders: int,
    rng: np.random.Generator,
) -> dict[tuple[str, int], Sequence[np.ndarray]]:
    """The nodes in the order in which they are kept, largest effect first: by ranking and draw two orders, (nodes,)
    each, for the pairs of the first and of the second half of the texts. No rankings where a half has no pairs.

    `estimates` are effects (pairs, nodes) by method, `halves` (pairs,) 0 or 1, `masked` those of masking, (nodes,).
    """
    if set(halves) != {0, 1}:
        return {}
    found = {}
    for method, values in estimates.items():
        found[method, 0] = [_descending(values[halves != half].mean(axis=0)) for half in (0, 1)]
    if masked is not None:
        found[MASKING, 0] = [_descending(masked)] * 2
    nodes = next(iter(estimates.values())).shape[1]
    return found | {(RANDOM, draw): [rng.permutation(nodes)] * 2 for draw in range(random_orders)}


def _descending(effects: np.ndarray) -> np.ndarray:
    return np.argsort(-np.abs(effects), kind="stable")
