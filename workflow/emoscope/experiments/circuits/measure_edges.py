"""Which edges between heads and feed-forwards carry the difference between the two texts of a pair: estimated for all,
checked for some by patching, and tried as circuits, of which more and more is kept."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm
from transformers import PreTrainedModel

from emoscope.experiments.circuits.names import EDGE, GRADIENT, INTEGRATED, KEPT, PATCHING
from emoscope.experiments.circuits.orders import (
    CURVE_COLUMNS,
    counts_of,
    effect_rows,
    masked_effects,
    rankings,
    to_check,
)
from emoscope.experiments.circuits.other_texts import draw_pairs
from emoscope.models.inside.edges import ANSWER, EMBEDDING, edge_effects, edges_of, sources_of, targets_of
from emoscope.models.inside.kept_edges import kept_edge_logits, without_each
from emoscope.models.inside.nodes import Node
from emoscope.models.inside.padding import LIMIT
from emoscope.models.loading import load_classifier
from emoscope.perturbation.inside.names import FLIP
from emoscope.perturbation.inside.seen import Seen, seen_pairs
from emoscope.storage.files import write_table

PAIRS = 16  # of the sample, the first: each edge that is patched is a run of its own
SHARES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.75)  # of the edges that are kept, between none and all
EFFECT_COLUMNS = ["pair", "method", *EDGE, "effect"]
CHECKED_COLUMNS = [*EDGE, "largest", "random"]
FOLLOWED_COLUMNS = ["pair", "follows"]

Edge = tuple[str, int, int, str, int, int]  # its source and its target


def find_edges(
    model: Path,
    pairs: Path,
    sample: Path,
    changes: Path,
    config: dict,
    prediction: dict,
    effects: Path,
    checked: Path,
    curves: Path,
    followed: Path,
) -> None:
    """Write four tables on the first PAIRS of the flips of `find_circuits`, whose `sample` this is; all are empty if
    that is.

    `followed` says of each `pair` whether the model `follows` its edges: with all of them kept, or none, it answers as
    it should. If it does not in any, the others are empty, for then its edges are not what it computes with. `effects`,
    `checked` and `curves` are those of `find_circuits` with edges for parts, of those that are patched; an edge that is
    not kept reads what its source puts out in the flipped text. Edges are ranked by the integrated form, by chance, and
    by masking: by the smaller effect of its ends.
    """
    classifier, tokenizer = load_classifier(model)
    known = pd.read_parquet(sample).query("kind == @FLIP").head(PAIRS)
    asked, seed = len(known), config["seed"]
    both = draw_pairs(classifier, tokenizer, pd.read_parquet(pairs), asked, seed)[0] if asked else []
    drawn = [one for one in both if one.kind == FLIP]
    groups = seen_pairs(classifier, drawn, prediction["tokens_per_batch"], "edges")
    told = [(one, _follows(classifier, one)) for group in groups for one in group]
    faithful = pd.DataFrame([(one.number, follows) for one, follows in told], columns=FOLLOWED_COLUMNS)
    write_table(faithful.astype({"follows": bool}), followed)
    seen = [one for one, _ in told] if faithful["follows"].all() else []
    possible, edges = edges_of(classifier), named_edges(classifier)
    by_method = {
        method: np.reshape(
            [_effects(classifier, one, steps)[possible] for one in _told(seen, method)], (len(seen), len(edges))
        )
        for method, steps in ((INTEGRATED, config["steps"]), (GRADIENT, 0))
    }
    rng = np.random.default_rng(seed)
    chosen = to_check(np.abs(by_method[INTEGRATED].mean(axis=0)), config["checked"], rng) if seen else []
    numbers, halves = [number for number, *_ in chosen], known["half"].to_numpy()[: len(seen)]
    masked = masked_edges(pd.read_parquet(changes), edges)
    ranked = rankings({INTEGRATED: by_method[INTEGRATED]}, halves, masked, config["random_orders"], rng)
    exact = {PATCHING: np.array([_patched(classifier, one, numbers) for one in _told(seen, PATCHING)])}
    found = {method: values[:, numbers] for method, values in by_method.items() if len(seen)} | exact
    rows = effect_rows(found, [edges[number] for number in numbers])
    each = _told(seen, "edges kept")
    kept = [row for one in each for row in _curves_of(classifier, one, ranked, int(halves[one.number]))]
    write_table(pd.DataFrame(rows, columns=EFFECT_COLUMNS), effects)
    write_table(pd.DataFrame([(*edges[number], *how) for number, *how in chosen], columns=CHECKED_COLUMNS), checked)
    write_table(pd.DataFrame(kept, columns=CURVE_COLUMNS), curves)


def _told(seen: Sequence[Seen], doing: str) -> Iterable[Seen]:
    """Texts and their flips one by one, with progress."""
    return tqdm(seen, desc=doing, unit="pair", mininterval=2)


def named_edges(model: PreTrainedModel) -> list[Edge]:
    """All edges, in the order of `edges_of`."""
    sources, targets = sources_of(model), targets_of(model)
    return [(*sources[one], *targets[other]) for one, other in np.argwhere(edges_of(model))]


def masked_edges(changes: pd.DataFrame, edges: Sequence[Edge]) -> np.ndarray | None:
    """For each edge the smaller effect of masking its ends, of which the embedding and the answer cannot be masked;
    None if not all others were."""
    ends = [[node for node in (edge[:3], edge[3:]) if node not in (EMBEDDING, ANSWER)] for edge in edges]
    nodes = list(dict.fromkeys(node for both in ends for node in both))
    effects = masked_effects(changes, nodes)
    if effects is None:
        return None
    sizes: dict[Node, float] = dict(zip(nodes, np.abs(effects), strict=True))
    return np.array([min((sizes[node] for node in both), default=0.0) for both in ends])


def _follows(model: PreTrainedModel, seen: Seen) -> bool:
    """Whether the original text's answer is that of all edges, and the flipped text's that of none."""
    possible = edges_of(model)
    found = _kept(model, seen, np.stack([possible, np.zeros_like(possible)]))
    wanted = np.stack([run.logits.cpu().numpy() for run in (seen.original, seen.flipped)])
    return bool(np.abs(found - wanted).max() <= LIMIT * np.abs(wanted).max())


def _effects(model: PreTrainedModel, seen: Seen, steps: int) -> np.ndarray:
    """The estimated effects (sources, targets) of putting the flipped text into the original by one edge each."""
    inputs, margin = seen.pair.aligned.original, (seen.rise, seen.fall)
    return edge_effects(model, inputs, seen.original, seen.flipped, margin, steps)


def _patched(model: PreTrainedModel, seen: Seen, numbers: Sequence[int]) -> np.ndarray:
    """The effects of putting the flipped text into the original by one edge each, (edges,)."""
    possible = edges_of(model)
    logits = _kept(model, seen, without_each(possible, np.argwhere(possible)[numbers]))
    return seen.margin(logits) - seen.ends[0]


def _curves_of(
    model: PreTrainedModel, seen: Seen, ranked: Mapping[tuple[str, int], Sequence[np.ndarray]], half: int
) -> list[tuple]:
    """Rows of `curves`."""
    possible, start, goal = edges_of(model), *seen.ends
    places, (count, rows) = np.argwhere(possible), (int(possible.sum()), [])
    sizes = counts_of(SHARES, count)
    for ranking, orders in ranked.items():
        kept = np.zeros((len(sizes), *possible.shape), dtype=bool)
        for trial, size in zip(kept, sizes, strict=True):
            trial[tuple(places[orders[half][:size]].T)] = True
        effects = goal - seen.margin(_kept(model, seen, kept))
        points = [(0, 0.0), *zip(sizes, map(float, effects), strict=True), (count, goal - start)]  # see `_follows`
        rows += [(seen.number, *ranking, KEPT, size, effect) for size, effect in points]
    return rows


def _kept(model: PreTrainedModel, seen: Seen, kept: np.ndarray) -> np.ndarray:
    return kept_edge_logits(model, seen.pair.aligned.original, seen.flipped, kept)
