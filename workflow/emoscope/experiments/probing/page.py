"""What the page on probing says."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.probing.names import (
    ACCURACY,
    BAG,
    BY_WORD,
    CHANGED,
    DIMENSIONS,
    DIRECTION,
    DISTANCE,
    FEWEST_TYPES,
    GAP,
    HERE,
    LAST,
    LEAST,
    LOOKUP,
    MAJORITY,
    NOTHING,
    POOLED,
    RANDOM,
    RANDOM_BY_WORD,
    SENTENCES,
    WORD,
)
from emoscope.experiments.probing.verdict import LEFT, UNREAD, readable, verdict
from emoscope.reporting.findings import in_findings
from emoscope.reporting.html import cell, html_table, number, percent, signed
from emoscope.reporting.passages import Findings, passage
from emoscope.statistics.sample_size import texts_for_no_change
from emoscope.statistics.settings import alpha_of
from emoscope.storage.names import EVERYWHERE, NONE

say = partial(passage, "probing")
TITLES = {
    LEAST: "least change (LEACE)",
    BY_WORD: "least change, by word",
    DIRECTION: "directions between the means",
    DIMENSIONS: "largest dimensions",
    RANDOM: "random directions",
    RANDOM_BY_WORD: "random, as many as by word",
}
AT = {0: "the embeddings", EVERYWHERE: "every depth"}
WITHOUT = {
    MAJORITY: "the most frequent value",
    BAG: "a bag of words",
    LOOKUP: "the word itself",
}


def main_result(axes: list[str], readings: pd.DataFrame, findings: pd.DataFrame, statistics: Mapping) -> Markup:
    """The headline: whether the groups can be read where the classifier reads, and whether that is used; and whether
    what texts say as wholes can be."""
    found, margin, alpha = Findings(findings), statistics["margin"], alpha_of(statistics)
    rows = {axis: last_reading(readings, axis, POOLED) for axis in axes if f"{axis}.{DISTANCE}.{NOTHING}" in found}
    told = [
        {"axis": axis, "read": row, "cheapest": cheapest(readings, axis), **_told(axis, row, readings, found, alpha)}
        for axis, row in rows.items()
        if row is not None
    ]
    wholes = {concept: last_reading(readings, concept, POOLED) for concept in SENTENCES}
    sentences = [
        {"concept": concept, "read": row, "readable": readable(row), "controlled": pd.notna(row["control"]), "bag": bag}
        for concept, row in wholes.items()
        if row is not None
        for bag in [without_model(readings, concept)[BAG]]
    ]
    needed = texts_for_no_change(margin, alpha)
    return say("main_result", axes=told, sentences=sentences, without=WITHOUT, needed=needed, fewest=FEWEST_TYPES)


def _told(axis: str, row: pd.Series, readings: pd.DataFrame, found: Findings, alpha: float) -> dict:
    level, least = level_of(readings, axis), in_findings(LEAST)
    readability = readable(row)
    return {
        "readable": readability,
        "controlled": pd.notna(row["control"]),
        "asked": readability != UNREAD,
        "clusters": int(row["clusters"]),
        "verdict": verdict(axis, readability, level, found, alpha),
        "before": found[f"{axis}.{DISTANCE}.{NOTHING}"],
        "beyond": found.get(f"{axis}.beyond_neutral"),
        "erased": found[f"{axis}.embeddings.{DISTANCE}.{least}"],
        "random": found[f"{axis}.embeddings.{DISTANCE}.{in_findings(RANDOM)}"],
        "everywhere": found[f"{axis}.{DISTANCE}.{least}"],
        "moved": found[f"{axis}.answers_moved.{least}"],
        "lost": found.get(f"{axis}.embeddings.accuracy_lost.{least}"),
    }


def last_reading(readings: pd.DataFrame, concept: str, place: str) -> pd.Series | None:
    """What a probe reads at a place behind the last block."""
    rows = readings[(readings["concept"] == concept) & (readings["place"] == place)]
    return rows.loc[rows["depth"].idxmax()] if len(rows) else None


def level_of(readings: pd.DataFrame, concept: str) -> float:
    """How often the most frequent value is right."""
    return without_model(readings, concept)[MAJORITY]


def without_model(readings: pd.DataFrame, concept: str) -> pd.Series:
    """How often each method that needs no model is right."""
    return readings[(readings["concept"] == concept) & (readings["depth"] == NONE)].set_index("place")["right"]


def cheapest(readings: pd.DataFrame, concept: str) -> pd.Series:
    """What reads most without the model."""
    rows = readings[(readings["concept"] == concept) & (readings["depth"] == NONE)]
    return rows.loc[rows["right"].idxmax()]


def reading_table(readings: pd.DataFrame) -> Markup:
    """Each concept and place: what is read of the embeddings and behind the last block, beside what needs no model."""
    rows = []
    for (concept, place), own in readings[readings["depth"] != NONE].groupby(["concept", "place"], sort=False):
        first, last = (own.loc[own["depth"] == depth].iloc[0] for depth in (0, own["depth"].max()))
        without = without_model(readings, concept)
        rows.append(
            {
                "concept": concept,
                "where": place,
                "embeddings": cell(first, percent, "right"),
                "last block": cell(last, percent, "right"),
                "selectivity there": number(last["selectivity"]),
                **{name: percent(without[name]) if name in without else "" for name in (MAJORITY, BAG, LOOKUP)},
                "texts": number(int(last["texts"])),
            }
        )
    return html_table(rows, say("readings", fewest=FEWEST_TYPES), text=("concept", "where"))


def erased_table(axis: str, table: pd.DataFrame) -> Markup:
    """What becomes of answers and probes with each way of erasing, at the embeddings and at every depth."""
    known = table.set_index(["method", "depth", "measure"]).sort_index()
    ways = [(NOTHING, EVERYWHERE), *((method, depth) for method in TITLES for depth in AT)]
    rows = []
    for method, depth in ways:
        own = known.loc[method, depth]
        rows.append(
            {
                "erased": TITLES.get(method, NOTHING),
                "at": AT[depth] if method != NOTHING else "",
                "gap": cell(own.loc[GAP], signed),
                "distance": cell(own.loc[DISTANCE], number),
                "changed": cell(own.loc[CHANGED], percent),
                "accuracy": cell(own.loc[ACCURACY] if ACCURACY in own.index else None, percent),
                "read at the word": percent(own.loc[f"{WORD}, {HERE}", "value"]),
                "read at the end": percent(own.loc[f"{POOLED}, {LAST}", "value"]),
            }
        )
    return html_table(rows, say("erased", axis=axis, left=LEFT), text=("erased", "at"))


def class_of(axis: str, findings: pd.DataFrame) -> str:
    """The class whose gap is shown."""
    return Findings(findings).note(f"{axis}.{GAP}.{NOTHING}").rpartition("The class is ")[2].removesuffix(".")


def gap_of(axis: str, findings: pd.DataFrame) -> float:
    """How far flipping the words moves the probability of this class."""
    return Findings(findings).value(f"{axis}.{GAP}.{NOTHING}")


def left_out(texts: pd.DataFrame) -> Markup:
    """A sentence for each concept of which too few texts are known."""
    return Markup("\n").join(say("left_out", **row) for row in texts[~texts["probed"]].to_dict("records"))
