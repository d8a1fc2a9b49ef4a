"""Training on classes of unequal size: what can be done about the common ones outweighing the rare."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from emoscope.errors import UserError


def downsample(labels: Sequence[int], classes: Sequence[str], seed: int) -> np.ndarray:
    """Row numbers, ascending, with as many of each class as the smallest one has; drawn with `seed`."""
    labels, least = np.asarray(labels), class_counts(labels, classes).min()
    draw = np.random.default_rng(seed)
    parts = [draw.choice(np.flatnonzero(labels == k), least, replace=False) for k in range(len(classes))]
    return np.sort(np.concatenate(parts))


def class_weights(labels: Sequence[int], classes: Sequence[str]) -> np.ndarray:
    """A weight for each class, inverse to its number of texts: each class weighs the same, and a text 1 on average."""
    counts = class_counts(labels, classes)
    return counts.sum() / (len(classes) * counts)


def class_counts(labels: Sequence[int], classes: Sequence[str]) -> np.ndarray:
    """How many texts each class has; UserError where one has none, since nothing balances that."""
    counts = np.bincount(labels, minlength=len(classes))
    if not counts.all():
        raise UserError(
            f"no training text of class {classes[int(counts.argmin())]!r}, so the classes cannot be balanced; "
            "add texts of it, take it out of `classes`, or train with `balance: none`"
        )
    return counts


def weighted_loss(weights: np.ndarray) -> Callable[..., Tensor]:
    """Cross-entropy of a batch for the Trainer, each text weighted by its class, (classes,).

    Divided by the number of texts, not by their weights as PyTorch would: so the mean over the processes that share a
    batch is that of the batch.
    """

    def loss(outputs, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
        weight = torch.as_tensor(weights, dtype=outputs.logits.dtype, device=outputs.logits.device)
        return cross_entropy(outputs.logits, labels, weight, reduction="none").mean()

    return loss
