"""From which probability on a label is given to a text, for classifiers that may give a text several."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.errors import UserError
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import predict_logits, probabilities
from emoscope.storage.decisions import truth_of
from emoscope.storage.files import read_json, write_json

EVEN = 0.5  # more likely than not
VALIDATION = "validation"


def choose_thresholds(
    model: Path, audit: Path, validation: list[Path], asked: dict, prediction: dict, output: Path
) -> None:
    """Write `thresholds`, by label, `chosen` (how) and `texts` (on how many).

    `asked["thresholds"]` is a number for all labels, numbers by label (the others get EVEN), none (all get it), or
    VALIDATION: then each label's is the one with the highest F1 on the validation texts. Only then is the model run.
    """
    classes, wanted = read_json(audit)["classes"], asked["thresholds"]
    found, texts = {}, 0
    if wanted == VALIDATION:
        classifier, tokenizer = load_classifier(model)
        table = pd.read_parquet(validation[0])
        check_validation(table, validation[0])
        logits = predict_logits(classifier, tokenizer, table["text"].tolist(), prediction["tokens_per_batch"])
        best = best_thresholds(truth_of(table, len(classes)), probabilities(classifier, logits))
        found, texts = dict(zip(classes_of(classifier), best.tolist(), strict=True)), len(table)
    elif isinstance(wanted, dict):
        check_names(wanted, classes)
        found = {name: wanted.get(name, EVEN) for name in classes}
    else:
        found = dict.fromkeys(classes, EVEN if wanted is None else wanted)
    chosen = VALIDATION if wanted == VALIDATION else "config"
    write_json({"thresholds": found, "chosen": chosen, "texts": texts}, output)


def check_names(thresholds: dict, classes: Sequence[str]) -> None:
    """UserError if a threshold is for a label that the corpus does not have."""
    if unknown := [name for name in thresholds if name not in classes]:
        raise UserError(f"thresholds: no label {unknown[0]!r} in the corpus; known: {', '.join(classes)}")


def check_validation(table: pd.DataFrame, path: Path) -> None:
    """UserError if there are no validation texts to choose thresholds on."""
    if table.empty:
        raise UserError(
            f"{path}: the corpus has no validation part, so no threshold can be chosen on it; set `thresholds` of the "
            "run to a number, or add such a part"
        )


def best_thresholds(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Of each label the threshold with the highest F1, float32 (labels,); both arguments are (texts, labels).

    It lies midway between the lowest probability that reaches it and the highest that does not. Of equals the highest
    is taken; a label that no text has gets EVEN.
    """
    return np.array([_best(*label) for label in zip(truth.T, probabilities.T, strict=True)], dtype=np.float32)


def _best(truth: np.ndarray, scores: np.ndarray) -> float:
    if not truth.any():
        return EVEN
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], truth[order].cumsum()
    f1 = 2 * hits / (np.arange(1, len(scores) + 1) + truth.sum())
    f1[:-1][scores[:-1] == scores[1:]] = -1  # equal probabilities are on one side of any threshold
    best = int(f1.argmax())
    lowest, below = scores[best], scores[best + 1] if best + 1 < len(scores) else 0.0
    middle = np.float32((lowest + below) / 2)
    return middle if middle > below else lowest
