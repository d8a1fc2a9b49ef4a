"""What is read off the summaries of masks: the costliest block, the strongest heads, signs, and whether texts that only
composition of words can solve need attention more than others."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.statistics.adjustment import holm
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.settings import resampling
from emoscope.storage.names import ALL, WHOLE_BLOCK

NOTHING = ("equivalent", "additive")  # verdicts on what is shown to lie within the margin
FIRST = 0  # the block that the paper calls head 0, or head 1
CODE, TEXT = ("published", "first_class"), ("described", "probability")  # what the paper did, and what it says it did
TITLES = {  # of the measures, on pages: no input of what masks
    "probability": "change of P(own class)",
    "margin": "change of the logit margin",
    "accuracy": "change of accuracy",
}


def whole_blocks(summary: pd.DataFrame, condition: str, measure: str) -> pd.DataFrame:
    """The rows of a summary on whole blocks, of one condition and one measure."""
    chosen = (summary["condition"] == condition) & (summary["measure"] == measure)
    return summary[chosen & (summary["head"] == WHOLE_BLOCK)]


def groups_of(summary: pd.DataFrame) -> list[str]:
    """The classes whose samples were masked, in their order."""
    return [name for name in dict.fromkeys(summary["group"]) if name != ALL]


def by_block(summary: pd.DataFrame, condition: str, measure: str) -> pd.DataFrame:
    """Mean changes with whole blocks masked: rows are blocks, columns classes."""
    rows = whole_blocks(summary, condition, measure)
    wide = rows[rows["group"] != ALL].pivot(index="block", columns="group", values="change")
    return wide[[name for name in groups_of(summary) if name in wide]]


def is_a_change(row: Mapping | pd.Series, alpha: float) -> bool:
    """Whether a change is not zero, its adjusted p being at most `alpha`, nor shown to lie within the margin."""
    return row["p_adjusted"] <= alpha and row["verdict"] not in NOTHING


class Costliest(NamedTuple):
    """The row of the masked block that costs most accuracy, all texts together, of those that are shown to cost more
    than `margin`, which counts as nothing; None if none is. `leads`: it is shown to cost more than every other."""

    row: pd.Series | None
    leads: bool
    margin: float


def costliest_block(summary: pd.DataFrame, alpha: float, condition: str = "described") -> Costliest:
    """What is shown: by Holm over the blocks; of the one that leads, by intervals that do not meet.

    Not by the test of no change at all. The texts were chosen for being sure, so that often all were right before the
    mask: then accuracy can only fall, and a single text shows that it has."""
    rows = whole_blocks(summary, condition, "accuracy").query("group == @ALL")
    costly = rows[(rows["change"] < 0) & (holm(rows["p_beyond"].to_numpy()) <= alpha)]
    margin = float(rows["equivalence_margin"].iloc[0])
    if costly.empty:
        return Costliest(None, False, margin)
    row = costly.loc[costly["change"].idxmin()]
    return Costliest(row, bool((rows.loc[rows["block"] != row["block"], "low"] > row["high"]).all()), margin)


def strongest_heads(summary: pd.DataFrame, count: int) -> list[tuple[int, int]]:
    """The (block, head) whose silencing moves the logit margin of all texts most, the strongest first."""
    heads = summary[(summary["head"] != WHOLE_BLOCK) & (summary["condition"] == "zero") & (summary["group"] == ALL)]
    margins = heads[heads["measure"] == "margin"].set_index(["block", "head"])["change"]
    return list(margins.abs().sort_values(ascending=False).index[:count])


def signs_as_predicted(code: pd.DataFrame, first: str, alpha: float) -> tuple[int, int]:
    """Of a block's changes of P(the first class), a row for each `group` of texts, how many have the sign of table 1.

    That is a fall in the texts of the first class and a rise in all others. Only what is shown to be a change counts;
    their number is returned as well.
    """
    shown = code.loc[[is_a_change(row, alpha) for row in code.to_dict("records")]]
    expected = np.where(shown["group"] == first, -1, 1)
    return int((np.sign(shown["change"]) == expected).sum()), len(shown)


def composition_effect(
    samples: pd.DataFrame, masks: pd.DataFrame, composed: list, statistics: dict
) -> dict[str, float | str] | None:
    """How much more accuracy the texts with ids in `composed` lose than the others, with a bootstrap interval.

    Compared is the mean change of accuracy over all blocks, each silenced in turn; `masks` are the masked predictions
    of all blocks. Also counted are the distinct `texts`, and how many of them are `composed`; copies of a text are
    resampled together. None if all are, or none; NaN for the interval if fewer than FEWEST_CLUSTERS are, or are not.
    `verdict`: found if composed texts are shown to lose more, missed if less, else cannot tell.
    """
    described = masks[(masks["head"] == WHOLE_BLOCK) & (masks["condition"] == "described")]
    said = described.filter(regex="^p_").to_numpy().argmax(axis=1)
    after = described.assign(pred=said).merge(samples[["id", "label"]], on="id")
    right_after, right_before = (
        (table["pred"] == table["label"]).groupby(table["id"]).mean() for table in (after, samples)
    )
    lost = right_after - right_before
    values, chosen = lost.to_numpy(dtype=float), lost.index.isin(composed)
    if chosen.all() or not chosen.any():
        return None

    def difference(weights: np.ndarray) -> float:
        kinds = (chosen, ~chosen)
        if not all(weights[kind].any() for kind in kinds):
            return np.nan
        with_, without = (np.average(values[kind], weights=weights[kind]) for kind in kinds)
        return with_ - without

    texts = samples.drop_duplicates("id").set_index("id")["text"].loc[lost.index]
    composed_texts, others = (texts[kind].nunique() for kind in (chosen, ~chosen))
    low = high = np.nan
    if min(composed_texts, others) >= FEWEST_CLUSTERS:
        low, high = bootstrap_statistic(difference, texts.to_numpy(), **resampling(statistics))
    value = difference(np.ones(len(values)))
    verdict = "found" if high < 0 else "missed" if low > 0 else "cannot tell"
    counts = {"composed": composed_texts, "texts": composed_texts + others}
    return {"value": value, "low": low, "high": high, **counts, "verdict": verdict}
