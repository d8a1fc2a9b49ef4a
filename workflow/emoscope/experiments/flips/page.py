"""What the flips report says: tables and sentences over the flipped pairs of each axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.flips.axes import AXES
from emoscope.perturbation.pair_examples import most_changed, pair_texts
from emoscope.perturbation.pair_tables import ORIGINS, balance_table, beyond, control_texts, found, told_gaps
from emoscope.perturbation.pairs import (
    LARGE,
    NEUTRAL_ORIGINS,
    countable,
    large,
    largest_change,
    pair_classes,
    scored,
    unread,
)
from emoscope.reporting.html import added, cell, details, html_table, number, percent, signed
from emoscope.reporting.passages import passage

say = partial(passage, "flips")


@dataclass(frozen=True)
class Flip:
    """The tables of one axis; `pairs` are flips that count, `all_pairs` hold others and controls; with their scores."""

    axis: str
    all_pairs: pd.DataFrame
    pairs: pd.DataFrame
    summary: pd.DataFrame
    balance: pd.DataFrame


def flips_of(tables: SimpleNamespace, axes: Sequence[str]) -> dict[str, Flip]:
    """The tables of every axis, from those that the notebook loaded."""
    result = {}
    for axis in axes:
        pairs, scores, summary, balance = (
            getattr(tables, f"{axis}_{kind}") for kind in ("pairs", "scores", "summary", "balance")
        )
        pairs = scored(pairs, scores)
        flipped = pairs[countable(pairs) & ~pairs["origin"].isin(NEUTRAL_ORIGINS)]
        result[axis] = Flip(axis, pairs, flipped, summary, balance)
    return result


def kinds(flips: Mapping[str, Flip]) -> dict[tuple[str, str], pd.DataFrame]:
    """The summaries by axis and origin; the paper's own two pairs are shown apart and left out."""
    return {
        (axis, ORIGINS[origin]): rows
        for axis, flip in flips.items()
        for origin, rows in flip.summary.groupby("origin", sort=False)
        if origin != "published"
    }


def unread_kinds(flips: Mapping[str, Flip]) -> dict[tuple[str, str], int]:
    """The kinds of flips, by axis and origin, of which the model reads nothing that they exchange; how many are."""
    return {
        (axis, ORIGINS[origin]): lost
        for axis, flip in flips.items()
        for origin, lost in unread(flip.all_pairs, "origin").items()
        if origin in ("natural", "template")
    }


def main_result(flips: Mapping[str, Flip]) -> Markup:
    """The headline: how many predictions a flip changes, axis by axis, and whether neutral words do the same."""
    return say(
        "main_result",
        kinds=[
            (axis, origin, control_texts(summary)[0], found(summary, "changed"), beyond(summary))
            for (axis, origin), summary in kinds(flips).items()
        ],
    )


def flippable(flips: Mapping[str, Flip], test_rows: int) -> Markup:
    """How many texts each flip could be applied to, in which direction, and why some are left out."""
    rows = []
    for axis, flip in flips.items():
        pairs = flip.all_pairs[~flip.all_pairs["origin"].isin(NEUTRAL_ORIGINS | {"published"})]
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
    return html_table(rows, say("flippable"), text=("axis", "of", "directions", "flags"))


def control_findings(flips: Mapping[str, Flip]) -> Markup:
    """Whether a flip does more than neutral words, axis by axis, and how many texts have a fair control."""
    parts = []
    for axis, flip in flips.items():
        for origin in ("natural", "template"):
            summary = flip.summary[flip.summary["origin"] == origin]
            if summary.empty:
                continue
            texts, controlled = control_texts(summary)
            balance = flip.balance[flip.balance["origin"] == origin]
            parts.append(
                say(
                    "control",
                    axis=axis,
                    origin=ORIGINS[origin],
                    changed=found(summary, "changed"),
                    beyond=beyond(summary),
                    texts=texts,
                    fair=controlled,
                    names=found(summary, "names_changed"),
                    unlike=balance.loc[~balance["balanced"].astype(bool), "measure"].tolist(),
                )
            )
    return Markup("\n").join(parts)


def balances(flips: Mapping[str, Flip]) -> Markup:
    """How alike controls and flips are, axis by axis."""
    tables = [Markup("<h3>{}</h3>{}").format(axis, balance_table(flip.balance)) for axis, flip in flips.items()]
    return details("How alike flips and controls are", *tables)


def large_changes(flips: Mapping[str, Flip]) -> Markup:
    """How many texts reach the paper's threshold, beside what the paper says."""
    parts = []
    for axis, flip in flips.items():
        natural = flip.pairs[flip.pairs["origin"] == "natural"].drop_duplicates("text")
        reached = int(large(natural).sum())
        told = {"reached": reached, "texts": len(natural), "threshold": LARGE, "said": AXES[axis].said}
        parts.append(say("large_changes", axis=axis, **told))
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
        forth, back = (cell(found(summary, f"changed_{which}"), percent) for which in ("first", "second"))
        rows.append(
            {
                "axis": f"{axis}, {origin}",
                "changed, first to second group": Markup("{} to {}: {}").format(first, second, forth),
                "second to first": Markup("{} to {}: {}").format(second, first, back),
                "difference": cell(found(summary, "changed_difference"), added),
            }
        )
    return html_table(rows, say("directions"), text=("axis",))


def direction_findings(flips: Mapping[str, Flip]) -> Markup:
    """For which classes the model tells the two groups apart, axis by axis."""
    parts = []
    for (axis, origin), summary in kinds(flips).items():
        told, counts = told_gaps(summary)
        if counts["classes"]:
            groups = AXES[axis].groups
            parts.append(say("direction_findings", axis=axis, origin=origin, groups=groups, told=told, **counts))
    return Markup("\n").join(parts)


def published_pairs(flip: Flip, table4: pd.DataFrame) -> Markup:
    """The paper's table 4 beside the same two pairs here."""
    paper = table4.set_index("pair")
    here = pair_classes(flip.pairs)
    pairs, rows = flip.pairs[flip.pairs["origin"] == "published"], []
    kept = {name for _, pair in pairs.iterrows() for name in most_changed(pair, here, paper.columns)}
    classes = list(dict.fromkeys([*paper.columns, *(name for name in here if name in kept)]))
    for _, pair in pairs.iterrows():
        original, flipped = pair_texts(pair)
        ours = {name: pair[f"after_{name}"] - pair[f"before_{name}"] for name in here}
        theirs = paper.loc[pair.term] if pair.term in paper.index else {}
        texts = Markup("{}<br>{}").format(original, flipped)
        for who, values, shown in (("paper", theirs, texts), ("here", ours, "")):
            told = {f"P({name})": signed(values.get(name, np.nan)) for name in classes}  # a class may be called texts
            rows.append({"texts": shown, "": who, **told})
    return html_table(rows, say("published_pairs"), text=("texts", ""))
