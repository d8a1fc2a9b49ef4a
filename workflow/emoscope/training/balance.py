"""Training on classes of unequal size: what can be done about the common ones outweighing the rare."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from emoscope.errors import UserError
from emoscope.storage.decisions import has_several, truth_of


def balanced(
    texts: pd.DataFrame, classes: Sequence[str], balance: str, seed: int
) -> tuple[pd.DataFrame, list, Callable[..., Tensor] | None]:
    """The texts to train on, their labels as the loss takes them, and the loss; None for the model's own.

    `balance` is `none`, `downsample` or `weights`. Of texts with several labels, each label's are weighed on their own,
    and labels are a 0.0 or 1.0 for each class.
    """
    if has_several(texts):
        if balance == "downsample":
            raise ValueError("downsample needs texts of one class each: see plan/agreement.py")
        truth = truth_of(texts, len(classes))
        loss = weighted_label_loss(label_weights(truth, classes)) if balance == "weights" else None
        return texts, truth.astype(float).tolist(), loss
    if balance == "downsample":
        texts = texts.iloc[downsample(texts["label"], classes, seed)]
    loss = weighted_loss(class_weights(texts["label"], classes)) if balance == "weights" else None
    return texts, texts["label"].tolist(), loss


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
    _check_counts(counts, classes)
    return counts


def _check_counts(counts: np.ndarray, classes: Sequence[str]) -> None:
    if not counts.all():
        raise UserError(
            f"no training text of class {classes[int(counts.argmin())]!r}, so the classes cannot be balanced; "
            "add texts of it, take it out of `classes`, or train with `balance: none`"
        )


def label_weights(truth: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """For each of several labels how many texts lack it for one that has it, (classes,); `truth` is (texts, classes).

    The `pos_weight` of binary cross-entropy: texts with the label weigh as much together as those without.
    """
    counts = truth.sum(axis=0)
    _check_counts(counts, classes)
    return (len(truth) - counts) / counts


def weighted_label_loss(weights: np.ndarray) -> Callable[..., Tensor]:
    """Mean binary cross-entropy of a batch's labels for the Trainer, each weighted where it is true, (classes,)."""

    def loss(outputs, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
        weight = torch.as_tensor(weights, dtype=outputs.logits.dtype, device=outputs.logits.device)
        return binary_cross_entropy_with_logits(outputs.logits, labels, pos_weight=weight)

    return loss


def weighted_loss(weights: np.ndarray) -> Callable[..., Tensor]:
    """Cross-entropy of a batch for the Trainer, each text weighted by its class, (classes,).

    Divided by the number of texts, not by their weights as PyTorch would: so the mean over the processes that share a
    batch is that of the batch.
    """

    def loss(outputs, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
        weight = torch.as_tensor(weights, dtype=outputs.logits.dtype, device=outputs.logits.device)
        return cross_entropy(outputs.logits, labels, weight, reduction="none").mean()

    return loss
