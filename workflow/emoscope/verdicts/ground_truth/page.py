"""What the ground truth page says: what was planted, and what each run finds of it."""

import pandas as pd
from markupsafe import Markup

from emoscope.data.planted.labels import GAPS
from emoscope.reporting.html import badge, cell, html_table, number, planted_box
from emoscope.reporting.passages import passage

OPEN = "cannot tell"
SENTENCES = {
    "ambiguous": "in ambiguous sentences",
    "encounter": "in encounters",
    "emotion word": "beside an emotion word",
}


def main_result(table: pd.DataFrame) -> Markup:
    """The headline: how many runs find the planted gaps, and how many see something that is not there."""
    race, synonyms, masks = (table[table["axis"] == axis] for axis in ("race", "synonyms", "masking"))
    absent, words = race[race["where"] != GAPS["race"].kind], synonyms[synonyms["expected"] > 0]
    others, seen = synonyms[synonyms["expected"] == 0], absent.loc[absent["verdict"] == "missed", "run"]
    return passage(
        "ground_truth",
        "main_result",
        runs=table["run"].nunique(),
        gaps=[(axis, *_counted(gap_rows(table, axis))) for axis in GAPS],
        race=len(absent),
        race_seen=seen.nunique(),
        race_open=absent.loc[(absent["verdict"] == OPEN) & ~absent["run"].isin(seen), "run"].nunique(),
        misleading=len(words),
        flagged=(words["verdict"] == "found").sum(),
        masks=len(masks),
        composed=(masks["verdict"] == "found").sum(),
        masks_open=(masks["verdict"] == OPEN).sum(),
        others=(others["verdict"] == "missed").sum(),
        others_open=(others["verdict"] == OPEN).sum(),
    )


def gap_rows(table: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The controls on the sentences in which a gap is planted on an axis, or its absence."""
    return table[(table["axis"] == axis) & (table["where"] == GAPS[axis].kind)]


def _counted(rows: pd.DataFrame) -> tuple[int, ...]:
    """How many runs have a planted gap, find its sign, cover its size; how many have none, and see one all the same."""
    planted, nil = rows[rows["expected"] > 0], rows[rows["expected"] == 0]
    covered = planted["expected"].between(planted["low"], planted["high"])
    seen = (nil["low"] > 0) | (nil["high"] < 0)
    return len(planted), (planted["low"] > 0).sum(), covered.sum(), len(nil), seen.sum()


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


def gaps(table: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The gaps on an axis as `name, series, value, low, high, expected`, for a forest plot."""
    rows = table[(table["axis"] == axis) & table["where"].isin([GAPS[axis].kind, "emotion word"])]
    series = rows["where"].map(SENTENCES)
    return rows.assign(name=rows["run"], series=series)[["name", "series", "value", "low", "high", "expected"]]
