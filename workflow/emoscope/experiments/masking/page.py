"""What the masking report says: tables and sentences over the masking summaries."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.masking.conditions import BLOCKS, HEADS, chooses_pairs
from emoscope.experiments.masking.measures import well_decided
from emoscope.experiments.masking.readings import (
    TITLES,
    composition_effect,
    costliest_block,
    is_a_change,
    signs_as_predicted,
    strongest_heads,
    whole_blocks,
)
from emoscope.reporting.html import badge, cell, html_table, listed, number, signed, unsigned
from emoscope.reporting.passages import passage
from emoscope.statistics.equivalence import largest
from emoscope.statistics.settings import alpha_of
from emoscope.storage.names import ALL, WHOLE_BLOCK

say = partial(passage, "masking")
VERDICTS = ("different", "equivalent", "underpowered")
MANY = 14  # classes, more than which make a table too wide, and a sentence too long
FIRST = 0  # the block that the paper calls head 0, or head 1
PARTS = {"attention": "attention", "mlp": "MLP"}
IN_PLACE = {  # by what is put in place; the authors' mask, which leaves the weight, is another experiment
    "zero": "silenced",
    "mean": "replaced by its mean",
    "resample": "taken from another text",
}
CODE, TEXT = ("published", "first_class"), ("described", "probability")  # what the paper did, and what it says it did


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


def groups_of(summary: pd.DataFrame) -> list[str]:
    """The classes whose samples were masked, in their order."""
    return [name for name in dict.fromkeys(summary["group"]) if name != ALL]


def by_block(summary: pd.DataFrame, condition: str, measure: str) -> pd.DataFrame:
    """Mean changes with whole blocks masked: rows are blocks, columns classes."""
    rows = whole_blocks(summary, condition, measure)
    wide = rows[rows["group"] != ALL].pivot(index="block", columns="group", values="change")
    return wide[[name for name in groups_of(summary) if name in wide]]


def side_by_side(summary: pd.DataFrame, classes: Sequence[str], table1: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Tables of blocks by classes: the paper's table 1, its procedure repeated here, and what its text describes.

    Each has the blocks of its own model; classes without samples are NaN.
    """
    tables = {
        "paper, table 1": table1.set_index("block"),
        "here, the authors' code": by_block(summary, *CODE),
        "here, the paper's text": by_block(summary, *TEXT),
    }
    return {
        title: table.reindex(columns=table.columns if title.startswith("paper") else classes)
        for title, table in tables.items()
        if table.size
    }


def both_procedures(summary: pd.DataFrame, classes: Sequence[str], table1: pd.DataFrame) -> Markup:
    """The first block's row of table 1, beside what the authors' code and what the paper's text gives here."""
    code, text = (_first_block(summary, *which) for which in (CODE, TEXT))
    rows = [
        {
            "texts of class": name,
            "paper, table 1": signed(_printed(table1, name)),
            f"authors' code: P({classes[0]})": _change(code.get(name)),
            "paper's text: P(own class)": _change(text.get(name)),
        }
        for name in groups_of(summary)
    ]
    return html_table(rows, say("both_procedures", block=FIRST), text=("texts of class",))


def headroom(samples: pd.DataFrame, classes: Sequence[str], table1: pd.DataFrame) -> Markup:
    """How far each class's probability can rise in its own texts, beside the rise that the paper prints."""
    rows = []
    for group, table in samples.groupby("group"):
        name, printed = classes[group], _printed(table1, classes[group])
        mean = table[f"p_{name}"].mean()
        rows.append(
            {
                "texts of class": name,
                "texts": number(len(table)),
                "mean P(own class)": number(mean),
                "room to rise": signed(1 - mean),
                "paper's change": signed(printed),
                "possible here": "" if pd.isna(printed) else "yes" if printed <= 1 - mean else "no",
                f"mean P({classes[0]})": unsigned(table[f"p_{classes[0]}"].mean()),
            }
        )
    return html_table(rows, say("headroom"), text=("texts of class", "possible here"))


def explanation(
    summary: pd.DataFrame, samples: pd.DataFrame, classes: Sequence[str], table1: pd.DataFrame, settings: dict
) -> Markup:
    """Why table 1 can show a large fall in one column and large rises in all others."""
    margin, printed = settings["statistics"]["margin"], table1.set_index("block").loc[FIRST]
    alpha = alpha_of(settings["statistics"])
    code, text = (whole_blocks(summary, *which).query("block == @FIRST and group != @ALL") for which in (CODE, TEXT))
    agreeing, shown = signs_as_predicted(code, classes[0], alpha)
    changed = [row for row in text.to_dict("records") if is_a_change(row, alpha)]
    return say(
        "explanation",
        confidence=samples["confidence"].mean(),
        rise=printed.max(),
        risen=printed.idxmax(),
        first=classes[0],
        code=code["change"],
        agreeing=agreeing,
        shown=shown,
        nothing=(code["verdict"] == "equivalent").all(),
        margin=margin,
        most=max(changed, key=lambda row: abs(row["change"]), default=None),
        repeated="published" in settings["masking"]["block_conditions"],
    )


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
        {"block": block} | {title: _plain_change(found.loc[block], alpha) for title, found in effects.items()}
        for block in next(iter(effects.values())).index
    ]
    return html_table(rows, say("condition_table", alpha=alpha))


def pair_findings(pairs: pd.DataFrame, summary: pd.DataFrame, alpha: float) -> Markup:
    """How the pairs of heads divide by verdict, and what such pairs cannot show; nothing without pairs."""
    margins = pairs[pairs["measure"] == "margin"]
    strongest, heads = None, {row[side] for row in _heads(margins) for side in (0, 1)}
    if len(margins):
        place, (low, high) = largest(*margins[["change", "low", "high"]].to_numpy(dtype=float).T, alpha)
        strongest = margins.iloc[place].to_dict() | {"low": low, "high": high}
    chosen_by = chooses_pairs(set(summary.loc[summary["head"] != WHOLE_BLOCK, "condition"]))
    counts = margins["verdict"].value_counts()
    return say("pair_findings", counts=counts, heads=len(heads), strongest=strongest, chosen_by=chosen_by)


def pair_table(pairs: pd.DataFrame, alpha: float) -> Markup:
    """Every two of the costliest heads: what each does alone, both together, and the interaction with its verdict."""
    margins, accuracies = (pairs[pairs["measure"] == measure].to_dict("records") for measure in ("margin", "accuracy"))
    rows = [
        {
            "heads": f"{pair[0]} and {pair[1]}",
            "first alone": signed(margin["first"]),
            "second alone": signed(margin["second"]),
            "both": signed(margin["together"]),
            "interaction": _change(margin, alpha),
            "verdict": badge(margin["verdict"]),
            "interaction in accuracy": _change(accuracy, alpha),
        }
        for pair, margin, accuracy in zip(_heads(pd.DataFrame(margins)), margins, accuracies, strict=True)
    ]
    return html_table(rows, say("pair_table", alpha=alpha), text=("heads", "verdict"))


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
            cells |= {title: _change(effect, alpha), f"verdict on {measure}": _verdict(effect)}
        rows.append(cells)
    margins = {measure: table["equivalence_margin"].iloc[0] for measure, table in tables.items()}
    caption = say("block_table", alpha=alpha, margins=margins)
    return html_table(rows, caption, text=[f"verdict on {measure}" for measure in TITLES])


def verdict_table(summary: pd.DataFrame, measure: str, caption: str) -> Markup:
    """Rows are silenced blocks, columns classes, cells the verdict on "no effect" and the detectable change."""
    rows = _by_class(summary, "described", measure, _verdict)
    return html_table(rows, caption, text=[name for name in rows[0] if name != "block"])


def full_table(summary: pd.DataFrame, condition: str, measure: str, alpha: float, caption: str) -> Markup:
    """Rows are blocks, columns classes, cells changes with intervals, in bold where they survive FDR control."""
    rows = _by_class(summary, condition, measure, partial(_change, alpha=alpha))
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
            **{title: _change(effects.get((block, head, measure)), alpha) for measure, title in TITLES.items()},
        }
        for block, head in strongest_heads(summary, count)
    ]
    return html_table(rows, say("head_table", count=len(rows)))


def all_but(summary: pd.DataFrame, classes: Sequence[str], table2: pd.DataFrame) -> Markup:
    """Every attention block but the first silenced: the paper's table 2 beside both procedures here."""
    paper = table2.set_index("label")["difference"]
    columns = {
        f"authors' code: P({classes[0]})": _first_block(summary, *CODE),
        "paper's text: P(own class)": _first_block(summary, *TEXT),
        "paper's text: accuracy": _first_block(summary, "described", "accuracy"),
    }
    rows = [
        {
            "texts of class": name,
            "paper, table 2": signed(paper[name]) if name in paper else "",
            **{title: _change(effects.get(name)) for title, effects in columns.items()},
        }
        for name in [*groups_of(summary), ALL]
    ]
    return html_table(rows, say("all_but", block=FIRST), text=("texts of class",))


def controls(truth: dict, samples: pd.DataFrame, masks: pd.DataFrame, statistics: dict) -> list:
    """Planted sentences that only composition of words can solve should need attention more than the others."""
    found = composition_effect(samples, masks, truth["ids"]["negation"] + truth["ids"]["contrast"], statistics)
    planted = "Negations and contrasts, whose meaning lies in how words combine, so they should need attention most."
    if found is None:
        return [{"planted": planted, "found": "no such text among the confident ones", "verdict": "cannot tell"}]
    return [{"planted": planted, "found": say("composition", found=found), "verdict": found["verdict"]}]


def _conditions(summary: pd.DataFrame, part: str) -> dict[str, str]:
    """The conditions under which a part of whole blocks was replaced, and what was put in place, in words."""
    there = set(summary.loc[summary["head"] == WHOLE_BLOCK, "condition"])
    chosen = {name: one for name, one in BLOCKS.items() if one.part == part and one.by in IN_PLACE and name in there}
    return {name: IN_PLACE[one.by] for name, one in chosen.items()}


def _heads(pairs: pd.DataFrame) -> list[tuple[str, str]]:
    """Both heads of each pair, by block and head."""
    return [
        (f"{row['first_block']}.{row['first_head']}", f"{row['second_block']}.{row['second_head']}")
        for row in pairs.to_dict("records")
    ]


def _first_block(summary: pd.DataFrame, condition: str, measure: str) -> dict[str, dict]:
    """The effects of the first block, by the class of the texts."""
    return whole_blocks(summary, condition, measure).query("block == @FIRST").set_index("group").to_dict("index")


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
        {"block": block} | {name: make(part.get(name)) for name in groups}
        for block, rows in effects.groupby("block")
        for part in [rows.set_index("group").to_dict("index")]
    ]


def _blocks(numbers: Sequence[int]) -> str:
    """Blocks in words."""
    return f"block{'s' if len(numbers) > 1 else ''} {listed(numbers)}" if len(numbers) else "no block"


def _printed(table1: pd.DataFrame, name: str) -> float:
    return table1.set_index("block")[name].get(FIRST, np.nan) if name in table1 else np.nan


def _change(row: Mapping | pd.Series | None, alpha: float = 0.0) -> Markup:
    """A change with its interval, in bold if it is one: see `is_a_change`."""
    return cell(row, value="change", strong=row is not None and is_a_change(row, alpha))


def _plain_change(row: pd.Series, alpha: float) -> Markup:
    """A change without its interval, in bold if it is one: see `is_a_change`."""
    shown = Markup("{}").format(signed(row["change"]))
    return Markup("<strong>{}</strong>").format(shown) if is_a_change(row, alpha) else shown


def _verdict(row: Mapping | pd.Series) -> Markup:
    """The verdict on "no effect" and, after it, the smallest effect that the texts probably show."""
    return Markup('{} <span class="interval">{}</span>').format(badge(row["verdict"]), unsigned(row["detectable"]))
