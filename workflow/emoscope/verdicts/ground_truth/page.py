"""What the ground truth page says: what was planted, and what each run finds of it."""

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import badge, estimate, headline, html_table, number, planted_box


def main_result(table: pd.DataFrame) -> Markup:
    """The headline: how many runs find the planted gap, and how many see something that is not there."""
    gender, race, synonyms = (table[table["axis"] == axis] for axis in ("gender", "race", "synonyms"))
    runs, parts = table["run"].nunique(), ["Runs on generated corpora: {runs}."]
    if len(gender):
        parts.append(
            "In {right} of {runs} the planted gender gap is found with the right sign, in {covered} its interval "
            "covers the planted size."
        )
    if len(race):
        parts.append("In {race} of {runs} an effect of race is seen, which is absent.")
    parts.append("Of {n} misleading synonyms {words} are flagged; other words are flagged in {others} of {runs}.")
    gap, words = gender[gender["expected"] > 0], synonyms[synonyms["expected"] > 0]
    return headline(
        " ".join(parts),
        runs=runs,
        right=int((gap["low"] > 0).sum()),
        covered=int(((gap["low"] <= gap["expected"]) & (gap["expected"] <= gap["high"])).sum()),
        race=race.loc[race["verdict"] == "missed", "run"].nunique(),
        n=len(words),
        words=int((words["verdict"] == "found").sum()),
        others=int(((synonyms["expected"] == 0) & (synonyms["verdict"] == "missed")).sum()),
    )


def box(table: pd.DataFrame) -> Markup:
    """The controls of one run, as the box that a report opens with."""
    return planted_box(
        {
            "planted": row["planted"],
            "found": Markup("{}, {} texts{}").format(
                estimate(row["value"], row["low"], row["high"]),
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
            "found": estimate(row["value"], row["low"], row["high"]),
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
