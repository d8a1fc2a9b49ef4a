"""What the flips report says: tables and sentences over the flipped pairs of each axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.flips.axes import AXES
from emoscope.perturbation.pair_tables import ORIGINS, beyond, control_texts, found, pair_texts
from emoscope.perturbation.pairs import CONTROL_OF, CONTROLS, LARGE, countable, largest_change, scored
from emoscope.reporting.html import (
    estimate,
    headline,
    html_table,
    listed,
    number,
    percent,
    plural,
    prose,
    signed,
    unsigned,
)
from emoscope.statistics.rates import minimum_detectable_rate

SITES = {"residual": "residual stream", "attention": "output of the attention"}


@dataclass(frozen=True)
class Flip:
    """The tables of one axis; `pairs` are flips that count, with their scores; `all_pairs` hold others and controls."""

    axis: str
    all_pairs: pd.DataFrame
    pairs: pd.DataFrame
    summary: pd.DataFrame
    traces: pd.DataFrame


def flips_of(tables: SimpleNamespace, axes: Sequence[str]) -> dict[str, Flip]:
    """The tables of every axis, from those that the notebook loaded."""
    result = {}
    for axis in axes:
        pairs, scores, summary, traces = (
            getattr(tables, f"{axis}_{kind}") for kind in ("pairs", "scores", "summary", "traces")
        )
        flipped = pairs[countable(pairs) & ~pairs["origin"].isin(CONTROLS)]
        result[axis] = Flip(axis, pairs, scored(flipped, scores), summary, traces)
    return result


def kinds(flips: Mapping[str, Flip]) -> dict[tuple[str, str], pd.DataFrame]:
    """The summaries by axis and origin; the paper's own two pairs are shown apart and left out."""
    return {
        (axis, ORIGINS[origin]): rows
        for axis, flip in flips.items()
        for origin, rows in flip.summary.groupby("origin", sort=False)
        if origin != "published"
    }


def main_result(flips: Mapping[str, Flip]) -> Markup:
    """The headline: how many predictions a flip changes, axis by axis, and whether neutral words do the same."""
    parts = []
    for (axis, origin), summary in kinds(flips).items():
        rate, (texts, _) = estimate(*found(summary, "changed"), form=percent), control_texts(summary)
        parts.append(Markup("{} {} of {} {}, {}").format(axis, rate, number(texts), origin, beyond(summary)))
    return headline(
        "Predictions that a flip changes: {parts}.", parts=Markup("; ").join(parts) or "no text could be flipped"
    )


def flippable(flips: Mapping[str, Flip], test_rows: int) -> Markup:
    """How many texts each flip could be applied to, in which direction, and why some are left out."""
    rows = []
    for axis, flip in flips.items():
        pairs = flip.all_pairs[~flip.all_pairs["origin"].isin(CONTROLS | {"published"})]
        for origin, part in pairs.groupby("origin", sort=False):
            directions, flags = part["direction"].value_counts(), part["flags"].explode().value_counts()
            rows.append(
                {
                    "axis": axis,
                    "of": ORIGINS[origin],
                    "pairs": number(len(part)),
                    "of the test set": percent(len(part) / test_rows, 2) if origin == "natural" else "",
                    "directions": ", ".join(f"{name} {count:,}" for name, count in directions.items()),
                    "flags": ", ".join(f"{name} {count:,}" for name, count in flags.items()) or "none",
                }
            )
    caption = (
        "Texts that name a person of either group. Pairs flagged uncertain (a word could be read either way), "
        "half-flipped (a word such as god has no counterpart) or gender-locked (she is pregnant) are left out of all "
        "that follows; the other flags are remarks."
    )
    return html_table(rows, caption, text=("axis", "of", "directions", "flags"))


def control_findings(flips: Mapping[str, Flip]) -> Markup:
    """Whether a flip does more than neutral words, axis by axis, and where the controls come from."""
    parts = []
    for axis, flip in flips.items():
        for origin in ("natural", "template"):
            summary = flip.summary[flip.summary["origin"] == origin]
            if summary.empty:
                continue
            controls = flip.all_pairs[flip.all_pairs["origin"] == CONTROL_OF[origin]]
            borrowed = int(controls["flags"].map(lambda flags: "borrowed" in flags).sum())
            texts, controlled = control_texts(summary)
            parts.append(
                prose(
                    "<strong>{axis}, {origin}</strong>: a flip changes {rate} of the predictions, {beyond}. {texts}: "
                    "{own} with a control of its own words, {borrowed} with one in another text, {none} without."
                    "{alike}",
                    axis=axis.capitalize(),
                    origin=ORIGINS[origin],
                    rate=estimate(*found(summary, "changed"), form=percent),
                    beyond=beyond(summary),
                    texts=plural(texts, "text"),
                    own=number(controlled - borrowed),
                    borrowed=number(borrowed),
                    none=number(texts - controlled),
                    alike=_alike(summary),
                )
            )
    return Markup("\n").join(parts)


def _alike(summary: pd.DataFrame) -> str:
    """What intervals take for independent, where that is not the texts."""
    changed = summary.set_index("measure").loc["changed"]
    if changed["clusters"] == changed["texts"]:
        return ""
    return (
        f" They are {number(int(changed['clusters']))} sentences about several people each: intervals take the "
        "sentences for independent, not the texts."
    )


def large_changes(flips: Mapping[str, Flip]) -> Markup:
    """How many texts reach the paper's threshold, beside what the paper says."""
    parts = []
    for axis, flip in flips.items():
        natural = flip.pairs[flip.pairs["origin"] == "natural"].drop_duplicates("text")
        reached = int((largest_change(natural) >= LARGE).sum())
        here = (
            f"{reached:,} of {len(natural):,} test texts reach the threshold."
            if len(natural)
            else "No test text can be flipped."
        )
        parts.append(
            prose("<strong>{axis}</strong>: {here} {said}", axis=axis.capitalize(), here=here, said=AXES[axis].said)
        )
    return Markup("\n").join(parts)


def distributions(flips: Mapping[str, Flip]) -> dict[str, np.ndarray]:
    """The largest change of each pair, by axis and origin."""
    return {
        f"{axis}, {ORIGINS[origin]}": largest_change(part).to_numpy()
        for axis, flip in flips.items()
        for origin, part in flip.pairs.groupby("origin", sort=False)
        if origin != "published"
    }


def directions(flips: Mapping[str, Flip]) -> Markup:
    """How often a flip changes the prediction, by the group that the original names."""
    rows = []
    for (axis, origin), summary in kinds(flips).items():
        first, second = AXES[axis].groups
        rows.append(
            {
                "axis": f"{axis}, {origin}",
                "changed, first to second group": _of(f"{first} to {second}", summary, "changed_first"),
                "second to first": _of(f"{second} to {first}", summary, "changed_second"),
                "difference": estimate(*found(summary, "changed_difference"), form=percent),
            }
        )
    caption = (
        "Share of the texts whose predicted class changes, by the direction of the flip, with Wilson intervals; the "
        "difference with Newcombe's."
    )
    return html_table(rows, caption, text=("axis",))


def _of(direction: str, summary: pd.DataFrame, measure: str) -> Markup:
    return Markup("{}: {}").format(direction, estimate(*found(summary, measure), form=percent))


def direction_findings(flips: Mapping[str, Flip]) -> Markup:
    """For which classes the model tells the two groups apart, axis by axis."""
    parts = []
    for (axis, origin), summary in kinds(flips).items():
        gaps = summary[summary["measure"].str.startswith("gap_")]
        different = gaps[gaps["verdict"] == "different"]
        first, second = AXES[axis].groups
        told = [
            f"P({row['measure'].removeprefix('gap_')}) {signed(row['value'])}"
            for row in different.sort_values("value", key=abs, ascending=False).to_dict("records")
        ]
        counts = gaps["verdict"].value_counts()
        parts.append(
            prose(
                "<strong>{axis}, {origin}</strong> ({first} minus {second}): {told}. Shown to differ "
                "by less than the margin: {equivalent} of {n} classes; too few texts to tell: {underpowered}.",
                axis=axis.capitalize(),
                origin=origin,
                first=first,
                second=second,
                told=listed(told) if told else "no class differs for certain",
                n=len(gaps),
                equivalent=int(counts.get("equivalent", 0)),
                underpowered=int(counts.get("underpowered", 0)),
            )
        )
    return Markup("\n").join(parts)


def published_pairs(flip: Flip, table4: pd.DataFrame) -> Markup:
    """The paper's table 4 beside the same two pairs here."""
    paper = table4.set_index("pair")
    here = [name.removeprefix("after_") for name in flip.pairs if name.startswith("after_")]
    classes, rows = list(dict.fromkeys([*paper.columns, *here])), []
    for _, pair in flip.pairs[flip.pairs["origin"] == "published"].iterrows():
        original, flipped = pair_texts(pair)
        ours = {name: pair[f"after_{name}"] - pair[f"before_{name}"] for name in here}
        theirs = paper.loc[pair.term] if pair.term in paper.index else {}
        texts = Markup("{}<br>{}").format(original, flipped)
        for who, values, cell in (("paper", theirs, texts), ("here", ours, "")):
            rows.append({"texts": cell, "": who, **{name: signed(values.get(name, np.nan)) for name in classes}})
    caption = "The paper's table 4: how each class's probability changes when the gender in these two texts is flipped."
    return html_table(rows, caption, text=("texts", ""))


def power(flips: Mapping[str, Flip], alpha: float) -> Markup:
    """What samples of these sizes can and cannot exclude."""
    rows = []
    for (axis, origin), summary in kinds(flips).items():
        texts, independent = (int(summary[count].max()) for count in ("texts", "clusters"))
        changes = summary[summary["measure"].str.startswith("change_")]
        rows.append(
            {
                "axis": axis,
                "of": origin,
                "texts": number(texts),
                "of these independent": number(independent),
                "rate that zero events would still allow": percent(minimum_detectable_rate(independent, alpha)),
                "smallest mean change it would show": unsigned(changes["detectable"].max()),
                "classes within the margin": f"{(changes['verdict'] == 'equivalent').sum()} of {len(changes)}",
            }
        )
    caption = "The smallest mean change: found in four of five samples of this size, for the class that varies most."
    return html_table(rows, caption, text=("axis", "of"))


def traced(flip: Flip) -> list[tuple[str, object, pd.DataFrame]]:
    """The traced pairs of an axis: title, pair with its scores, and activations."""
    result = []
    for (place, identity, origin), trace in flip.traces.groupby(["pair", "id", "origin"]):
        chosen = flip.pairs[(flip.pairs["id"] == identity) & (flip.pairs["origin"] == origin)]
        result.append((f"{flip.axis}, pair {place}", chosen.iloc[0], trace))
    return result


def pair_table(title: str, pair, classes: Sequence[str]) -> Markup:
    """One pair: both texts with what changed marked, and what the model says of both."""
    original, flipped = pair_texts(pair)
    rows = []
    for when, text in (("before", original), ("after", flipped)):
        rows.append({"": text, **{name: number(pair[f"{when}_{name}"]) for name in classes}})
    changes = {name: signed(pair[f"after_{name}"] - pair[f"before_{name}"]) for name in classes}
    label = "" if pair.label < 0 else f", labelled {classes[pair.label]}"
    caption = (
        f"{title.capitalize()} ({ORIGINS[pair.origin]}{label}): probabilities of the original and the flipped text."
    )
    return html_table([*rows, {"": "change", **changes}], caption, text=("",))


def concentration(flips: Mapping[str, Flip], site: str) -> Markup:
    """How much of the change sits on the flipped words and how much on the words after them."""
    rows = []
    for flip in flips.values():
        for title, _, trace in traced(flip):
            here = trace[trace["site"] == site].assign(size=lambda table: (table["flipped"] - table["original"]).abs())
            by_word = here.groupby("unit").agg(
                size=("size", "sum"), word=("word", "first"), flipped=("flipped_word", "first")
            )
            changed = by_word["word"] != by_word["flipped"]
            total = by_word["size"].sum() or np.nan
            rows.append(
                {
                    "pair": title,
                    "words": number(len(by_word)),
                    "flipped words": number(int(changed.sum())),
                    "share of the change on the flipped words": percent(by_word.loc[changed, "size"].sum() / total, 0),
                    "on the words before the first of them": percent(
                        by_word.loc[: changed.idxmax(), "size"].iloc[:-1].sum() / total, 0
                    ),
                }
            )
    return html_table(rows, f"Where the change sits, {SITES[site]}.", text=("pair",))
