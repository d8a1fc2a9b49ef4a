"""What the page on dose and response says."""

from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.data.planted.labels import GAPS
from emoscope.reporting.html import badge, cell, estimate, html_table, number, percent, unsigned
from emoscope.reporting.passages import passage
from emoscope.verdicts.doses.summarise import TEMPLATES

say = partial(passage, "doses")
SENTENCES = {"ambiguous": "ambiguous sentences", "encounter": "encounters", TEMPLATES: TEMPLATES}


def main_result(lines: pd.DataFrame, power: pd.DataFrame) -> Markup:
    """The headline: of each axis the slope, and how often each size is flagged."""
    own = lines[lines["where"] != TEMPLATES]
    return say("main_result", axes=[(line, _flags(power, line)) for line in own.to_dict("records")])


def templates(lines: pd.DataFrame, power: pd.DataFrame) -> Markup:
    """Whether sentences from templates show what was planted in others."""
    rows = lines[lines["where"] == TEMPLATES]
    return say("templates", axes=[(line, _flags(power, line)) for line in rows.to_dict("records")])


def leaks(lines: pd.DataFrame) -> Markup:
    """Whether what is planted on one axis shows on the other."""
    return say("leaks", lines=lines[(lines["where"] != TEMPLATES) & lines["leak"].notna()].to_dict("records"))


def _flags(power: pd.DataFrame, line: dict) -> list[dict]:
    return power[(power["axis"] == line["axis"]) & (power["where"] == line["where"])].to_dict("records")


def lines_table(lines: pd.DataFrame) -> Markup:
    """The lines of all axes and kinds of text."""
    rows = [
        {
            "axis": row["axis"],
            "texts": SENTENCES[row["where"]],
            "slope": cell(row, unsigned, "slope"),
            "slope on the other axis": estimate(row["leak"], row["leak_low"], row["leak_high"]),
            "runs": number(int(row["runs"])),
            "seeds": number(int(row["seeds"])),
            "at its size?": badge(row["verdict"]) if row["where"] != TEMPLATES else "",
        }
        for row in lines.to_dict("records")
    ]
    return html_table(rows, say("lines_table"), text=("axis", "texts", "at its size?"))


def power_table(power: pd.DataFrame) -> Markup:
    """At each size, how many runs flag it."""
    rows = [
        {
            "axis": row["axis"],
            "texts": SENTENCES[row["where"]],
            "configured size": unsigned(row["size"]),
            "runs": number(int(row["runs"])),
            "flagged": number(int(row["flagged"])),
            "share": cell(row, percent),
            "": "power" if row["size"] else "false alarms",
        }
        for row in power.to_dict("records")
    ]
    return html_table(rows, say("power_table"), text=("axis", "texts", ""))


def points_table(points: pd.DataFrame) -> Markup:
    """Every run: planted, found in the sentences where it was planted, found in the templates."""
    own = points[points["where"] != TEMPLATES]
    beside = points[points["where"] == TEMPLATES].set_index(["axis", "run"]).to_dict("index")
    rows = [
        {
            "axis": row["axis"],
            "run": row["run"],
            "seed": number(int(row["seed"])),
            "planted": unsigned(row["planted"]),
            "found": cell(row),
            "in the templates": cell(beside.get((row["axis"], row["run"]))),
            "": "flagged" if row["flagged"] else "",
        }
        for row in own.sort_values(["axis", "planted", "seed"]).to_dict("records")
    ]
    return html_table(rows, say("points_table", gaps=GAPS), text=("axis", "run", ""))
