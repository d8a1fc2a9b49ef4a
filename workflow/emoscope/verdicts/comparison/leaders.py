"""Which block and which head of each run costs most when it is silenced, and whether it leads for certain."""

import numpy as np
import pandas as pd

from emoscope.storage.names import ALL, WHOLE_BLOCK

DRAWS = 1_000  # of what noise alone would carry


def leading_blocks(masks: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """For each run the block that costs most logit margin when silenced: `block, value, low, high, certain, share`.

    `certain`: it does cost something, by FDR-adjusted p, and more than every other, by intervals that do not meet;
    otherwise no block leads, nor does the only one. `share` is its part of what all
    blocks cost, each silenced alone; blocks that cost nothing count as nil.
    """
    rows = silenced_blocks(masks, "margin")
    lead = _leading(rows, alpha)
    costs = rows["value"].clip(upper=0).groupby(rows["run"]).sum()
    return lead.assign(share=lead["value"].clip(upper=0) / costs.reindex(lead.index))


def beside_leaders(masks: pd.DataFrame, leaders: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """For each run what silencing its leading block does to P(own class), and the other block that changes it most."""
    changes = silenced_blocks(masks, "probability")
    leads = changes["block"] == changes["run"].map(leaders["block"])
    others = changes[~leads]
    rivals = others.loc[others["value"].abs().groupby(others["run"], sort=False).idxmax()]
    return changes[leads].set_index("run"), rivals.set_index("run")


def head_curves(masks: pd.DataFrame, seed: int) -> pd.DataFrame:
    """How much of what single silenced heads cost in all the most important carry: `group, run, share, carried, noise`.

    `noise` is the mean of what they would carry if no head cost anything, from DRAWS draws of a normal error for each,
    as wide as its interval (a common scale drops out): noise, sorted, looks concentrated as well. That heads are judged
    in the same texts, so that their errors go together, is left out. Runs of which no head is shown to cost anything
    have no curve; `noise` is NaN where a head has no interval.
    """
    parts, columns = [], ["group", "run", "share", "carried", "noise"]
    for (group, run), rows in _silenced_heads(masks).groupby(["group", "run"], sort=False):
        if ((rows["value"] < 0) & (rows["verdict"] == "different")).any():
            drawn = np.random.default_rng(seed).normal(size=(DRAWS, len(rows)))
            errors = (rows["high"] - rows["low"]).to_numpy() * drawn
            share, carried = np.arange(len(rows) + 1) / len(rows), _carried(rows["value"].to_numpy()[None])
            parts.append(pd.DataFrame([*zip(share, carried, _carried(errors), strict=True)], columns=columns[2:]))
            parts[-1] = parts[-1].assign(group=group, run=run)
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _carried(changes: np.ndarray) -> np.ndarray:
    """Of changes (draws, heads) the share of all falls that the k largest carry, for k from 0, (heads + 1,): its mean
    over the draws in which anything falls."""
    falls = np.sort(np.maximum(-changes, 0), axis=1)[:, ::-1].cumsum(axis=1)
    falls = falls[falls[:, -1] > 0]
    means = (falls / falls[:, -1:]).mean(axis=0) if len(falls) else np.full(changes.shape[1], np.nan)
    return np.append(0, means)


def leading_heads(masks: pd.DataFrame, curves: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """For each run the head that costs most logit margin when silenced, and how the heads of the run are told apart.

    Columns: `block, head, value, low, high, certain` as in `leading_blocks`; of how many `heads` how many carry `half`
    of what all cost, and how many would by `noise` alone, by the curves of `head_curves` (missing where there is none);
    how many are `different` and `equivalent` to none.
    """
    rows = _silenced_heads(masks)
    heads = rows.groupby("run", sort=False).size()
    found = {name: (rows["verdict"] == name).groupby(rows["run"]).sum() for name in ("different", "equivalent")}
    for name, measure in {"half": "carried", "noise": "noise"}.items():
        first = curves[curves[measure] >= 0.5].groupby("run")["share"].min()
        found[name] = (first * heads).round().astype("Int64")
    return _leading(rows, alpha).assign(heads=heads, **found)


def silenced_blocks(masks: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The runs' silenced blocks, one measure."""
    rows = masks[(masks["run"] != ALL) & (masks["head"] == WHOLE_BLOCK)]
    return rows[(rows["condition"] == "described") & (rows["measure"] == measure)]


def _silenced_heads(masks: pd.DataFrame) -> pd.DataFrame:
    """The runs' single heads, what silencing them does to the logit margin; without such masks, their means instead."""
    rows = masks[(masks["run"] != ALL) & (masks["head"] != WHOLE_BLOCK) & (masks["measure"] == "margin")]
    return rows[rows["condition"] == ("zero" if (rows["condition"] == "zero").any() else "mean")]


def _leading(rows: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Of each run's masks the one of which `value` is lowest; `certain` by `_costs`, and by intervals: there are
    others, and none of theirs meets its own."""
    lowest = rows.groupby("run", sort=False)["value"].idxmin()
    lead, others = rows.loc[lowest].set_index("run"), rows.drop(lowest)
    apart = (others["low"] > lead["high"].reindex(others["run"]).to_numpy()).groupby(others["run"]).all()
    return lead.assign(certain=_costs(lead, alpha) & apart.reindex(lead.index, fill_value=False))


def _costs(rows: pd.DataFrame, alpha: float) -> pd.Series:
    """Whether a mask costs something for certain, and is not shown to cost next to nothing."""
    return (rows["value"] < 0) & (rows["p_adjusted"] <= alpha) & (rows["verdict"] != "equivalent")
