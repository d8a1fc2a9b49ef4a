"""What the ground truth page says: what was planted, and what each run finds of it."""

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import badge, cell, html_table, number, planted_box
from emoscope.reporting.passages import passage


def main_result(table: pd.DataFrame) -> Markup:
    """The headline: how many runs find the planted gap, and how many see something that is not there."""
    gender, race, synonyms = (table[table["axis"] == axis] for axis in ("gender", "race", "synonyms"))
    gap, words = gender[gender["expected"] > 0], synonyms[synonyms["expected"] > 0]
    return passage(
        "ground_truth",
        "main_result",
        runs=table["run"].nunique(),
        gender=len(gender),
        right=(gap["low"] > 0).sum(),
        covered=gap["expected"].between(gap["low"], gap["high"]).sum(),
        race=len(race),
        race_seen=race.loc[race["verdict"] == "missed", "run"].nunique(),
        misleading=len(words),
        flagged=(words["verdict"] == "found").sum(),
        others=((synonyms["expected"] == 0) & (synonyms["verdict"] == "missed")).sum(),
    )


def box(table: pd.DataFrame) -> Markup:
    """The controls of one run, as the box that a report opens with."""
    return planted_box(
        {
            "planted": row["planted"],
            "found": Markup("{}, {} texts{}").format(
                cell(row),
                number(int(row["texts"])),
                f"; {row['note']}" if isinstance(row["note"], str) and row["note"] else "",
            ),
            "verdict": row["verdict"],
        }
        for row in table.to_dict("records")
    )


def controls(table: pd.DataFrame) -> Markup:
    """Every control of every run."""
    rows = [
        {
            "run": row["run"],
            "planted": row["planted"],
            "found": cell(row),
            "texts": number(int(row["texts"])),
            "remark": row["note"] if isinstance(row["note"], str) else "",
            "verdict": badge(row["verdict"]),
        }
        for row in table.to_dict("records")
    ]
    return html_table(rows, "All controls, run by run.", text=("run", "planted", "remark", "verdict"))


def gaps(table: pd.DataFrame) -> pd.DataFrame:
    """The gender gaps as `name, series, value, low, high, expected`, for a forest plot."""
    rows = table[table["axis"] == "gender"]
    series = (rows["expected"] > 0).map({True: "in ambiguous sentences", False: "beside an emotion word"})
    return rows.assign(name=rows["run"], series=series)[["name", "series", "value", "low", "high", "expected"]]
