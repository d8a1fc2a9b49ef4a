"""A classifier's logits and probabilities for any number of texts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import expit, softmax
from torch import Tensor
from torch.nn.functional import logsigmoid
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.batches import padded_batches
from emoscope.models.loading import classes_of, load_classifier
from emoscope.storage.decisions import SEVERAL, as_column, decided, read_thresholds, truth_name
from emoscope.storage.files import write_tables
from emoscope.storage.shards import chunks_of


def predict(
    model: Path, train: Path, test: Path, shard: str, config: dict, output: Path, thresholds: list[Path] = ()
) -> None:
    """Write the predictions of one shard, `k-of-n`, of the training and test texts, in bounded memory.

    `thresholds` is the file of `choose_thresholds`, for a classifier that may give a text several labels.
    """
    classifier, tokenizer = load_classifier(model)
    classes, least = classes_of(classifier), thresholds_of(classifier, thresholds)

    def predicted() -> Iterator[pd.DataFrame]:
        for texts in chunks_of([train, test], shard):
            logits = predict_logits(classifier, tokenizer, texts["text"].tolist(), config["tokens_per_batch"])
            yield prediction_table(texts, logits, classes, least)

    write_tables(predicted(), output)


@torch.inference_mode()
def predict_logits(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], tokens_per_batch: int
) -> np.ndarray:
    """Logits of every text, float32 (texts, classes), in the order given."""
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    with tqdm(total=len(texts), desc="predict", unit="text", mininterval=2) as progress:
        for rows, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
            logits[rows] = model(**inputs).logits.cpu().numpy()
            progress.update(len(rows))
    return logits


def gives_several(model: PreTrainedModel) -> bool:
    """Whether a classifier may give a text several labels, or none."""
    return model.config.problem_type == SEVERAL


def probabilities(model: PreTrainedModel, logits: np.ndarray | Tensor) -> np.ndarray | Tensor:
    """What a classifier's logits (..., classes) mean: a distribution over classes, or each label's own probability."""
    if isinstance(logits, Tensor):
        return logits.sigmoid() if gives_several(model) else logits.softmax(dim=-1)
    return _probabilities(logits, gives_several(model))


def log_probabilities(model: PreTrainedModel, logits: Tensor) -> Tensor:
    """The logarithms of the probabilities (..., answers) of all answers: the classes; or, of several labels, that each
    is given and, behind these, that each is not. They sum to 1, or to 1 for each label."""
    if gives_several(model):
        return torch.cat([logsigmoid(logits), logsigmoid(-logits)], dim=-1)
    return logits.log_softmax(dim=-1)


def _probabilities(logits: np.ndarray, several: bool) -> np.ndarray:
    return expit(logits) if several else softmax(logits, axis=-1)


def thresholds_of(model: PreTrainedModel, files: Sequence[Path]) -> np.ndarray | None:
    """A classifier's thresholds (classes,), None if it gives every text one label; ValueError if they do not agree."""
    found = read_thresholds(files, classes_of(model))
    if (found is None) == gives_several(model):
        raise ValueError(f"{model.name_or_path} gives {'several labels' if found is None else 'one label'} a text")
    return found


def prediction_table(
    texts: pd.DataFrame, logits: np.ndarray, classes: list[str], thresholds: np.ndarray | None = None
) -> pd.DataFrame:
    """Columns `id`, `label`, `pred`, `confidence`, `p_{class}`, `logit_{class}` for texts with `id` and `label`.

    With `thresholds`, texts have `labels` instead, and `pred` is a list as well. `confidence` is the probability that
    the classifier gives its whole answer: of the most probable class; of several labels, the product of those of being
    given and of not being given, as if they were independent.
    """
    found, name = _probabilities(logits, thresholds is not None), truth_name(texts)
    if thresholds is None:
        answer = {"pred": found.argmax(axis=1).astype("int8"), "confidence": found.max(axis=1)}
    else:
        given = decided(found, thresholds)
        answer = {"pred": as_column(given), "confidence": np.where(given, found, 1 - found).prod(axis=1)}
    return pd.DataFrame({
        "id": texts["id"].to_numpy(),
        name: texts[name].to_numpy(),
        **answer,
        **columns("p", classes, found),
        **columns("logit", classes, logits),
    })  # fmt: skip


def prediction_columns(model: PreTrainedModel, logits: np.ndarray, thresholds: np.ndarray | None) -> dict:
    """Probabilities and logits (texts, classes) by column, and with `thresholds` `pred`, the labels given."""
    classes, found = classes_of(model), probabilities(model, logits)
    given = {} if thresholds is None else {"pred": as_column(decided(found, thresholds))}
    return {**given, **columns("p", classes, found), **columns("logit", classes, logits)}


def columns(prefix: str, classes: list[str], values: np.ndarray) -> dict[str, np.ndarray]:
    """Name the columns of a (rows, classes) array `{prefix}_{class}`."""
    return {f"{prefix}_{name}": values[:, number] for number, name in enumerate(classes)}
