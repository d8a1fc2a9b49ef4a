"""What the page on circuits says."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.circuits.curves import RIVALS, TOLERATED
from emoscope.experiments.circuits.names import GRADIENT, INTEGRATED, MASKING, NODE, PATCHING, RANDOM, called
from emoscope.perturbation.inside.margins import moves_further
from emoscope.reporting.findings import in_findings
from emoscope.reporting.html import cell, html_table, number, percent
from emoscope.reporting.passages import Findings, passage

say = partial(passage, "circuits")
TITLES = {INTEGRATED: "integrated gradients", GRADIENT: "one gradient", MASKING: "masking", RANDOM: "a random order"}
ESTIMATES = {name: TITLES[name] for name in (INTEGRATED, GRADIENT)}
SITES = {"head": "head {head} of block {block}", "attention": "attention of block {block}"}
SITES["feed_forward"] = "MLP of block {block}"
ENDS = SITES | {"embedding": "the words", "answer": "the answer"}
ENDS_OF = ("source", "target")
LISTED = 10
HALVES = "rank correlation of halves"
BETTER, WORSE, UNSETTLED = "better than", "worse than", "not shown to be better or worse than"


def main_result(axes: list[str], findings: pd.DataFrame) -> Markup:
    """The headline: how far flips move the margin, and, where that is shown to be further than neutral swaps do, how
    few parts keep it, by our order and by cheaper ones."""
    found, told = Findings(findings), []
    for one in _sizes(axes, findings):
        flips, neutral = _margins(one["axis"], found)
        further, names = moves(one["axis"], found), called(one["axis"])
        moved = say("moved", flips=flips, neutral=neutral, further=further, pair=names[0], control=names[1])
        told.append(one | {"further": further, "moved": moved})
    return _fewest(told, headline=True)


def moves(axis: str, found: Findings) -> bool:
    """Whether flips are shown to move the margin further than neutral swaps: see `moves_further`."""
    return moves_further(*_margins(axis, found))


def _margins(axis: str, found: Findings) -> tuple[pd.Series, pd.Series | None]:
    return found[f"{axis}.margin"], found.get(f"{axis}.neutral.margin")


def _fewest(told: list[dict], headline: bool) -> Markup:
    names = {"titles": TITLES, "first": INTEGRATED, "tolerated": TOLERATED, "counted": counted}
    return say("fewest", axes=told, headline=headline, **names)


def _sizes(axes: list[str], findings: pd.DataFrame) -> list[dict]:
    """How few parts keep the difference, by order, of every axis of which it could be tried."""
    found = Findings(findings)
    return [
        {
            "axis": axis,
            "pair": called(axis)[0],
            "fewest": {name: found[f"{axis}.fewest.{in_findings(name)}"] for name in rankings(axis, findings)},
            "all": _of_all(found.note(f"{axis}.fewest.{in_findings(INTEGRATED)}")),
            "verdicts": verdicts(axis, INTEGRATED, found),
            "cmd": {name: found[f"{axis}.cmd.{in_findings(name)}"] for name in rankings(axis, findings)},
        }
        for axis in axes
        if f"{axis}.fewest.{in_findings(INTEGRATED)}" in found
    ]


def rankings(axis: str, findings: pd.DataFrame) -> dict[str, str]:
    """The titles of the rankings that were tried."""
    found = Findings(findings)
    return {name: title for name, title in TITLES.items() if f"{axis}.cmd.{in_findings(name)}" in found}


def verdicts(axis: str, ranking: str, found: Findings) -> list[str]:
    """How an order does against a random one and against masking's: the latter only if one of the two is shown to
    differ from random ones, as two that find nothing differ, too, whatever the texts."""
    gains = {rival: found.get(f"{axis}.{name}.{in_findings(ranking)}") for name, rival in RIVALS.items()}
    by_random = (found.get(f"{axis}.gain.{in_findings(name)}") for name in (ranking, MASKING))
    finds = any(gain is not None and verdict(gain) != UNSETTLED for gain in by_random)
    return [
        f"{verdict(gain) if finds or rival == RANDOM else UNSETTLED} {TITLES[rival]}"
        for rival, gain in gains.items()
        if gain is not None
    ]


def verdict(gain: Mapping) -> str:
    """Whether an order finds a circuit sooner than another, by the interval of the gain; without one, as with too few
    random orders, nothing is shown."""
    return BETTER if gain["low"] > 0 else WORSE if gain["high"] < 0 else UNSETTLED


def _of_all(note: str) -> str:
    """How many nodes or edges there are: `11,611 edges`, where the note on them says `Of 11611 edges.`."""
    total, _, kind = note.removeprefix("Of ").removesuffix(".").partition(" ")
    return f"{int(total):,} {kind}"


def counted(nodes: float) -> str:
    return number(nodes if np.isnan(nodes) else int(nodes))


def edges_result(axes: list[str], findings: pd.DataFrame, edges: pd.DataFrame) -> Markup:
    """How few edges keep the difference, of those axes of which it could be tried, and of whose nodes it is said."""
    found = Findings(findings)
    told = [one | {"further": True, "moved": ""} for one in _sizes(axes, edges) if moves(one["axis"], found)]
    return _fewest(told, headline=False)


def agreement_table(axes: list[str], findings: pd.DataFrame, caption: str = "agreement") -> Markup:
    """How well estimates agree with patching, and halves of the texts with each other where these were compared."""
    found, halves = Findings(findings), findings["name"].str.contains(".halves.", regex=False).any()
    rows = [
        {
            "axis": axis,
            "estimate": title,
            "rank correlation with patching": found.shown(f"{axis}.rank_correlation.{in_findings(method)}"),
            "error, of the mean effect": found.shown(f"{axis}.error.{in_findings(method)}", percent),
            **({HALVES: cell(found.get(f"{axis}.halves.{in_findings(method)}"), number)} if halves else {}),
            "largest missed": cell(found.get(f"{axis}.missed"), percent),
        }
        for axis in axes
        for method, title in ESTIMATES.items()
        if f"{axis}.error.{in_findings(method)}" in found
    ]
    return html_table(rows, say(caption), text=("axis", "estimate"))


def area_table(axes: list[str], findings: pd.DataFrame, of: str = "nodes") -> Markup:
    """Areas of the curves of every order."""
    found = Findings(findings)
    rows = [
        {
            "axis": axis,
            "order": title,
            "CPR": found.shown(f"{axis}.cpr.{in_findings(name)}", number),
            **_if_known(found, "left without", f"{axis}.left.{in_findings(name)}"),
            f"{of} to within {percent(TOLERATED, 0)}": found.shown(f"{axis}.fewest.{in_findings(name)}", counted),
            "CMD": found.shown(f"{axis}.cmd.{in_findings(name)}", number),
            "by CMD": ", ".join(verdicts(axis, name, found)),
        }
        for axis in axes
        for name, title in rankings(axis, findings).items()
    ]
    return html_table(rows, say(f"areas_of_{of}", tolerated=TOLERATED), text=("axis", "order", "by CMD"))


def strongest(axis: str, parts: pd.DataFrame) -> Markup:
    """The parts that patching finds to carry most."""
    known = parts.dropna(subset=PATCHING)
    largest = known.loc[known[PATCHING].abs().nlargest(LISTED).index]
    rows = [
        {
            "part": SITES[row["site"]].format(**row),
            "patched": percent(row[PATCHING]),
            **{title: percent(row[name]) for name, title in ESTIMATES.items()},
        }
        for row in largest.to_dict("records")
    ]
    return html_table(rows, say("strongest", axis=axis), text=("part",))


def strongest_edges(axis: str, edges: pd.DataFrame) -> Markup:
    """The edges that patching finds to carry most."""
    largest = edges.loc[edges[PATCHING].abs().nlargest(LISTED).index]
    rows = [
        {
            **{
                end: ENDS[row[f"{end}_site"]].format(**{name: row[f"{end}_{name}"] for name in NODE}) for end in ENDS_OF
            },
            "patched": percent(row[PATCHING]),
            **{title: percent(row[name]) for name, title in ESTIMATES.items()},
        }
        for row in largest.to_dict("records")
    ]
    return html_table(rows, say("strongest_edges", axis=axis), text=ENDS_OF)


def no_edges(axes: list[str], findings: pd.DataFrame, edges: pd.DataFrame) -> Markup:
    """A sentence for each axis with a circuit of nodes whose edges could not be tried, with the reason."""
    tried, found = {one["axis"] for one in _sizes(axes, edges)}, Findings(edges)
    missing = [one["axis"] for one in _sizes(axes, findings) if one["axis"] not in tried]
    counts = {axis: [int(found.value(f"{axis}.{name}")) for name in ("pairs", "failed")] for axis in missing}
    return Markup("\n").join(
        say("no_edges", axis=axis, pair=called(axis)[0], pairs=own[0], failed=own[1]) for axis, own in counts.items()
    )


def no_flips(axes: list[str], findings: pd.DataFrame) -> Markup:
    """A sentence for each axis without a circuit."""
    found = Findings(findings)
    missing = [axis for axis in axes if f"{axis}.fewest.{in_findings(INTEGRATED)}" not in found]
    return Markup("\n").join(
        say(
            "no_flips",
            axis=axis,
            pair=called(axis)[0],
            moves=f"{axis}.margin" in found,
            passed=int(found.value(name)) if (name := f"{axis}.passed_over") in found else 0,
        )
        for axis in missing
    )


def _if_known(found: Findings, title: str, name: str) -> dict[str, Markup]:
    return {title: found.shown(name, number)} if name in found else {}
