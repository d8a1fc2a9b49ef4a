"""What the comparison says of masks: which blocks and heads matter, and whether seeds and architectures agree."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.experiments.masking.readings import TITLES
from emoscope.reporting.html import badge, cell, details, html_table, number, p_value, percent, signed
from emoscope.reporting.passages import passage
from emoscope.statistics.ranks import FEWEST_TARGETS
from emoscope.storage.names import WHOLE_BLOCK
from emoscope.verdicts.comparison.leaders import beside_leaders, leading_blocks, leading_heads, silenced_blocks
from emoscope.verdicts.comparison.summarise import SHUFFLES, agreement, first_block_verdicts
from emoscope.verdicts.comparison.tables import seeds_of, tally, unbroken

say = partial(passage, "comparison")
MOST_ROWS = 60  # of correlations; more are folded
BY = {"probability": "by probability", "margin": "by logit margin", "accuracy": "by accuracy"}


def profile_panels(masks: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """The effects of masked blocks by condition and measure, for `depth_profiles`."""
    whole = masks[masks["head"] == WHOLE_BLOCK]
    return {
        one.title: {
            TITLES[measure]: whole[(whole["condition"] == condition) & (whole["measure"] == measure)]
            for measure in ("probability", "margin")
        }
        for condition, one in BLOCKS.items()
        if (whole["condition"] == condition).any()
    }


def without_bias(masks: pd.DataFrame) -> Markup:
    """Which groups have no bias that the published code's mask could silence, if others have one."""
    rows = masks[masks["head"] == WHOLE_BLOCK]
    published = set(rows.loc[rows["condition"] == "published", "group"])
    lacking = [group for group in dict.fromkeys(rows["group"]) if group not in published]
    return say("without_bias", lacking=lacking if published else [])


def leader_table(masks: pd.DataFrame, alpha: float) -> Markup:
    """Which block leads in each run, what it costs, and what the next one does."""
    leaders = leading_blocks(masks, alpha)
    own, rivals = beside_leaders(masks, leaders)
    last = silenced_blocks(masks, "margin").groupby("run")["block"].max()
    rows = [
        {
            "run": unbroken(run),
            "block that leads": f"{lead['block']} (last: {last[run]})" if lead["certain"] else "none for certain",
            "logit margin": cell(lead),
            "share": percent(lead["share"], 0),
            "P(own class)": cell(own.loc[run]),
            "P(own class), next block": _with_block(rivals.loc[run]) if run in rivals.index else "n/a",
        }
        for run, lead in leaders.iterrows()
    ]
    return html_table(rows, say("leaders"), text=("run",))


def first_block_table(masks: pd.DataFrame, alpha: float) -> Markup:
    """The verdicts on "only the first block matters", run by run and measure by measure."""
    rows = [
        {"run": unbroken(run)} | {by: badge(verdicts[measure]) for measure, by in BY.items()}
        for run, verdicts in first_block_verdicts(masks, alpha).iterrows()
    ]
    margins = {name: silenced_blocks(masks, name)["equivalence_margin"].iloc[0] for name in ("probability", "margin")}
    return html_table(rows, say("first_block", **margins), text=("run", *BY.values()))


def first_block_reading(masks: pd.DataFrame, runs: Mapping[str, Mapping], alpha: float) -> Markup:
    """What became of "only the first block matters" in each group."""
    leaders, verdicts = leading_blocks(masks, alpha), first_block_verdicts(masks, alpha)
    named = leaders["block"].map("block {}".format).where(leaders["certain"], "no block")
    groups = [
        (
            group,
            tally(named[names]),
            "; ".join(f"{tally(verdicts.loc[names, measure])} {by}" for measure, by in BY.items()),
        )
        for group, names in seeds_of(runs).items()
    ]
    return say("first_block_reading", groups=groups)


def correlation_panels(correlations: pd.DataFrame, runs: Mapping[str, Mapping]) -> dict[str, pd.DataFrame]:
    """Mean rank correlations of block importance by logit margin, groups by groups, for each condition that has any."""
    groups, found = list(seeds_of(runs)), {}
    for condition, one in BLOCKS.items():
        rows = agreement(correlations, "blocks", condition, "margin")
        table = pd.DataFrame(np.nan, index=groups, columns=groups)
        for row in rows.itertuples():
            table.loc[row.first_group, row.second_group] = table.loc[row.second_group, row.first_group] = row.mean
        if table.notna().to_numpy().any():
            found[one.short] = table
    return found


def correlation_table(correlations: pd.DataFrame, part: str) -> Markup:
    """Mean, range and p of the rank correlations within and between groups; those of other masks to unfold."""
    conditions = list(dict.fromkeys(correlations.loc[correlations["part"] == part, "condition"]))
    main = [name for name in conditions if name in ("described", "zero")]
    caption = say("correlations", shuffles=SHUFFLES, fewest=FEWEST_TARGETS)
    rows = _correlation_rows(correlations, part, main)
    shown = html_table(rows, caption, text=("between", "importance"))
    if len(rows) > MOST_ROWS:
        shown = details(f"All {len(rows):,} correlations", shown)
    rest = _correlation_rows(correlations, part, [name for name in conditions if name not in main])
    return shown + details("Other masks", html_table(rest, "", text=("between", "importance")))


def _correlation_rows(correlations: pd.DataFrame, part: str, conditions: Sequence[str]) -> list[dict]:
    masks = {"blocks": BLOCKS, "heads": HEADS}[part]
    return [
        {
            "between": f"seeds of {row['first_group']}"
            if row["within"]
            else f"{row['first_group']} and {row['second_group']}",
            "importance": f"{TITLES[measure].removeprefix('change of ')}, {masks[condition].short}",
            "points": number(row["points"]),
            "pairs of runs": number(row["pairs"]),
            "mean correlation": signed(row["mean"]),
            "lowest to highest": ""
            if row["pairs"] == 1 or pd.isna(row["mean"])
            else f"{signed(row['lowest'])} to {signed(row['highest'])}",
            "p": p_value(row["p"]),
        }
        for condition in conditions
        for measure in ("margin", "probability")
        for row in agreement(correlations, part, condition, measure).to_dict("records")
    ]


def heads_apart(correlations: pd.DataFrame, runs: Mapping[str, Mapping], models: Mapping[str, Mapping]) -> Markup:
    """Between which runs heads may be compared one by one, and between which not."""
    random = [
        group for group, names in seeds_of(runs).items() if models[runs[names[0]]["model"]]["source"] == "scratch"
    ]
    return say("heads_apart", random=random, shared=(correlations["part"] == "heads").any())


def head_table(masks: pd.DataFrame, curves: pd.DataFrame, alpha: float) -> Markup:
    """In each run the head that costs most, and how many carry half of what all cost, beside noise alone."""
    rows = [
        {
            "run": unbroken(run),
            "heads": number(lead["heads"]),
            "leads": f"block {lead['block']}, head {lead['head']}" if lead["certain"] else "none for certain",
            "logit margin": cell(lead),
            "carry half": number(lead["half"]),
            "by noise alone": number(lead["noise"]),
            "different": number(lead["different"]),
            "equivalent to none": number(lead["equivalent"]),
        }
        for run, lead in leading_heads(masks, curves, alpha).iterrows()
    ]
    return html_table(rows, say("heads"), text=("run", "leads"))


def _with_block(row: pd.Series) -> Markup:
    return cell(row) + Markup(' <span class="interval">block {}</span>').format(row["block"])
