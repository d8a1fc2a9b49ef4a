"""What the page on features says."""

from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.features.names import (
    ACCURACY,
    ACTS,
    AGREEMENT,
    AS_MUCH,
    AUTOENCODER,
    DOES_NOT,
    EXPLAINED,
    FEATURE,
    LESS,
    MEAN,
    MEANS,
    MODEL,
    MORE,
    NOT_TOLD,
    ORIGINAL,
    RANDOM,
    STAYS,
    SWITCHED,
    TOKEN,
)
from emoscope.experiments.features.summarise import BEYOND_MEANS, BEYOND_RANDOM
from emoscope.reporting.html import badge, cell, html_table, marked, number, p_value, percent, signed
from emoscope.reporting.passages import Findings, passage

say = partial(passage, "features")
TITLES = {
    ORIGINAL: "as it is",
    AUTOENCODER: "the autoencoder's reconstruction",
    TOKEN: "the mean of the same token",
    MEAN: "the mean of all tokens",
}
ACTING, IDLE, OPEN = "features act", "none of the features acts", "that features act is not shown"
MOST_SWITCHED = 12  # features in a table


def main_result(effects: pd.DataFrame, cards: pd.DataFrame, findings: pd.DataFrame, axes: list[str]) -> Markup:
    """The headline: whether features act, beside the cheapest direction; what the autoencoder explains; what flips
    switch."""
    found, verdicts = Findings(findings), verdicts_of(effects, BEYOND_RANDOM)
    if f"{EXPLAINED}.{AUTOENCODER}" not in found:
        return say("refused")
    beside = verdicts_of(effects, BEYOND_MEANS)
    versus = {word: int((beside == word).sum()) for word in (MORE, AS_MUCH, LESS, NOT_TOLD)}
    return say(
        "main_result",
        chosen=len(cards),
        active=len(verdicts),
        acting=int((verdicts == ACTS).sum()),
        verdict=verdict(verdicts),
        versus=versus,
        explained={way: found[f"{EXPLAINED}.{way}"] for way in (AUTOENCODER, TOKEN)},
        twin=found[f"{EXPLAINED}.{AUTOENCODER}.random_weights"],
        switched={axis: switched_of(axis, found) for axis in axes if f"{axis}.switched" in found},
    )


def switched_of(axis: str, found: Findings) -> list[int]:
    """How many features flips are shown to switch, in the model and in that with random weights."""
    return [int(found.value(f"{axis}.switched{where}")) for where in ("", ".random_weights")]


def verdicts_of(effects: pd.DataFrame, measure: str) -> pd.Series:
    """Verdicts by feature."""
    return effects[effects["measure"] == measure].set_index("feature")["verdict"]


def verdict(verdicts: pd.Series) -> str:
    """On all of the features: one that acts is enough, by p values adjusted over them; that none does needs each."""
    if (verdicts == ACTS).any():
        return ACTING
    return IDLE if len(verdicts) and (verdicts == DOES_NOT).all() else OPEN


def replaced_table(replaced: pd.DataFrame) -> Markup:
    """What is explained of the stream, and what becomes of the answers with it replaced."""
    known = replaced.set_index(["weights", "way", "measure"])
    rows = []
    for weights, way in dict.fromkeys(zip(replaced["weights"], replaced["way"], strict=True)):
        own = known.loc[weights, way]
        rows.append(
            {
                "weights": weights,
                "read in place of the stream": TITLES[way],
                EXPLAINED: cell(own.loc[EXPLAINED], percent) if EXPLAINED in own.index else "",
                "same answer": cell(own.loc[AGREEMENT], percent),
                "right answer": cell(own.loc[ACCURACY], percent),
                "texts": number(int(own["texts"].iloc[0])),
            }
        )
    return html_table(rows, say("replaced"), text=("weights", "read in place of the stream"))


def beside_token(findings: pd.DataFrame) -> Markup:
    """How far the autoencoder is above the mean of the same token, how many features are dead."""
    found = Findings(findings)
    gaps = {measure: found[f"{measure}.beyond_token"] for measure in (EXPLAINED, AGREEMENT)}
    return say("beside_token", gaps=gaps, dead=found.value("dead"), active=found.value("active"))


def effects_table(effects: pd.DataFrame, random: int) -> Markup:
    """By how much the probability of its class falls without each feature, beside other directions, of which so many
    are `random`, with verdicts."""
    rows = []
    for (feature, label), own in effects.groupby(["feature", "class"], sort=False):
        of = own.set_index("measure")
        rows.append(
            {
                "feature": feature,
                "class": label,
                "verdict": badge(of.loc[BEYOND_RANDOM, "verdict"]),
                "texts": number(int(own["texts"].iloc[0])),
                "without it": cell(of.loc[FEATURE], signed),
                "random directions": cell(of.loc[RANDOM], signed),
                "between the means": cell(of.loc[MEANS], signed),
                "p (adjusted)": p_value(of.loc[BEYOND_RANDOM, "p_adjusted"]),
                "beside the means": of.loc[BEYOND_MEANS, "verdict"],
            }
        )
    return html_table(rows, say("effects", random=random), text=("class", "verdict", "beside the means"))


def cards(cards: pd.DataFrame, texts: pd.DataFrame) -> Markup:
    """What is known of each feature, and the texts that activate it most, with the token marked where they do."""
    rows = []
    for row in cards.to_dict("records"):
        top = texts[texts["feature"] == row["feature"]].sort_values("place").to_dict("records")
        shown = [marked(text["text"], [(text["start"], text["end"])]) for text in top]
        rows.append(
            {
                "feature": row["feature"],
                "class": row["class"],
                "active": percent(row["rate"]),
                "told by the token": percent(row["by_token"]),
                "in other seeds": number(row["match"], 2),
                "random direction": number(row["random_match"], 2),
                "texts that activate it most": Markup("<br>").join(shown),
            }
        )
    return html_table(rows, say("cards"), text=("class", "texts that activate it most"))


def switched_table(axis: str, switched: pd.DataFrame, findings: pd.DataFrame) -> Markup:
    """The model's features that flips of an axis switch most; how many flips of it are left out."""
    found = Findings(findings)
    left = int(found.value(f"{axis}.left_out")) if f"{axis}.left_out" in found else 0
    if switched.empty:
        return say("no_flips", axis=axis, left_out=left)
    switched = switched[switched["weights"] == MODEL]
    order = switched["value"].abs().sort_values(ascending=False, kind="stable").index[:MOST_SWITCHED]
    rows = [
        {
            "feature": row["feature"],
            "more often with the first group": cell(row, signed),
            "p (adjusted)": p_value(row["p_adjusted"]),
            "verdict": badge(row["verdict"]),
            "flips that switch it": percent(row["flips"]),
            "neutral swaps that do": percent(row["neutral"]),
        }
        for row in switched.loc[order].to_dict("records")
    ]
    counts = {word: int((switched["verdict"] == word).sum()) for word in (SWITCHED, STAYS)}
    first = switched.iloc[0]
    caption = say(
        "switched",
        axis=axis,
        features=len(switched),
        shown=len(rows),
        pairs=int(first["pairs"]),
        swaps=int(first["swaps"]),
        twin=switched_of(axis, found)[1],
        left_out=left,
        **counts,
    )
    return html_table(rows, caption, text=("verdict",))
