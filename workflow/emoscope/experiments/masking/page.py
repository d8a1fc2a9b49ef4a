"""What the masking report says: tables and sentences over the masking summaries."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.masking.cells import change_cell, plain_change_cell, verdict_cell
from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.experiments.masking.measures import well_decided
from emoscope.experiments.masking.readings import (
    FIRST,
    TEXT,
    TITLES,
    costliest_block,
    groups_of,
    strongest_heads,
    whole_blocks,
)
from emoscope.reporting.html import html_table, some
from emoscope.reporting.passages import passage
from emoscope.storage.names import ALL, WHOLE_BLOCK

say = partial(passage, "masking")
VERDICTS = ("different", "equivalent", "underpowered")
MANY = 14  # classes, more than which make a table too wide, and a sentence too long
MASKED = "masked block"  # a column beside those of the classes, one of which may be called block
PARTS = {"attention": "attention", "mlp": "MLP"}
IN_PLACE = {  # by what is put in place; the authors' mask, which leaves the weight, is another experiment
    "zero": "silenced",
    "mean": "replaced by its mean",
    "resample": "taken from another text",
}


def main_result(summary: pd.DataFrame, alpha: float) -> Markup:
    """The headline: the block whose silencing is shown to cost most accuracy, see `costliest_block`."""
    return say("main_result", costliest=costliest_block(summary, alpha), blocks=summary["block"].nunique())


def sampling(samples: pd.DataFrame, classes: Sequence[str], settings: dict) -> Markup:
    """Which texts were masked."""
    counts = samples["group"].value_counts().sort_index()
    return say(
        "sampling",
        chosen=settings["samples"],
        counts=counted({classes[group]: count for group, count in counts.items()}),
        confidence=samples["confidence"].mean(),
        right=well_decided(samples, classes).mean(),
    )


def counted(texts: Mapping[str, int]) -> list[str]:
    """How many texts each class has; of more classes than a sentence can name, the fewest and the most."""
    if len(texts) <= MANY:
        return [f"{name} {count}" for name, count in texts.items()]
    few, most = min(texts.values()), max(texts.values())
    return [f"{few if few == most else f'{few} to {most}'} in each of {len(texts)} classes"]


def block_estimates(summary: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """For each part of a block and each measure `block, condition, change, low, high`, all texts together.

    Conditions are named by what is put in place, so that attention and MLP can be compared.
    """
    found = {}
    for part, title in PARTS.items():
        if conditions := _conditions(summary, part):
            found[title] = {
                measured: pd.concat([
                    whole_blocks(summary, name, measure).query("group == @ALL").assign(condition=in_place)
                    for name, in_place in conditions.items()
                ])
                for measure, measured in TITLES.items()
            }  # fmt: skip
    return found


def comparison(summary: pd.DataFrame, alpha: float) -> Markup:
    """The costliest block by each condition, of attention and of the MLP."""
    costliest = {
        title: [
            (in_place, costliest_block(summary, alpha, name)) for name, in_place in _conditions(summary, part).items()
        ]
        for part, title in PARTS.items()
    }
    return say("comparison", costliest={title: found for title, found in costliest.items() if found})


def condition_table(summary: pd.DataFrame, alpha: float) -> Markup:
    """Change of accuracy of all texts: rows are blocks, columns what is put in place of attention and of the MLP."""
    effects = {
        f"{title} {in_place}": whole_blocks(summary, name, "accuracy").query("group == @ALL").set_index("block")
        for part, title in PARTS.items()
        for name, in_place in _conditions(summary, part).items()
    }
    rows = [
        {"block": block} | {title: plain_change_cell(found.loc[block], alpha) for title, found in effects.items()}
        for block in next(iter(effects.values())).index
    ]
    return html_table(rows, say("condition_table", alpha=alpha))


def block_findings(summary: pd.DataFrame, alpha: float) -> Markup:
    """For which blocks an effect was found, for which "no effect" was shown, and for which the texts cannot tell."""
    rows = whole_blocks(summary, *TEXT)
    together, by_class = rows[rows["group"] == ALL], rows[rows["group"] != ALL]
    return say(
        "block_findings",
        together=together,
        by_class=by_class,
        **{verdict: _blocks(together.loc[together["verdict"] == verdict, "block"]) for verdict in VERDICTS},
        cells={verdict: (by_class["verdict"] == verdict).sum() for verdict in VERDICTS},
        margin=rows["equivalence_margin"].iloc[0],
        costliest=costliest_block(summary, alpha),
        first=FIRST,
    )


def block_table(summary: pd.DataFrame, alpha: float) -> Markup:
    """Effect of each silenced block on all texts, for three measures, each with its verdict."""
    tables = {
        measure: whole_blocks(summary, "described", measure).query("group == @ALL").set_index("block")
        for measure in TITLES
    }
    rows = []
    for block in tables["probability"].index:
        cells = {"block": block}
        for measure, title in TITLES.items():
            effect = tables[measure].loc[block]
            cells |= {title: change_cell(effect, alpha), f"verdict on {measure}": verdict_cell(effect)}
        rows.append(cells)
    margins = {measure: table["equivalence_margin"].iloc[0] for measure, table in tables.items()}
    caption = say("block_table", alpha=alpha, margins=margins)
    return html_table(rows, caption, text=[f"verdict on {measure}" for measure in TITLES])


def verdict_table(summary: pd.DataFrame, measure: str, caption: str) -> Markup:
    """Rows are silenced blocks, columns classes, cells the verdict on "no effect" and the detectable change."""
    rows = _by_class(summary, "described", measure, verdict_cell)
    return html_table(rows, caption, text=[name for name in rows[0] if name != MASKED])


def full_table(summary: pd.DataFrame, condition: str, measure: str, alpha: float, caption: str) -> Markup:
    """Rows are blocks, columns classes, cells changes with intervals, in bold where they survive FDR control."""
    rows = _by_class(summary, condition, measure, partial(change_cell, alpha=alpha))
    return html_table(rows, caption, text=("texts of class",))


def head_maps(summary: pd.DataFrame, measure: str, alpha: float) -> tuple[dict, dict]:
    """Changes of all texts by block and head, and where they survive FDR control; both by condition."""
    rows = summary[(summary["head"] != WHOLE_BLOCK) & (summary["group"] == ALL) & (summary["measure"] == measure)]
    wide = {
        HEADS[name].title: part.pivot(index="block", columns="head", values=["change", "p_adjusted"])
        for name, part in rows.groupby("condition", sort=False)
    }
    changes = {title: table["change"] for title, table in wide.items()}
    return changes, {title: table["p_adjusted"] <= alpha for title, table in wide.items()}


def head_table(summary: pd.DataFrame, count: int, alpha: float) -> Markup:
    """The true heads whose silencing changes the logit margin most."""
    effects = summary[(summary["condition"] == "zero") & (summary["group"] == ALL)]
    effects = effects.set_index(["block", "head", "measure"]).to_dict("index")
    rows = [
        {
            "block": block,
            "head": head,
            **{title: change_cell(effects.get((block, head, measure)), alpha) for measure, title in TITLES.items()},
        }
        for block, head in strongest_heads(summary, count)
    ]
    return html_table(rows, say("head_table", count=len(rows)))


def _conditions(summary: pd.DataFrame, part: str) -> dict[str, str]:
    """The conditions under which a part of whole blocks was replaced, and what was put in place, in words."""
    there = set(summary.loc[summary["head"] == WHOLE_BLOCK, "condition"])
    chosen = {name: one for name, one in BLOCKS.items() if one.part == part and one.by in IN_PLACE and name in there}
    return {name: IN_PLACE[one.by] for name, one in chosen.items()}


def _by_class(summary: pd.DataFrame, condition: str, measure: str, make: Callable[[dict], Markup]) -> list[dict]:
    """Rows of a table: a block each, with a cell for the texts of each class, and of all together; where there are many
    classes, a row for each and a column for each block."""
    effects = whole_blocks(summary, condition, measure)
    groups = [*groups_of(summary), ALL]
    if len(groups) > MANY:
        cells = effects.set_index(["group", "block"]).to_dict("index")
        blocks = sorted(effects["block"].unique())
        return [
            {"texts of class": name} | {f"block {block}": make(cells.get((name, block))) for block in blocks}
            for name in groups
        ]
    return [
        {MASKED: block} | {name: make(part.get(name)) for name in groups}
        for block, rows in effects.groupby("block")
        for part in [rows.set_index("group").to_dict("index")]
    ]


def _blocks(numbers: Sequence[int]) -> str:
    """Blocks in words."""
    return f"block{'s' if len(numbers) > 1 else ''} {some(numbers)}" if len(numbers) else "no block"
