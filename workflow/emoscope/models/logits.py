"""A classifier's logits and probabilities for any number of texts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.batches import padded_batches
from emoscope.models.loading import classes_of, load_classifier
from emoscope.storage.files import write_tables
from emoscope.storage.shards import chunks_of


def predict(model: Path, train: Path, test: Path, shard: str, config: dict, output: Path) -> None:
    """Write the predictions of one shard, `k-of-n`, of the training and test texts, in bounded memory."""
    classifier, tokenizer = load_classifier(model)
    classes = classes_of(classifier)

    def predicted() -> Iterator[pd.DataFrame]:
        for texts in chunks_of([train, test], shard):
            logits = predict_logits(classifier, tokenizer, texts["text"].tolist(), config["tokens_per_batch"])
            yield prediction_table(texts, logits, classes)

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


def prediction_table(texts: pd.DataFrame, logits: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """Columns `id`, `label`, `pred`, `confidence`, `p_{class}`, `logit_{class}` for texts with `id` and `label`."""
    probabilities = softmax(logits, axis=1)
    return pd.DataFrame({
        "id": texts["id"].to_numpy(),
        "label": texts["label"].to_numpy(),
        "pred": probabilities.argmax(axis=1).astype("int8"),
        "confidence": probabilities.max(axis=1),
        **columns("p", classes, probabilities),
        **columns("logit", classes, logits),
    })  # fmt: skip


def columns(prefix: str, classes: list[str], values: np.ndarray) -> dict[str, np.ndarray]:
    """Name the columns of a (rows, classes) array `{prefix}_{class}`."""
    return {f"{prefix}_{name}": values[:, number] for number, name in enumerate(classes)}
