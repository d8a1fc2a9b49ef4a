"""Whether texts that only composition of words can solve need attention more than others."""

import numpy as np
import pandas as pd

from emoscope.experiments.masking.measures import class_columns
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.settings import resampling
from emoscope.storage.names import WHOLE_BLOCK


def composition_effect(
    samples: pd.DataFrame, masks: pd.DataFrame, composed: list, statistics: dict
) -> dict[str, float] | None:
    """How much more accuracy the texts with ids in `composed` lose than the others, with a bootstrap interval.

    Compared is the mean change of accuracy over all blocks, each silenced in turn; `masks` are the masked predictions
    of all blocks. Also counted are the distinct `texts`, and how many of them are `composed`; copies of a text are
    resampled together. None if all are, or none; NaN for the interval if fewer than FEWEST_CLUSTERS are, or are not.
    """
    described = masks[(masks["head"] == WHOLE_BLOCK) & (masks["condition"] == "described")]
    names = [f"p_{name}" for name in class_columns(described, "p_")]
    after = described.assign(pred=described[names].to_numpy().argmax(axis=1)).merge(samples[["id", "label"]], on="id")
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
    return {"value": value, "low": low, "high": high, "composed": composed_texts, "texts": composed_texts + others}
