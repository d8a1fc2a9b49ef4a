"""Which block and which head of each run costs most when it is silenced, and whether it leads for certain."""

import numpy as np
import pandas as pd

from emoscope.storage.names import ALL, WHOLE_BLOCK


def leading_blocks(masks: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """For each run the block that costs most logit margin when silenced: `block, value, low, high, certain, share`.

    `certain`: it does cost something, by FDR-adjusted p, and more than every other, by intervals that do not meet;
    otherwise no block leads. `share` is its part of what all
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


def head_curves(masks: pd.DataFrame) -> pd.DataFrame:
    """How much of what single silenced heads cost in all the most important carry: `group, run, share, carried`."""
    parts = []
    for (group, run), rows in _silenced_heads(masks).groupby(["group", "run"], sort=False):
        costs = np.sort(-rows["value"].clip(upper=0).to_numpy())[::-1]
        if costs.sum() > 0:
            share = np.arange(len(costs) + 1) / len(costs)
            carried = np.append(0, costs.cumsum() / costs.sum())
            parts.append(pd.DataFrame({"group": group, "run": run, "share": share, "carried": carried}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "run", "share", "carried"])


def leading_heads(masks: pd.DataFrame, curves: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """For each run the head that costs most logit margin when silenced, and how the heads of the run are told apart.

    Columns: `block, head, value, low, high, certain` as in `leading_blocks`; of how many `heads` how many carry `half`
    of what all cost, by the curves of `head_curves` (missing if none costs anything); how many are `different` and
    `equivalent` to none.
    """
    rows = _silenced_heads(masks)
    heads = rows.groupby("run", sort=False).size()
    verdicts = {name: (rows["verdict"] == name).groupby(rows["run"]).sum() for name in ("different", "equivalent")}
    half = curves[curves["carried"] >= 0.5].groupby("run")["share"].min() * heads
    return _leading(rows, alpha).assign(heads=heads, half=half.round().astype("Int64"), **verdicts)


def silenced_blocks(masks: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The runs' silenced blocks, one measure."""
    rows = masks[(masks["run"] != ALL) & (masks["head"] == WHOLE_BLOCK)]
    return rows[(rows["condition"] == "described") & (rows["measure"] == measure)]


def _silenced_heads(masks: pd.DataFrame) -> pd.DataFrame:
    """The runs' single heads, what silencing them does to the logit margin; without such masks, their means instead."""
    rows = masks[(masks["run"] != ALL) & (masks["head"] != WHOLE_BLOCK) & (masks["measure"] == "margin")]
    return rows[rows["condition"] == ("zero" if (rows["condition"] == "zero").any() else "mean")]


def _leading(rows: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Of each run's masks the one of which `value` is lowest; `certain` by `_costs`, and by intervals if there are
    others: none of theirs meets its own."""
    lowest = rows.groupby("run", sort=False)["value"].idxmin()
    lead, others = rows.loc[lowest].set_index("run"), rows.drop(lowest)
    apart = (others["low"] > lead["high"].reindex(others["run"]).to_numpy()).groupby(others["run"]).all()
    return lead.assign(certain=_costs(lead, alpha) & apart.reindex(lead.index, fill_value=True))


def _costs(rows: pd.DataFrame, alpha: float) -> pd.Series:
    """Whether a mask costs something for certain, and is not shown to cost next to nothing."""
    return (rows["value"] < 0) & (rows["p_adjusted"] <= alpha) & (rows["verdict"] != "equivalent")
