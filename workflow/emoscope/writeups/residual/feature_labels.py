"""Which directions of the residual stream go with which label of the texts, and how much of that is luck."""

import numpy as np
import pandas as pd

from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.auc import one_vs_rest_auc, rank_auc
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.settings import resampling

SHUFFLES = 20


def label_associations(scores: np.ndarray, labels: np.ndarray, names: list[str]) -> pd.DataFrame:
    """How well each column of scores (texts, columns) tells each label from the others: area under the ROC curve.

    p is that of `rank_auc`, two-sided, adjusted over all columns and labels; NaN for a column that never varies.
    """
    area, p = rank_auc(scores, labels[:, None] == np.arange(len(names)))
    feature, label = np.indices(area.shape).reshape(2, -1)
    return pd.DataFrame({
        "feature": feature,
        "label": np.array(names)[label],
        "auc": area.ravel(),
        "p": p.ravel(),
        "p_adjusted": benjamini_hochberg(p).ravel(),
    })  # fmt: skip


def shuffled_labels(scores: np.ndarray, labels: np.ndarray, alpha: float, seed: int) -> pd.DataFrame:
    """How many pairs of feature and label pass the same test when labels are dealt out anew, and the largest AUC."""
    rng = np.random.default_rng(seed)
    rows = []
    for shuffle in range(SHUFFLES):
        members = rng.permutation(labels)[:, None] == np.arange(labels.max() + 1)
        area, p = rank_auc(scores, members)
        found = int((benjamini_hochberg(p) <= alpha).sum())
        rows.append({"shuffle": shuffle, "found": found, "largest": float(np.nanmax(area))})
    return pd.DataFrame(rows)


def chosen_directions(
    kinds: dict[str, np.ndarray], labels: np.ndarray, names: list[str], statistics: dict
) -> pd.DataFrame:
    """For each label the best direction of each kind, chosen by AUC on the first half of the texts.

    Its AUC on the second half, with a bootstrap interval, owes nothing to the choice. `number` is its column. Labels
    that are missing from either half, or fill it, are left out.
    """
    half = len(labels) // 2
    rows = []
    for number, name in enumerate(names):
        members = labels == number
        if any(part.all() or not part.any() for part in (members[:half], members[half:])):
            continue
        for kind, scores in kinds.items():
            before = rank_auc(scores[:half], members[:half, None])[0][:, 0]
            best = int(before.argmax())
            value, low, high = auc_interval(scores[half:, best], members[half:], statistics)
            rows.append({"label": name, "kind": kind, "number": best, "auc_before": before[best]})
            rows[-1] |= {"auc": value, "low": low, "high": high}
    columns = ["label", "kind", "number", "auc_before", "auc", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def auc_interval(scores: np.ndarray, members: np.ndarray, statistics: dict) -> tuple[float, float, float]:
    """AUC of one column with its bootstrap interval over texts."""
    area = one_vs_rest_auc(members, scores)
    interval = bootstrap_statistic(area, np.arange(len(scores)), **resampling(statistics))
    return area(np.ones(len(scores))), *map(float, interval)
