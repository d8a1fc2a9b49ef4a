"""Which methods find the edges of a circuit that is known? `python -m benchmarks planted_edges`.

The models are those of `planted_circuits`; which part reads which was written into their weights (`EDGES` in
`emoscope.models.planted.circuit`). Every method gives each edge a score; the area under the ROC curve and the average
precision say how well it tells the circuit's from all others. `its ends` is what one knows without looking at edges:
the smaller of the scores of the two nodes, of which embedding and answer have none.
"""

from collections import defaultdict

import numpy as np
import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.planted_circuits import MODELS, PAIRS, STEPS, of_node, over_models, records, span_of
from emoscope.models.activations import activations_of
from emoscope.models.inside.edges import ANSWER, EMBEDDING, edge_effects, edges_of, sources_of, targets_of
from emoscope.models.inside.estimates import estimated_effects
from emoscope.models.inside.kept_edges import kept_edge_logits, without_each
from emoscope.models.inside.structure import prepared
from emoscope.models.planted.circuit import Circuit, plan
from emoscope.models.planted.compiled import LAYOUTS, compiled, tokenizer_for
from emoscope.models.planted.texts import pairs
from emoscope.perturbation.inside.alignment import align
from emoscope.perturbation.inside.patching import moved_classes, transfers
from emoscope.statistics.auc import average_precision, one_vs_rest_auc


def measure(models: str = str(MODELS)) -> dict:
    found = pd.concat([scored(layout, seed) for layout in LAYOUTS for seed in range(int(models))])
    edges = records(found[["layout", "edges", "planted"]].drop_duplicates())
    return {"models": int(models), "edges": edges, "methods": over_models(found)}


def scored(layout: str, seed: int, count: int = PAIRS) -> pd.DataFrame:
    """`layout, seed, method, auc, precision, edges, planted` on one model; ties count half."""
    circuit = plan(seed)
    model, tokenizer = prepared(compiled(circuit, layout)), tokenizer_for(layout)
    possible, inside = edges_of(model), planted(circuit, model)
    found = by_exchange(model, tokenizer, pairs(count, seed))
    found["chance"] = np.random.default_rng(seed).random(possible.shape)
    truth, ones = inside[possible], np.ones(possible.sum())
    rows = []
    for name, scores in found.items():
        scores = scores[possible].round(6)  # what floating point leaves of nothing is no ranking
        auc, precision = (judge(truth, scores)(ones) for judge in (one_vs_rest_auc, average_precision))
        rows.append({"method": name, "auc": auc, "precision": precision})
    return pd.DataFrame(rows).assign(layout=layout, seed=seed, edges=possible.sum(), planted=truth.sum())


def planted(circuit: Circuit, model: PreTrainedModel) -> np.ndarray:
    """Which edges the task needs, bool (sources, targets)."""
    node_of = {role: node for node, role in circuit.roles.items()} | {"words": EMBEDDING, "answer": ANSWER}
    wanted = {(node_of[one], node_of[other]) for one, other in circuit.edges}
    return np.array([[(one, other) in wanted for other in targets_of(model)] for one in sources_of(model)])


def by_exchange(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Over pairs, the mean absolute effect of each edge, (sources, targets), on the margin of the two classes that the
    change moves: by patching it, both ways, by its estimates, and by those of its ends."""
    possible = edges_of(model)
    found: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(possible.shape))
    for row in texts.itertuples():
        aligned = align(tokenizer, row.text, row.changed, span_of(row.text, row.changed))
        runs = [activations_of(model, dict(inputs)) for inputs in (aligned.original, aligned.flipped)]
        margin = moved_classes(model, *runs)
        for direction, one in transfers(aligned, *runs).items():
            runs_of = (model, one.inputs, one.recipient, one.donor)
            moved = kept_edge_logits(model, one.inputs, one.donor, without_each(possible, np.argwhere(possible)))
            moved = moved - one.recipient.logits.numpy()
            effects = {"patching": np.zeros(possible.shape)}
            effects["patching"][possible] = moved[:, margin[0]] - moved[:, margin[1]]
            for name, steps in (("attribution patching", 0), ("integrated gradients", STEPS)):
                effects[name] = edge_effects(*runs_of, margin, steps)
                effects[f"{name}, its ends"] = _of_ends(model, estimated_effects(*runs_of, margin, steps))
            for name, values in effects.items():
                found[f"{name}, {direction}"] += np.abs(values) / len(texts)
    return dict(found)


def _of_ends(model: PreTrainedModel, nodes: dict[str, np.ndarray]) -> np.ndarray:
    def scores(ends: list) -> np.ndarray:
        return np.array([np.inf if end in (EMBEDDING, ANSWER) else abs(of_node(nodes, end)) for end in ends])

    both = np.minimum.outer(scores(sources_of(model)), scores(targets_of(model)))
    return np.where(np.isinf(both), both[np.isfinite(both)].max(), both)
