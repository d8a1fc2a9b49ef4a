"""From which probability on a label is given to a text, for classifiers that may give a text several."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from emoscope.errors import UserError
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import predict_logits, probabilities
from emoscope.storage.decisions import truth_of
from emoscope.storage.files import read_json, write_json
from emoscope.training.best_thresholds import EVEN, best_thresholds

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
    """UserError if a threshold is for a label that the classifier does not have, which may lack some of the corpus."""
    if unknown := [name for name in thresholds if name not in classes]:
        raise UserError(f"thresholds: {unknown[0]!r} is no label of the classifier; known: {', '.join(classes)}")


def check_validation(table: pd.DataFrame, path: Path) -> None:
    """UserError if there are no validation texts to choose thresholds on."""
    if table.empty:
        raise UserError(
            f"{path}: the corpus has no validation part, so no threshold can be chosen on it; set `thresholds` of the "
            "run to a number, or add such a part"
        )
