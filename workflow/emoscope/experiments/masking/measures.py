"""What is measured on every judged text, before and after a mask."""

from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.storage.decisions import as_matrix, decisions_of, has_several, right, truth_name, truth_of
from emoscope.storage.files import write_table

MASK = ["block", "head", "condition"]
PAIR = ["first_block", "first_head", "second_block", "second_head"]
MEASURES = ("probability", "first_class", "margin", "accuracy")
SCALE = np.array([1, 1, 4, 1])  # the logistic curve's slope is 1/4 at most: a logit moved by 4 m moves no P by over m

ROUNDING = 1e-6  # a smaller change may be that of 32 bits, which, where nothing can rise, would be a fall for certain


def average_masking(samples: Path, blocks: list[Path], changes: Path) -> None:
    """Write by how much each mask moves the logit margin, the mean over all confident samples: `block, head, condition,
    change`. What ranks by it is thus run anew by no setting of how changes are judged."""
    baseline = pd.read_parquet(samples)
    keys, found = changes_of(baseline, pd.concat(map(pd.read_parquet, blocks), ignore_index=True), MASK)
    write_table(keys.assign(change=found[:, :, MEASURES.index("margin")].mean(axis=0)), changes)


def measures(table: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """The MEASURES of every row before differences are taken, float (rows, 4).

    Columns are those of predictions, and `group`, the class that a row is judged by. Where a text may have several
    labels, none has a rival: the margin is the logit itself, and accuracy is whether the label is given.
    """
    probabilities = table[[f"p_{name}" for name in classes]].to_numpy(dtype=float)
    logits = table[[f"logit_{name}" for name in classes]].to_numpy(dtype=float)
    rows, group = np.arange(len(table)), table["group"].to_numpy()
    own, decisions = logits[rows, group], decisions_of(table, "pred", probabilities)
    if has_several(table):
        margin, hit = own, decisions[rows, group]
    else:
        rivals = logits.copy()
        rivals[rows, group] = -np.inf
        margin, hit = own - rivals.max(axis=1), right(table, decisions)
    return np.column_stack([probabilities[rows, group], probabilities[:, 0], margin, hit])


def well_decided(samples: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """Which samples are classified correctly, bool (rows,); of several labels, the one that a row is judged by."""
    decisions = as_matrix(samples["pred"], len(classes))
    if not has_several(samples):
        return right(samples, decisions)
    agreed = decisions == truth_of(samples, len(classes))
    return agreed[np.arange(len(samples)), samples["group"].to_numpy()]


def judged(samples: pd.DataFrame, masked: pd.DataFrame) -> pd.DataFrame:
    """Masked predictions with the truth of their texts and the group they are judged by; they are those of `samples`,
    in its order, over and over."""
    times = len(masked) // max(len(samples), 1)
    if not (masked["id"].to_numpy() == np.tile(samples["id"].to_numpy(), times)).all():
        raise ValueError("the masked predictions are not those of the samples")
    known = samples[[truth_name(samples), "group"]]
    return masked.reset_index(drop=True).assign(**{name: np.tile(known[name].to_numpy(), times) for name in known})


def changes_of(samples: pd.DataFrame, masked: pd.DataFrame, key: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """The masks, a row each of columns `key`, and what each changed in every text, float (samples, masks, MEASURES).

    Where a mask has several draws, their mean: of what each did, not what is done by the mean of their predictions.
    """
    drawn = masked[[*key, "draw"] if "draw" in masked else key].drop_duplicates().reset_index(drop=True)
    classes = classes_in(samples)
    before = measures(samples, classes)
    after = measures(judged(samples, masked), classes)
    changes = after.reshape(len(drawn), *before.shape) - before
    keys = drawn[key].drop_duplicates().reset_index(drop=True)
    mask = drawn.groupby(key, sort=False).ngroup().to_numpy()
    mean = np.array([changes[mask == number].mean(axis=0) for number in range(len(keys))])
    return keys, mean.reshape(-1, *before.shape).transpose(1, 0, 2)


def classes_in(table: pd.DataFrame) -> list[str]:
    """The names of the classes of predictions, in the order of their columns `p_{class}`."""
    return [name.removeprefix("p_") for name in table.columns if name.startswith("p_")]
