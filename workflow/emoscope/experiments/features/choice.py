"""Which features of an autoencoder are looked into: those that raise a class's logit most, by first order.

What a feature adds to a logit is estimated by the logit's gradient in the stream, on training texts, so that nothing is
chosen by what it is then judged on.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import normalize
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.features.names import FEATURE, MEANS, RANDOM
from emoscope.models.batches import FOR_GRADIENTS, padded_batches
from emoscope.models.features.autoencoder import TopKAutoencoder, scaled, scales
from emoscope.models.features.stream import TokenActivations, counted, residual_behind, run_on
from emoscope.models.inside.erasure import mean_difference
from emoscope.models.inside.integration import centred
from emoscope.models.logits import probabilities
from emoscope.storage.decisions import decided


@dataclass(frozen=True)
class Chosen:
    """A feature, the class whose logit it raises most, by how much in a training text on average, and its mean
    activation where it is active; the unit directions (width,) that are moved along, by way and draw."""

    feature: int
    label: int
    estimate: float
    usual: float
    directions: dict[tuple[str, int], Tensor]


def pushes(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    block: int,
    autoencoder: TopKAutoencoder,
    tokens_per_batch: int,
    thresholds: np.ndarray | None = None,
) -> tuple[Tensor, np.ndarray]:
    """(features, classes, width): the product with a direction is what a feature adds to a class's centred logit in all
    texts, by first order, if it wrote in this direction. Also the answers, bool (texts, classes): of one label a text
    the most probable, of several those that reach their `thresholds` (classes,)."""
    features, width = autoencoder.decoder.shape
    values = torch.zeros(features, model.config.num_labels, width, device=model.device)
    answers = np.empty((len(texts), model.config.num_labels), dtype=bool)
    budget = max(1, tokens_per_batch // FOR_GRADIENTS)
    with tqdm(total=len(texts), desc="gradients", unit="text", mininterval=2) as progress:
        for rows, inputs in padded_batches(tokenizer, texts, budget, model.device):
            with torch.no_grad():
                stream, kept = residual_behind(model, inputs, block), counted(model, inputs)
                amounts = amounts_of(autoencoder, stream[kept])
            stream.requires_grad_()
            logits = run_on(model, inputs, block, stream)
            answers[rows] = decided(probabilities(model, logits.detach()).cpu().numpy(), thresholds)
            for label, logit in enumerate(centred(model, logits).sum(dim=0)):
                [gradient] = torch.autograd.grad(logit, stream, retain_graph=True)
                values[:, label] += amounts.T @ gradient[kept]
            progress.update(len(rows))
    return values, answers


def amounts_of(autoencoder: TopKAutoencoder, stream: Tensor) -> Tensor:
    """How much of each feature's direction is in a stream (tokens, width) that was not scaled: (tokens, features)."""
    return autoencoder.encode(scaled(stream)) * scales(stream)


def choose(
    autoencoder: TopKAutoencoder,
    taught: TokenActivations,
    codes: Tensor,
    values: Tensor,
    answers: np.ndarray,
    config: dict,
) -> list[Chosen]:
    """The features that raise logits most, `chosen` of them: the first of every class, then its second, and so on.

    A feature is that of the class that it raises most, of those that are given to some of the training texts and not
    to all, by `answers`, bool (texts, classes); `codes` (tokens, features) say where it is active. Beside it stand
    `random` directions, each the `best_of` a set of its own, as large as the dictionary: the best of so many raises a
    class by chance alone, one more and the next less.
    """
    effects = ((values * autoencoder.decoder[:, None]).sum(dim=2) / len(answers)).cpu().numpy()
    known = answers[np.unique(taught.text)]  # a text of one token may have none that counts
    labels = [label for label in range(effects.shape[1]) if 0 < known[:, label].sum() < len(known)]
    if not labels:
        return []
    best = effects[:, labels].argmax(axis=1)
    ranked = pd.DataFrame({"label": np.take(labels, best), "effect": effects[:, labels][np.arange(len(best)), best]})
    ranked = ranked[ranked["effect"] > 0].sort_values("effect", ascending=False, kind="stable")
    turn = ranked.groupby("label").cumcount()
    ranked = ranked.assign(turn=turn).sort_values("turn", kind="stable").head(config["chosen"])
    units = scaled(taught.values)
    rivals = {feature: {} for feature in ranked.index}
    for draw in range(config["random"]):
        drawn = random_directions(*autoencoder.decoder.shape, [config["seed"], draw]).to(units)
        for feature, label in ranked["label"].items():
            rivals[feature][RANDOM, draw] = best_of(drawn, values[feature, labels], labels.index(label))
    found = []
    for feature, label, effect in ranked[["label", "effect"]].itertuples():
        push = values[feature, label]
        member = torch.from_numpy(answers[taught.text, label]).to(units.device)
        directions = {(FEATURE, 0): autoencoder.decoder[feature]} | rivals[feature]
        directions[MEANS, 0] = mean_difference(units, member)[0].to(units)
        turned = {way: _raising(direction, push) for way, direction in directions.items()}
        usual = codes[:, feature]
        found.append(Chosen(feature, label, float(effect), float(usual[usual > 0].mean()), turned))
    return found


def best_of(drawn: Tensor, pushes: Tensor, place: int) -> Tensor:
    """Of directions (n, width), each taken for the class that it raises most by `pushes` (classes, width), that which
    raises the class at `place` most; where none is of that class, of all of them."""
    adds = drawn @ pushes.T
    own = adds.argmax(dim=1) == place
    return drawn[adds[:, place].masked_fill(~own & own.any(), -torch.inf).argmax()]


def random_directions(count: int, width: int, seed: list[int]) -> Tensor:
    """Unit directions (count, width), not drawn as torch does: an autoencoder begins with those of its seed."""
    return normalize(torch.from_numpy(np.random.default_rng(seed).standard_normal((count, width))).float(), dim=1)


def _raising(direction: Tensor, push: Tensor) -> Tensor:
    """A direction (width,) at length 1, turned so that its product with `push` is positive."""
    return normalize(direction, dim=0) * (1 if direction @ push >= 0 else -1)
