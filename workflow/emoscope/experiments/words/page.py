"""What the page on deciding words says: tables, sentences, and the texts of its viewer."""

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.data.planted.shortcuts import SHORTCUT
from emoscope.experiments.words.figures import extremes
from emoscope.experiments.words.methods import LONGEST, METHODS, PLANTED, RANDOM, TITLES, TOLERANCE
from emoscope.experiments.words.overall import MORE, UNSUPPORTED, counted
from emoscope.experiments.words.ranking import AREA, DECIDING, ERROR, IMPARTIAL, best_method, best_ranked, marked_titles
from emoscope.experiments.words.scores import methods_in
from emoscope.experiments.words.viewer import REST
from emoscope.perturbation.pairs import countable, scored
from emoscope.reporting.html import cell, estimate, html_table, number, percent
from emoscope.reporting.passages import Findings, passage
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.storage.decisions import as_matrix, labelled, right, truth_of

say = partial(passage, "words")
SHOWN = 3000  # texts in the viewer at most, so that the page stays below some 10 MB
LISTED = 10  # words that push a class most


def main_result(ranking: pd.DataFrame, faithful: pd.DataFrame, barred: Mapping[str, float]) -> Markup:
    """The headline: which method is believed, none `barred`, and why; by the planted words, where these are known."""
    named = {
        measure: {row["method"]: row for row in ranking[ranking["measure"] == measure].to_dict("records")}
        for measure in ("top", DECIDING, SHORTCUT)
    }
    return say(
        "main_result",
        first=best_ranked(ranking, [name for name in METHODS if name not in barred]),
        best=best_method(ranking, faithful, barred),
        barred=[marked_titles(barred)[name] for name in barred],
        titles=TITLES,
        tops=named["top"],
        precisions=named[DECIDING],
        shortcuts=named[SHORTCUT],
        areas=(areas := _areas(faithful)),
        tolerance=TOLERANCE,
        random=RANDOM,
        planted=PLANTED in areas,
        methods=sum(name in METHODS and name not in barred for name in areas),
    )


def ranking_table(ranking: pd.DataFrame, titles: Mapping[str, str]) -> Markup:
    """How high each method puts the planted words, and how often a shortcut, if there are any."""
    by_method = ranking.set_index(["method", "measure"])
    shown = {measure: title for measure, title in _ORDERED.items() if (ranking["measure"] == measure).any()}
    rows = [
        {
            "method": titles[name],
            **{title: cell(by_method.loc[(name, measure)], percent) for measure, title in shown.items()},
            "texts": number(int(by_method.loc[name]["texts"].iloc[0])),
        }
        for name in dict.fromkeys(ranking["method"])
    ]
    first = ranking.drop_duplicates("measure").set_index("measure")
    caption = say("ranking", chances=first["chance"].to_dict(), texts=first["texts"].to_dict(), shortcut=SHORTCUT)
    return html_table(rows, caption, text=("method",))


_ORDERED = {
    "top": "top word is planted",
    "precision": "planted among as many top words",
    "average_precision": "average precision",
    SHORTCUT: "top word is the shortcut",
}


def faithful_table(faithful: pd.DataFrame, kind: str, titles: Mapping[str, str]) -> Markup:
    """How faithful each method is when words are taken away in one way; beside a random order, by how much better."""
    own = faithful[faithful["kind"] == kind]
    rows = []
    for name, of_method in own.groupby("method", sort=False):
        at = of_method.set_index("measure").loc
        rows.append(
            {
                "method": titles[name],
                "comprehensiveness": cell(at["comprehensiveness"]),
                "sufficiency": cell(at["sufficiency"]),
                "above random": estimate(*at["comprehensiveness", ["above", "above_low", "above_high"]]),
                "deletion": number(at["deletion", "value"], 2),
                "insertion": number(at["insertion", "value"], 2),
                "area between": cell(at[AREA], number),
                "infidelity": cell(at["infidelity"]),
                "texts": number(int(at["comprehensiveness", "texts"])),
            }
        )
    return html_table(rows, say("faithful", kind=kind), text=("method",))


def sound_table(findings: pd.DataFrame) -> Markup:
    """Of methods by gradients: whether scores account for the whole difference, and whether they stay under noise."""
    found = Findings(findings)

    def told(name: str, form: Callable[[float], str]) -> str:
        one = found.get(name)
        return "cannot be told" if one is not None and np.isnan(one["value"]) else cell(one, form)

    rows = [
        {
            "method": TITLES[name],
            "completeness error": told(f"{ERROR}{name}", partial(percent, digits=2)),
            "texts that took more steps": told(f"refined.{name}", partial(number, digits=0)),
            "change under noise": percent(found.value(f"unsteadiness.{name}")),
        }
        for name in METHODS
        if f"unsteadiness.{name}" in found
    ]
    return html_table(rows, say("sound", tolerance=TOLERANCE), text=("method",))


def push_table(overall: pd.DataFrame, classes: Sequence[str]) -> Markup:
    """The words that push each class up and down most."""
    rows = [
        {
            "class": row["class"],
            "word": row["word"],
            "mean push": cell(row),
            "pushes it up in": f"{number(int(row['up']))} of {number(int(row['texts']))}",
            "of the training part with it": estimate(row["share"], row["share_low"], row["share_high"], percent),
            "of that without it": percent(row["others_share"]),
            "borne out?": row["verdict"],
        }
        for name in classes
        for row in extremes(overall[overall["class"] == name], LISTED).to_dict("records")
    ]
    return html_table(rows, say("pushes", fewest=FEWEST_CLUSTERS, more=MORE), text=("class", "word", "borne out?"))


def push_sentences(overall: pd.DataFrame, smallest: float, alpha: float, adopted: bool) -> Markup:
    """Which words are shown to push a class up, by more than `smallest` of its log-odds, and which of these the
    training part does not bear out; an `adopted` classifier was not trained on that."""
    found = overall[overall["verdict"] == UNSUPPORTED]
    told = [f"{word} ({kind})" for word, kind in zip(found["word"], found["class"], strict=True)]
    tests = len(overall)
    needed = max(int(np.ceil(np.log2(tests / alpha))), FEWEST_CLUSTERS) if tests else 0
    values = {"told": told, "tests": tests, "needed": needed, "smallest": smallest, "alpha": alpha, "adopted": adopted}
    return say("push_sentences", **values, **counted(overall))


def group_table(groups: pd.DataFrame) -> Markup:
    """What the words that name people of either group do to each class."""
    rows = [
        {"axis": row["axis"], "words for": row["group"], "class": row["class"], "mean push": cell(row)}
        | {"texts": number(int(row["texts"]))}
        for row in groups.to_dict("records")
    ]
    return html_table(rows, say("groups", fewest=FEWEST_CLUSTERS), text=("axis", "words for", "class"))


def flip_table(flips: pd.DataFrame) -> Markup:
    """Whether words whose change moves the answer rank high, of those axes of which that can be told."""
    known = (flips["moved"] > 0) | flips["correlation"].notna()
    rows = [
        {
            "axis": row["axis"],
            "method": TITLES[row["method"]],
            "rank correlation": number(row["correlation"], 2),
            "rank where the answer moves": percent(row["rank_moved"], 0),
            "elsewhere": percent(row["rank_others"], 0),
            "pairs that move it": f"{row['moved']} of {row['pairs']}",
        }
        for row in flips[known].to_dict("records")
    ]
    still = list(flips.loc[~known & (flips["pairs"] > 0), "axis"].unique())
    return html_table(rows, say("flips", still=still), ("axis", "method")) or say("still", still=still)


def curve_methods(faithful: pd.DataFrame, barred: Container[str]) -> list[str]:
    """Whose curves are drawn: the best of each kind by area, none `barred`, a random order and any planted words."""
    areas = _areas(faithful)
    kinds: dict[str, str] = {}
    for name in areas:
        if name in METHODS and name not in barred:
            kinds.setdefault(METHODS[name].kind, name)
    return [*kinds.values(), *(name for name in (PLANTED, RANDOM) if name in areas)]


def _areas(faithful: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """By method, the largest first, the area between insertion and deletion that methods are chosen by."""
    own = faithful[(faithful["kind"] == IMPARTIAL) & (faithful["measure"] == AREA)]
    return {row["method"]: row for row in own.sort_values("value", ascending=False).to_dict("records")}


def told_texts(tables: SimpleNamespace, axes: Sequence[str], classes: Sequence[str]) -> list[dict[str, Any]]:
    """What the viewer says of each text: confident mistakes first, then the surest of the others."""
    texts = tables.texts
    said, true = as_matrix(texts["pred"], len(classes)), truth_of(texts, len(classes))
    known, correct = labelled(texts), right(texts, said)
    texts = texts.assign(place=np.arange(len(texts)), mistake=known & ~correct)
    texts = texts.sort_values(["mistake", "confidence"], ascending=False, kind="stable").head(SHOWN)
    flips = flips_of(tables, axes, set(texts["id"]), classes)

    def names(row: np.ndarray) -> list[str]:
        return [classes[number] for number in np.flatnonzero(row)]

    return [
        {
            "id": row["id"],
            "text": row["text"],
            "said": names(said[row["place"]]),
            "true": names(true[row["place"]]) if known[row["place"]] else None,
            "mistake": bool(row["mistake"]),
            "confidence": round(float(row["confidence"]), 4),
            "probabilities": [round(float(row[f"p_{name}"]), 4) for name in classes],
            "flips": flips.get(row["id"], []),
        }
        for row in texts.to_dict("records")
    ]


def left_out(texts: pd.DataFrame) -> Markup:
    """How many explained texts the viewer does not hold, if any."""
    return say("left_out", texts=len(texts), shown=SHOWN) if len(texts) > SHOWN else Markup()


def cut_texts(texts: pd.DataFrame, scores: pd.DataFrame) -> Markup:
    """Of how many explained texts the end was left out, if of any."""
    cut = int((texts["text"].str.len() - texts["id"].map(scores.groupby("id")["end"].max()) >= REST).sum())
    return say("cut", cut=cut, texts=len(texts), longest=LONGEST) if cut else Markup()


def flips_of(
    tables: SimpleNamespace, axes: Sequence[str], ids: set[int], classes: Sequence[str]
) -> Mapping[int, list[dict[str, Any]]]:
    """By text, its flips, as `viewer_data` wants them."""
    found: dict[int, list[dict[str, Any]]] = {}
    for axis in axes:
        pairs = scored(getattr(tables, f"{axis}_pairs"), getattr(tables, f"{axis}_scores"))
        pairs = pairs[(pairs["origin"] == "natural") & pairs["id"].isin(ids) & countable(pairs)]
        for pair in pairs.to_dict("records"):
            after = [round(float(pair[f"after_{name}"]), 4) for name in classes]
            changed = [[int(start), int(end)] for _, _, start, end in pair["spans"]]
            told = {"axis": axis, "text": pair["perturbed"], "changed": changed, "probabilities": after}
            found.setdefault(pair["id"], []).append(told)
    return found


def missing_methods(scores: pd.DataFrame) -> list[str]:
    """The methods that this model does not allow, by their titles."""
    return [TITLES[name] for name in METHODS if name not in methods_in(scores)]
