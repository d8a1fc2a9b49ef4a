"""What the masking report holds against the paper's tables 1 and 2: the procedure of its text, and that of its code."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.masking.cells import change_cell
from emoscope.experiments.masking.readings import (
    CODE,
    FIRST,
    TEXT,
    by_block,
    groups_of,
    is_a_change,
    signs_as_predicted,
    whole_blocks,
)
from emoscope.reporting.html import html_table, number, signed, unsigned
from emoscope.reporting.passages import passage
from emoscope.statistics.settings import alpha_of
from emoscope.storage.names import ALL

say = partial(passage, "masking")


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
            f"authors' code: P({classes[0]})": change_cell(code.get(name)),
            "paper's text: P(own class)": change_cell(text.get(name)),
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
            **{title: change_cell(effects.get(name)) for title, effects in columns.items()},
        }
        for name in [*groups_of(summary), ALL]
    ]
    return html_table(rows, say("all_but", block=FIRST), text=("texts of class",))


def _first_block(summary: pd.DataFrame, condition: str, measure: str) -> dict[str, dict]:
    """The effects of the first block, by the class of the texts."""
    return whole_blocks(summary, condition, measure).query("block == @FIRST").set_index("group").to_dict("index")


def _printed(table1: pd.DataFrame, name: str) -> float:
    return table1.set_index("block")[name].get(FIRST, np.nan) if name in table1 else np.nan
