"""The texts of a corpus under the labels of a classifier that was trained elsewhere."""

from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.data.split import Parts, audit_corpus, audit_split, labels_in, require_new_texts
from emoscope.errors import UserError
from emoscope.storage.files import read_json, write_json, write_table
from emoscope.training.labels import labels_of, matched

REPEATS = ("rows", "duplicate_rows", "duplicate_texts", "conflicting_texts")
HELD = "validation_rows"  # with what the counts of a validation part begin, which may have no row left


def match_labels(
    base: Path,
    train: Path,
    validation: Path,
    test: Path,
    audit: Path,
    config: dict,
    matched_train: Path,
    matched_validation: Path,
    matched_test: Path,
    matched_audit: Path,
) -> None:
    """Write the sets of a corpus with the labels of the classifier in the folder `base`, and their audit.

    Labels get the numbers of the model's logits; the audit's `order` keeps that of the corpus, of the classes that both
    have. Texts of classes that the model lacks are left out; where a text may have several labels, these labels are.
    `config` holds `labels`, what labels mean, and `whole`, whether no class may lack. Where repeated texts were dropped
    before the split, how many there were is known of the whole corpus alone, and is told of that, as in its own audit.
    """
    about = read_json(audit)
    classes = about["classes"]
    labels = labels_of(base, about.get("multilabel", False))
    names = matched(labels, classes, config["labels"], config["whole"], str(base))
    numbers = np.array([names.index(name) if name in names else -1 for name in classes])
    before = Parts(*map(pd.read_parquet, (train, validation, test)))
    after = Parts(*(renumbered(part, numbers) for part in before))
    for name, part in (("training", after.train), ("test", after.test)):
        if labels_in(part).explode().dropna().nunique() < 2:
            raise UserError(f"{base}: fewer than 2 of its classes occur in the {name} set; use other texts")
    if "group" in after.test and after.test["group"].replace("", None).nunique() < 2:
        raise UserError(f"{base}: texts of its classes are of fewer than 2 groups in the test set; leave `group` out")
    require_new_texts(after, f"{base}: of its classes")
    counts = audit_corpus(pd.concat(before), classes)["class_counts"]
    left_out = {name: counts[name] for name in classes if name not in names}
    rows = audit_corpus(pd.concat(after), names)
    if sum(map(len, before)) < about["rows"]:
        rows |= {name: about[name] for name in REPEATS}
    told = {"classes": names, "order": [name for name in classes if name in names], "left_out": left_out}
    kept = {name: value for name, value in about.items() if not name.startswith(HELD)}
    write_json({**kept, **rows, **audit_split(after), **told}, matched_audit)
    for part, path in zip(after, (matched_train, matched_validation, matched_test), strict=True):
        write_table(part, path)


def renumbered(table: pd.DataFrame, numbers: np.ndarray) -> pd.DataFrame:
    """A table with each label's number replaced by that of `numbers`; without what has none, which is -1."""
    if "labels" in table:
        found = (numbers[list(labels)] for labels in table["labels"])
        own = [np.sort(known[known >= 0]).astype("int8") for known in found]
        return table.assign(labels=pd.Series(own, table.index, dtype=object))
    label = numbers[table["label"].to_numpy(int)]
    return table.assign(label=label.astype("int8"))[label >= 0].reset_index(drop=True)
