"""Which heads and feed-forwards carry the difference between the two texts of a pair: estimated for all of them,
checked for some by patching, and tried as circuits, of which more and more is kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import PreTrainedModel

from emoscope.experiments.circuits.kept import Trial, kept_logits, nodes_of
from emoscope.experiments.circuits.names import GRADIENT, INTEGRATED, KEPT, NODE, PASSED_OVER, PATCHING, REPLACED
from emoscope.experiments.circuits.orders import (
    CURVE_COLUMNS,
    counts_of,
    effect_rows,
    masked_effects,
    rankings,
    to_check,
)
from emoscope.experiments.circuits.other_texts import draw_pairs
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.inside.estimates import estimated_effects
from emoscope.models.inside.nodes import Node
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.parts import blocks_of
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.perturbation.inside.patching import (
    FLIPPED_INTO_ORIGINAL,
    Patch,
    patched_logits,
    transfers,
)
from emoscope.perturbation.inside.sample import PASSED, Drawn
from emoscope.perturbation.inside.seen import Seen, seen_pairs
from emoscope.storage.files import write_table
from emoscope.storage.names import NONE

SHARES = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1)  # of the nodes that are kept
REPLACED_ORDERS = 5  # random ones whose first parts are replaced, too: that is described, and decides nothing
SAMPLE_COLUMNS = ["pair", "kind", "id", "origin", "cluster", "half", "rise", "fall", "total"]
EFFECT_COLUMNS = ["pair", "method", *NODE, "effect"]
CHECKED_COLUMNS = [*NODE, "largest", "random"]


def find_circuits(
    model: Path,
    pairs: Path,
    changes: Path,
    exactness: Path,
    config: dict,
    prediction: dict,
    sample: Path,
    effects: Path,
    checked: Path,
    curves: Path,
) -> None:
    """Write four tables on flips drawn by chance; all are empty for a model in which patching is not exact.

    `pairs` is a perturbation set, or texts of which pairs are made, see `draw_pairs`: then what is said of flips is
    said of pairs of two classes, and what is said of neutral swaps, of pairs of one. `changes` are those of masking.

    - sample: `pair, kind, id, origin, cluster, half, rise, fall, total`, of the flips, and behind them of as many
      neutral swaps, of the same texts as far as there are any, of which no more is asked than how far they move their
      margin; `half` is that of the texts that a flip belongs to; last, flips that were PASSED_OVER;
    - effects: `pair, method, site, block, head, effect`, in logits of the pair's margin towards the flipped text: both
      kinds of estimate for all parts, `patching` for some;
    - checked: `site, block, head, largest, random`: those parts, and whether each is of the largest or of those
      drawn by chance;
    - curves: `pair, ranking, draw, side, size, effect`: with the first nodes of a ranking, as many as `size`, kept as
      in the original text (or replaced by the flipped text's), by how many logits the margin stays apart from the
      flipped text's. A pair's ranking comes from the other half of the texts, since what is chosen on a text fits it
      too well.
    """
    classifier, tokenizer = load_classifier(model)
    table, budget, seed = pd.read_parquet(pairs), prediction["tokens_per_batch"], config["seed"]
    drawn: list[Drawn] = []
    swaps: list[Drawn] = []
    passed = pd.DataFrame(columns=PASSED)
    if allowed(PATCHING, exact_checks(exactness)):
        pairs_of_both, passed = draw_pairs(classifier, tokenizer, table, config["pairs"], seed)
        drawn, swaps = ([one for one in pairs_of_both if one.kind == kind] for kind in (FLIP, NEUTRAL))
    clusters = list(dict.fromkeys(one.pair.cluster for one in drawn))
    halves = np.array([clusters.index(one.pair.cluster) % 2 for one in drawn], dtype=int)
    parts = parts_of(classifier)
    estimates, rows = estimate_effects(classifier, drawn, parts, config["steps"], budget)
    rng = np.random.default_rng(seed)
    chosen = to_check(np.abs(estimates[INTEGRATED].mean(axis=0)), config["checked"], rng) if drawn else []
    nodes = nodes_of(classifier)
    places = [parts.index(node) for node in nodes]
    by_method = {method: values[:, places] for method, values in estimates.items()}
    ranked = rankings(by_method, halves, masked_effects(pd.read_parquet(changes), nodes), config["random_orders"], rng)
    found, kept = [], []
    for seen in seen_pairs(classifier, drawn, budget, "circuits"):
        found += exact_effects(classifier, seen, [parts[number] for number, *_ in chosen], budget)
        kept += curves_of(classifier, seen, ranked, halves, budget)
    rows += [_row(seen) for group in seen_pairs(classifier, swaps, budget, "neutral swaps") for seen in group]
    flips = passed[passed["kind"] == FLIP]
    rows += [(PASSED_OVER, *row[1:], NONE, NONE, np.nan) for row in flips[PASSED].itertuples(index=False, name=None)]
    write_table(_sample(rows, halves, classes_of(classifier)), sample)
    write_table(pd.DataFrame([*effect_rows(estimates, parts), *found], columns=EFFECT_COLUMNS), effects)
    write_table(pd.DataFrame([(*parts[number], *how) for number, *how in chosen], columns=CHECKED_COLUMNS), checked)
    write_table(pd.DataFrame(kept, columns=CURVE_COLUMNS), curves)


def parts_of(model: PreTrainedModel) -> list[Node]:
    """All parts whose effects are estimated: the nodes, and each block's attention as a whole."""
    return [*nodes_of(model), *(("attention", block, NONE) for block in range(len(blocks_of(model))))]


def estimate_effects(
    model: PreTrainedModel, drawn: Sequence[Drawn], parts: Sequence[Node], steps: int, tokens_per_batch: int
) -> tuple[dict[str, np.ndarray], list[tuple]]:
    """The effects (pairs, parts) of putting each part of the flipped text into the original, by method; and of every
    pair what `_row` says."""
    values, rows = {method: np.zeros((len(drawn), len(parts))) for method in (INTEGRATED, GRADIENT)}, []
    for group in seen_pairs(model, drawn, tokens_per_batch, "estimates"):
        for seen in group:
            inputs, margin = seen.pair.aligned.original, (seen.rise, seen.fall)
            for method, taken in ((INTEGRATED, steps), (GRADIENT, 0)):
                found = estimated_effects(model, inputs, seen.original, seen.flipped, margin, taken)
                values[method][seen.number] = [
                    found[site][block, head] if site == "head" else found[site][block] for site, block, head in parts
                ]
            rows.append(_row(seen))
    return values, rows


def _row(seen: Seen) -> tuple:
    """`kind, id, origin, cluster, rise, fall, total` of a pair."""
    one = seen.pair.pair
    return seen.pair.kind, one.id, one.origin, one.cluster, seen.rise, seen.fall, seen.total


def _sample(rows: list[tuple], halves: Sequence[int], classes: Sequence[str]) -> pd.DataFrame:
    """The table `sample`: what `_row` says of each pair, with its half of the texts, which the first ones, the flips,
    have, and the names of its classes."""
    table = pd.DataFrame(rows, columns=[name for name in SAMPLE_COLUMNS if name not in ("pair", "half")])
    named = {name: table[name].map(dict(enumerate(classes))) for name in ("rise", "fall")}
    every = [*halves, *[NONE] * (len(table) - len(halves))]
    return table.assign(pair=range(len(table)), half=every, **named)[SAMPLE_COLUMNS]


def exact_effects(
    model: PreTrainedModel, group: Sequence[Seen], parts: Sequence[Node], tokens_per_batch: int
) -> list[tuple]:
    """Rows of `effects` by patching: each part of the flipped texts put into the originals."""
    jobs, asked = [], []
    for seen in group:
        transfer = transfers(seen.pair.aligned, seen.original, seen.flipped)[FLIPPED_INTO_ORIGINAL]
        jobs += [(transfer, Patch(site, block, head=head)) for site, block, head in parts]
        asked += [(seen, part) for part in parts]
    logits = patched_logits(model, jobs, tokens_per_batch)
    return [
        (seen.number, PATCHING, *part, float(seen.margin(row)) - seen.ends[0])
        for (seen, part), row in zip(asked, logits, strict=True)
    ]


def curves_of(
    model: PreTrainedModel,
    group: Sequence[Seen],
    ranked: Mapping[tuple[str, int], Sequence[np.ndarray]],
    halves: np.ndarray,
    tokens_per_batch: int,
) -> list[tuple]:
    """Rows of `curves`; what several orders keep alike is run once."""
    trials, asked = [], []
    for seen in group:
        places: dict[bytes, int] = {}  # of this pair's trials, by what they keep
        for (ranking, number), orders in ranked.items():
            order = orders[halves[seen.number]]
            for count in counts_of(SHARES, len(order)):
                first = np.isin(np.arange(len(order)), order[:count])
                for side, kept in ((KEPT, first), (REPLACED, ~first)):
                    if side == REPLACED and number >= REPLACED_ORDERS:
                        continue
                    if places.setdefault(kept.tobytes(), len(trials)) == len(trials):
                        trials.append(Trial(seen.pair.aligned.original, seen.flipped, kept))
                    asked.append((places[kept.tobytes()], seen, ranking, number, side, count))
    logits = kept_logits(model, trials, tokens_per_batch)
    return [(seen.number, *key, seen.ends[1] - float(seen.margin(logits[trial]))) for trial, seen, *key in asked]
