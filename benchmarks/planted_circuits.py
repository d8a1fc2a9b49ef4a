"""Which methods find a circuit that is known? `python -m benchmarks planted_circuits`.

Five models of each layout, GPT-2's and BERT's, whose weights are written so that known heads and MLPs do the task
(`emoscope.models.planted`). Every method gives each head and MLP a score; the area under the ROC curve and the average
precision say how well it tells those of the circuit from those that only look busy. `redundant` is the share of heads
with a stand-in to which it gives more than a tenth of its highest score, and more than to any idle part. It depends on
what is exchanged: with another keyword in its place, one of the two heads contradicts the other; with none, it is
silent, and the other is enough. A keyword that is taken out does not ask for the whole circuit: no area for that.

Idle parts write where nothing reads, so what they do to the answer is exactly nothing: whatever is exact, as patching
and masking are, cannot take one for a part of the circuit, and can only miss a part.
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.measuring import student_interval
from emoscope.experiments.circuits.curves import TOLERATED
from emoscope.experiments.circuits.kept import Trial, kept_logits
from emoscope.experiments.circuits.names import INTEGRATED
from emoscope.experiments.circuits.orders import rankings
from emoscope.experiments.masking.masks import Mask
from emoscope.experiments.masking.measure import block_scores
from emoscope.experiments.masking.reference import Reference, mean_outputs
from emoscope.experiments.tracing.attribution import lens_of
from emoscope.models.activations import Activations, activations_of
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.inside.contributions import contributions_of
from emoscope.models.inside.estimates import estimated_effects
from emoscope.models.inside.nodes import Node
from emoscope.models.inside.structure import prepared
from emoscope.models.parts import pooled_token
from emoscope.models.planted.circuit import BLOCKS, HEADS, Circuit, nodes, plan
from emoscope.models.planted.compiled import LAYOUTS, compiled, tokenizer_for
from emoscope.models.planted.texts import REMOVED, pairs, sentences
from emoscope.perturbation.inside.alignment import align
from emoscope.perturbation.inside.names import FLIP
from emoscope.perturbation.inside.patching import Patch, moved_classes, patched_logits, transfers
from emoscope.perturbation.inside.sample import Drawn
from emoscope.perturbation.inside.seen import Seen, seen_pairs
from emoscope.statistics.auc import average_precision, one_vs_rest_auc
from emoscope.storage.names import NONE, WHOLE_BLOCK

MODELS, TEXTS, PAIRS = 5, 40, 18
STEPS = 8  # of integrated gradients
NOTICED = 0.1  # of the highest score
TOKENS = 4096  # of a batch
Scores = dict[str, np.ndarray]  # by method, one number for each of `nodes()`


def measure(models: str = str(MODELS)) -> dict:
    found = pd.concat([scored(layout, seed) for layout in LAYOUTS for seed in range(int(models))])
    return {"models": int(models), "nodes": len(nodes()), "methods": over_models(found)}


def over_models(found: pd.DataFrame) -> list[dict]:
    """By layout and method, of each measure the mean over models with its interval, the lowest and the highest; null
    where there is no number."""
    tables = []
    for measure in found.columns.intersection(["auc", "precision", "redundant"]):
        values = found.groupby(["layout", "method"], sort=False)[measure]
        bounds = zip(*values.apply(lambda each: student_interval(each.to_numpy())), strict=True)
        table = pd.DataFrame(dict(zip(("mean", "low", "high"), bounds, strict=True)), index=values.min().index)
        tables.append(table.assign(least=values.min(), most=values.max()).add_prefix(f"{measure}_"))
    return records(pd.concat(tables, axis=1).reset_index())


def records(table: pd.DataFrame) -> list[dict]:
    """The rows as JSON has them: null where there is no number."""
    return json.loads(table.to_json(orient="records", double_precision=3))


def scored(layout: str, seed: int, texts: int = TEXTS, count: int = PAIRS) -> pd.DataFrame:
    """`layout, seed, method, auc, precision, redundant` on one model; ties count half."""
    circuit = plan(seed)
    model, tokenizer = prepared(compiled(circuit, layout)), tokenizer_for(layout)
    judged, changed, removed = sentences(texts, seed), pairs(count, seed), pairs(count, seed, [REMOVED])
    found = {
        **by_masking(model, tokenizer, judged),
        **by_exchange(model, tokenizer, changed),
        **by_keeping(model, tokenizer, changed),
        "chance": np.random.default_rng(seed).random(len(nodes())),
    }
    rows = [{"method": name, **_judged(circuit, scores)} for name, scores in found.items()]
    for name, scores in by_exchange(model, tokenizer, removed).items():
        rows.append({"method": f"{name}, {REMOVED}", "redundant": _judged(circuit, scores)["redundant"]})
    return pd.DataFrame(rows).assign(layout=layout, seed=seed)


def _judged(circuit: Circuit, scores: np.ndarray) -> dict[str, float]:
    scores = scores.round(6)  # what floating point leaves of nothing is no ranking
    inside = np.array([node in circuit.roles for node in nodes()])
    twins = np.array([node in circuit.redundant for node in nodes()])
    weights, least = np.ones(len(inside)), max(NOTICED * scores.max(), scores[~inside].max())
    return {
        "auc": one_vs_rest_auc(inside, scores)(weights),
        "precision": average_precision(inside, scores)(weights),
        "redundant": float((scores[twins] > least).mean()),
    }


def by_masking(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: pd.DataFrame) -> Scores:
    """Mean absolute change of the winning margin when a part is silenced, or replaced by its mean."""
    judged = texts["text"].tolist()
    reference = Reference(judged, mean_outputs(model, tokenizer, judged, TOKENS))
    label = texts["label"].to_numpy()
    inputs = tokenizer(judged, padding=True, return_tensors="pt")
    with torch.inference_mode():
        whole = _margin(model(inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits.numpy(), label)
    found: Scores = {}
    for by in ("zero", "mean"):
        effects: dict[Node, float] = {}
        for block in range(BLOCKS):
            masks = {Mask(head, by): ("head", block, head) for head in range(HEADS)}
            masks[Mask(WHOLE_BLOCK, f"mlp_{by}")] = ("feed_forward", block, NONE)
            logits = block_scores(model, tokenizer, judged, block, list(masks), reference, TOKENS, CHECKS)
            effects |= {masks[mask]: np.abs(_margin(values, label) - whole).mean() for mask, values in logits.items()}
        found[f"masking, {by}"] = _in_order(effects)
    return found


def by_exchange(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: pd.DataFrame) -> Scores:
    """Over pairs, the mean absolute effect of each part on the margin of the two classes that the change moves: by
    patching, both ways; by its estimates; by what the part writes to the answer itself; by how far its whole block
    moves the lens, which knows no parts; and how much its output changes at all, which is no effect."""
    totals: dict[str, dict[Node, float]] = {}

    def add(method: str, effects: Mapping[Node, float]) -> None:
        kept = totals.setdefault(method, dict.fromkeys(nodes(), 0.0))
        for node in kept:
            kept[node] += abs(effects[node]) / len(texts)

    for row in texts.itertuples():
        aligned = align(tokenizer, row.text, row.changed, span_of(row.text, row.changed))
        runs = [activations_of(model, dict(inputs)) for inputs in (aligned.original, aligned.flipped)]
        rise, fall = moved_classes(model, *runs)
        for direction, transfer in transfers(aligned, *runs).items():
            jobs = [(transfer, Patch(site, block, head=head)) for site, block, head in nodes()]
            before = transfer.recipient.logits.numpy()
            moved = _between(patched_logits(model, jobs, TOKENS), rise, fall) - _between(before, rise, fall)
            add(f"patching, {direction}", dict(zip(nodes(), moved, strict=True)))
            for name, steps in (("attribution patching", 0), ("integrated gradients", STEPS)):
                found = estimated_effects(
                    model, transfer.inputs, transfer.recipient, transfer.donor, (rise, fall), steps
                )
                add(f"{name}, {direction}", {node: of_node(found, node) for node in nodes()})
        add("direct attribution", _direct(model, aligned, runs, rise, fall))
        add("lens, by block", _by_lens(model, aligned, runs, rise, fall))
        add("change of output", {node: _changed(model, *runs, node) for node in nodes()})
    return {method: _in_order(effects) for method, effects in totals.items()}


def by_keeping(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: pd.DataFrame) -> Scores:
    """As circuits are looked for: the order in which parts are kept, by the mean effect that integrated gradients give
    in one half of the pairs, signed; and of that order the fewest parts with which the other half stays within
    TOLERATED of the whole difference, at that and all larger sizes; means of both halves."""
    drawn = [
        Drawn(FLIP, row, align(tokenizer, row.text, row.changed, span_of(row.text, row.changed)), {})
        for row in texts.itertuples()
    ]
    seen = [one for group in seen_pairs(model, drawn, TOKENS, "circuit") for one in group]
    effects = np.array([_estimated(model, one) for one in seen])
    halves, count = np.arange(len(seen)) % 2, len(nodes())
    inside = np.zeros((2, count))
    orders = rankings({INTEGRATED: effects}, halves, None, 0, np.random.default_rng(0))[INTEGRATED, 0]
    for half, order in enumerate(orders):
        own = [one for one in seen if halves[one.number] == half]
        sizes = [np.isin(np.arange(count), order[:size]) for size in range(count + 1)]
        trials = [Trial(one.pair.aligned.original, one.flipped, kept) for one in own for kept in sizes]
        logits = kept_logits(model, trials, TOKENS).reshape(len(own), len(sizes), -1)
        left = sum(one.margin(values) - one.ends[0] for one, values in zip(own, logits, strict=True))
        far = np.flatnonzero(np.abs(left) > TOLERATED * sum(one.total for one in own))
        inside[half, order[: far[-1] + 1]] = 1
    order = np.mean([np.abs(effects[halves == half].mean(axis=0)) for half in (0, 1)], axis=0)
    return {"circuit, order": order, "circuit, fewest parts": inside.mean(axis=0)}


def _estimated(model: PreTrainedModel, one: Seen) -> list[float]:
    inputs, margin = one.pair.aligned.original, (one.rise, one.fall)
    found = estimated_effects(model, inputs, one.original, one.flipped, margin, STEPS)
    return [of_node(found, node) for node in nodes()]


def span_of(text: str, changed: str) -> list[tuple[int, int, int, int]]:
    """The word that differs, by its places in both texts."""
    words, others = text.split(), changed.split()
    place = next(number for number, (one, other) in enumerate(zip(words, others, strict=True)) if one != other)
    start = len(" ".join(words[:place])) + (place > 0)
    return [(start, start + len(words[place]), start, start + len(others[place]))]


def _direct(model: PreTrainedModel, aligned, runs: list[Activations], rise: int, fall: int) -> dict[Node, float]:
    written = []
    for inputs, run in zip((aligned.original, aligned.flipped), runs, strict=True):
        parts, values = contributions_of(model, run, pooled_token(model, inputs["input_ids"]))
        written.append(_between(values.numpy(), rise, fall))
    return {tuple(part): after - before for part, before, after in zip(parts, *written, strict=True)}


def _by_lens(model: PreTrainedModel, aligned, runs: list[Activations], rise: int, fall: int) -> dict[Node, float]:
    read = [
        _between(lens_of(model, run, pooled_token(model, inputs["input_ids"])).numpy(), rise, fall)
        for inputs, run in zip((aligned.original, aligned.flipped), runs, strict=True)
    ]
    steps = np.diff(read[1] - read[0])
    return {node: steps[node[1]] for node in nodes()}


def _changed(model: PreTrainedModel, one: Activations, other: Activations, node: Node) -> float:
    site, block, head = node
    if site == "feed_forward":
        return float((other.feed_forward[block] - one.feed_forward[block]).norm())
    return float((other.heads[block] - one.heads[block]).unflatten(-1, (HEADS, -1))[:, head].norm())


def of_node(found: Mapping[str, np.ndarray], node: Node) -> float:
    site, block, head = node
    return float(found[site][block, head] if site == "head" else found[site][block])


def _between(logits: np.ndarray, rise: int, fall: int) -> np.ndarray:
    return logits[..., rise] - logits[..., fall]


def _margin(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The logit of the label minus the mean of the others."""
    own = np.take_along_axis(logits, label[:, None], axis=1)[:, 0]
    return own - (logits.sum(axis=1) - own) / (logits.shape[1] - 1)


def _in_order(effects: Mapping[Node, float]) -> np.ndarray:
    return np.array([effects[node] for node in nodes()])
