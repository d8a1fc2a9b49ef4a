"""What a classifier does when a feature of its stream is taken away, or more of it is added.

Features are chosen on training texts by first order: what a feature adds to the logits, by their gradient. Measured is
on test texts, beside random directions and beside the direction between the class's mean and that of the others, at the
same tokens and of the same length. Each is turned to where, by the same gradients, it raises the class: else random ones
would come to nothing by their sign alone. What the autoencoder leaves unexplained stays in the stream.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import normalize
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.features.measure import distinct_texts, load_autoencoders
from emoscope.experiments.features.names import FEATURE, MEANS, RANDOM, REMOVED
from emoscope.models.batches import FOR_GRADIENTS, padded_batches
from emoscope.models.features.autoencoder import TopKAutoencoder, scaled
from emoscope.models.features.feature_texts import top_texts
from emoscope.models.features.lookups import fit_lookups
from emoscope.models.features.stream import TokenActivations, counted, gather, residual_behind, run_on
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import gives_several, probabilities
from emoscope.storage.files import write_table

MOVED = ["feature", "class", "way", "draw", "dose", "text", "before", "after", "logit_before", "logit_after"]
CARDS = ["feature", "class", "estimate", "rate", "by_token", "match", "random_match"]
TEXTS = ["feature", "place", "text", "start", "end", "activation"]


@dataclass(frozen=True)
class Chosen:
    """A feature, the class whose logit it raises most, by how much in a training text on average, and its mean
    activation where it is active; the unit directions (width,) that are moved along, by way and draw."""

    feature: int
    label: int
    estimate: float
    usual: float
    directions: dict[tuple[str, int], Tensor]


def move_features(
    model: Path,
    train: Path,
    test: Path,
    weights: Path,
    config: dict,
    prediction: dict,
    moves: Path,
    cards: Path,
    texts: Path,
) -> None:
    """Move the stream along a few features, and describe them.

    - moves: MOVED, a row for each test text: the probability and the centred logit of the feature's class before and
      after. The dose REMOVED takes the feature away, in the texts in which it is active; any other adds so many times
      its mean activation, at every token of every text;
    - cards: CARDS; `rate` is the share of the test tokens at which it is active, `by_token` the share of its variance
      over these that the mean of the same token in training texts explains, `match` the largest cosine with a feature
      of another seed, the mean over these, and `random_match` that of random directions;
    - texts: the test texts that activate it most, TEXTS.
    """
    classifier, tokenizer = load_classifier(model)
    classifier.requires_grad_(False)
    autoencoders, block = load_autoencoders(weights, classifier.device)
    own, budget = autoencoders[0], prediction["tokens_per_batch"]
    both = distinct_texts(pd.read_parquet(train), pd.read_parquet(test), config)
    learned, judged = (table["text"].tolist() for table in both)
    taught, asked = (gather(classifier, tokenizer, part, block, budget) for part in (learned, judged))
    values, answers = pushes(classifier, tokenizer, learned, block, own, budget)
    chosen = choose(own, taught, values, answers, len(learned), config)
    parts = list(moved(classifier, tokenizer, judged, block, own, chosen, config["doses"], budget))
    names = classes_of(classifier)
    table = pd.concat(parts or [pd.DataFrame(columns=MOVED)], ignore_index=True)
    write_table(table.assign(**{"class": [names[label] for label in table["class"]]})[MOVED], moves)
    write_table(pd.DataFrame(_cards(autoencoders, chosen, taught, asked, names, config), columns=CARDS), cards)
    codes = own.encode(scaled(asked.values))[:, [one.feature for one in chosen]]
    top = top_texts(codes, asked, tokenizer, judged).drop(columns="row")
    write_table(top.assign(feature=[chosen[place].feature for place in top["feature"]])[TEXTS], texts)


def pushes(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    block: int,
    autoencoder: TopKAutoencoder,
    tokens_per_batch: int,
) -> tuple[Tensor, np.ndarray]:
    """(features, classes, width): the product with a direction is what a feature adds to a class's centred logit in all
    texts, by first order, if it wrote in this direction. Also the answers (texts,), the classes with the largest
    logit."""
    features, width = autoencoder.decoder.shape
    values = torch.zeros(features, model.config.num_labels, width, device=model.device)
    answers = np.empty(len(texts), dtype=int)
    budget = max(1, tokens_per_batch // FOR_GRADIENTS)
    with tqdm(total=len(texts), desc="gradients", unit="text", mininterval=2) as progress:
        for rows, inputs in padded_batches(tokenizer, texts, budget, model.device):
            with torch.no_grad():
                stream, kept = residual_behind(model, inputs, block), counted(model, inputs)
                amounts = amounts_of(autoencoder, stream[kept])
            stream.requires_grad_()
            logits = run_on(model, inputs, block, stream)
            answers[rows] = logits.argmax(dim=1).cpu().numpy()
            for label, logit in enumerate(centred(model, logits).sum(dim=0)):
                [gradient] = torch.autograd.grad(logit, stream, retain_graph=True)
                values[:, label] += amounts.T @ gradient[kept]
            progress.update(len(rows))
    return values, answers


def amounts_of(autoencoder: TopKAutoencoder, stream: Tensor) -> Tensor:
    """How much of each feature's direction is in a stream (tokens, width) that was not scaled: (tokens, features)."""
    return autoencoder.encode(scaled(stream)) * lengths(stream)


def lengths(stream: Tensor) -> Tensor:
    """What `scaled` divides by: (..., width) to (..., 1)."""
    return stream.norm(dim=-1, keepdim=True) / stream.shape[-1] ** 0.5


def centred(model: PreTrainedModel, logits: Tensor) -> Tensor:
    """Logits (texts, classes) less their mean, which no answer depends on; of several labels each is its own."""
    return logits if gives_several(model) else logits - logits.mean(dim=1, keepdim=True)


def choose(
    autoencoder: TopKAutoencoder,
    taught: TokenActivations,
    values: Tensor,
    answers: np.ndarray,
    texts: int,
    config: dict,
) -> list[Chosen]:
    """The features that raise logits most, `chosen` of them: the first of every class, then its second, and so on.

    A feature is that of the class that it raises most, of those that are the answer to some of the training texts and
    not to all.
    """
    effects = (values * autoencoder.decoder[:, None]).sum(dim=2) / texts
    labels = [label for label in range(effects.shape[1]) if 0 < (answers == label).sum() < texts]
    if not labels:
        return []
    units, width = scaled(taught.values), taught.values.shape[1]
    active = autoencoder.encode(units)
    best = torch.tensor(labels)[effects[:, labels].argmax(dim=1).cpu()].numpy()
    ranked = pd.DataFrame({"label": best, "effect": effects.max(dim=1).values.cpu().numpy()})
    ranked["effect"] = effects.cpu().numpy()[np.arange(len(best)), best]
    ranked = ranked[ranked["effect"] > 0].sort_values("effect", ascending=False, kind="stable")
    turn = ranked.groupby("label").cumcount()
    ranked = ranked.assign(turn=turn).sort_values("turn", kind="stable").head(config["chosen"])
    found = []
    for feature, label, effect in ranked[["label", "effect"]].itertuples():
        generator = torch.Generator().manual_seed(config["seed"] + feature)
        drawn = torch.randn(config["random"], width, generator=generator).to(units)
        member = torch.from_numpy(answers[taught.text] == label).to(units.device)
        directions = {(FEATURE, 0): autoencoder.decoder[feature]}
        directions |= {(RANDOM, draw): direction for draw, direction in enumerate(drawn)}
        directions[MEANS, 0] = units[member].mean(dim=0) - units[~member].mean(dim=0)
        turned = {way: _raising(direction, values[feature, label]) for way, direction in directions.items()}
        usual = active[:, feature]
        found.append(Chosen(feature, label, float(effect), float(usual[usual > 0].mean()), turned))
    return found


def _raising(direction: Tensor, push: Tensor) -> Tensor:
    """A direction (width,) at length 1, turned so that its product with `push` is positive."""
    return normalize(direction, dim=0) * (1 if direction @ push >= 0 else -1)


@torch.inference_mode()
def moved(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    block: int,
    autoencoder: TopKAutoencoder,
    chosen: list[Chosen],
    doses: list[float],
    tokens_per_batch: int,
) -> Iterator[pd.DataFrame]:
    """MOVED, with the numbers of classes, batch by batch."""
    with tqdm(total=len(texts), desc="moved", unit="text", mininterval=2) as progress:
        for rows, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
            stream, kept = residual_behind(model, inputs, block), counted(model, inputs)
            amounts = torch.zeros(*kept.shape, len(autoencoder.decoder), device=stream.device)
            amounts[kept] = amounts_of(autoencoder, stream[kept])
            before, everywhere = run_on(model, inputs, block, stream), lengths(stream) * kept[..., None]
            for one in chosen:
                own = amounts[..., one.feature, None]
                active = own.amax(dim=(1, 2)) > 0
                steps = {REMOVED: (active, -own)}
                steps |= {dose: (torch.ones_like(active), dose * one.usual * everywhere) for dose in doses}
                for dose, (where, step) in steps.items():
                    some = {name: values[where] for name, values in inputs.items()}
                    if not len(some["input_ids"]):
                        continue
                    said = _said(model, before[where], one.label)
                    for (way, draw), direction in one.directions.items():
                        after = run_on(model, some, block, stream[where] + step[where] * direction)
                        after = _said(model, after, one.label)
                        key = {"feature": one.feature, "class": one.label, "way": way, "draw": draw}
                        key |= {"dose": float(dose), "text": rows[where.cpu().numpy()]}
                        numbers = {"before": said[0], "after": after[0]}
                        numbers |= {"logit_before": said[1], "logit_after": after[1]}
                        yield pd.DataFrame(key | numbers)
            progress.update(len(rows))


def _said(model: PreTrainedModel, logits: Tensor, label: int) -> tuple[np.ndarray, np.ndarray]:
    """A class's probability and its centred logit, (texts,) each."""
    found = probabilities(model, logits), centred(model, logits)
    return tuple(values[:, label].double().cpu().numpy() for values in found)


def _cards(
    autoencoders: list[TopKAutoencoder],
    chosen: list[Chosen],
    taught: TokenActivations,
    asked: TokenActivations,
    names: list[str],
    config: dict,
) -> Iterator[tuple]:
    own, numbers = autoencoders[0], [one.feature for one in chosen]
    known, new = (own.encode(scaled(part.values))[:, numbers] for part in (taught, asked))
    averages = fit_lookups(known, taught.ids)
    error = (new - averages.by_token(asked.ids)).square().sum(dim=0)
    spread = (new - averages.mean).square().sum(dim=0)
    matches = best_matches(own.decoder[numbers], autoencoders[1:])
    drawn = torch.randn(config["random"], own.decoder.shape[1], generator=torch.Generator().manual_seed(config["seed"]))
    random_match = best_matches(normalize(drawn, dim=1).to(own.decoder), autoencoders[1:]).mean()
    for place, one in enumerate(chosen):
        rate, explained = (new[:, place] > 0).double().mean(), 1 - error[place] / spread[place]
        numbers = rate, explained, matches[place], random_match
        yield one.feature, names[one.label], one.estimate, *map(float, numbers)


def best_matches(directions: Tensor, others: list[TopKAutoencoder]) -> Tensor:
    """The largest cosine of each of (n, width) unit directions with a feature of other autoencoders, (n,), the mean over
    these; NaN without any."""
    if not others:
        return torch.full((len(directions),), torch.nan)
    return torch.stack([(directions @ other.decoder.T).amax(dim=1) for other in others]).mean(dim=0)
