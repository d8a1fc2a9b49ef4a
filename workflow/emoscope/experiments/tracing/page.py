"""What the page on flips from inside says: over many pairs, and of dimensions."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import SimpleNamespace

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.tracing.path import ends, half_arrived, residual
from emoscope.experiments.tracing.shares import BOTH
from emoscope.perturbation.inside.margins import moves_further
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.reporting.html import cell, html_table, number, percent, plural, signed
from emoscope.reporting.passages import Findings, passage
from emoscope.storage.names import TOP

say = partial(passage, "tracing")
LISTED = 8  # of the parts that write most, in the table
PLACE_TITLES = {
    "changed": "at the exchanged words",
    "others": "at all other words",
    "pooled": "where the classifier reads",
}
KINDS = {FLIP: "flips", NEUTRAL: "neutral swaps", "difference": "difference"}
PARTS = {
    "head": "head {0.head} of block {0.block}",
    "bias": "the attention's bias in block {0.block}",
    "feed_forward": "the MLP of block {0.block}",
    "embedding": "the embedding",
    "constant": "the constants",
}


def main_result(shares: Mapping[str, pd.DataFrame], findings: pd.DataFrame) -> Markup:
    """The headline: how far flips move the margin beside neutral swaps, and, where that is shown to be further, when
    half of it is where the classifier reads."""
    found = Findings(findings)
    axes = [
        {
            "axis": axis,
            **{kind: found.get(f"{axis}.{kind}.margin") for kind in (FLIP, NEUTRAL)},
            "further": _further(axis, found),
            "depth": _depth(table, FLIP),
        }
        for axis, table in shares.items()
        if f"{axis}.{FLIP}.margin" in found
    ]
    return say("main_result", axes=axes)


def _further(axis: str, found: Findings) -> bool:
    return moves_further(*(found.get(f"{axis}.{kind}.margin") for kind in (FLIP, NEUTRAL)))


def _depth(shares: pd.DataFrame, kind: str) -> str:
    """`half_arrived` in words; empty where it cannot be told."""
    if (known := half_arrived(shares, kind)) is None:
        return ""
    first, last = known
    return plural(last, "block") if first == last else f"{first} to {plural(last, 'block')}"


def sample_table(averaged: Mapping[str, pd.DataFrame], findings: pd.DataFrame) -> Markup:
    """Which pairs are averaged over, of how many texts that flips and neutral swaps share, and how far they move the
    margin."""
    found, rows = Findings(findings), []
    for axis, pairs in averaged.items():
        texts = pairs.dropna(subset="total").groupby("kind")["cluster"].agg(set)
        shared = len(set.intersection(*texts)) if len(texts) > 1 else 0
        for kind, some in pairs.groupby("kind", sort=False):
            used = some.dropna(subset="total")
            name = f"{axis}.{kind}.margin"
            total = used["total"].sort_values(ascending=False)
            strongest = total.head(max(1, len(total) // 10)).sum() / total.sum() if total.sum() else float("nan")
            rows.append(
                {
                    "axis": axis,
                    "pairs": KINDS[kind],
                    "averaged over": number(len(used)),
                    "of different texts": number(used["cluster"].nunique()),
                    "of these, in both kinds": number(shared),
                    "passed over": number(len(some) - len(used)),
                    "mean change of the margin, logits": cell(found.get(name), signed),
                    "of it, in the strongest tenth": percent(strongest, 0),
                }
            )
    return html_table(rows, say("sample_table"), text=("axis", "pairs"))


def path(axis: str, shares: pd.DataFrame, findings: pd.DataFrame, alpha: float) -> Markup:
    """Where an axis's difference is early and late, and which parts carry it, flips beside neutral swaps."""
    flips = shares[shares["kind"] == FLIP]
    if flips["value"].isna().all():
        return say("no_path", axis=axis)
    parts = flips[(flips["measure"] == "patching") & (flips["direction"] == BOTH)]
    wholes = parts[parts["site"].isin(["attention", "feed_forward"])]
    heads = shares[(shares["measure"] == "patching") & (shares["site"] == "head")]
    flipped, apart = heads[heads["kind"] == FLIP], heads[heads["kind"] == "difference"]["p_adjusted"].dropna()
    early, late = ends(shares)
    return say(
        "path",
        axis=axis,
        changed=residual(shares, FLIP, "changed").loc[early],
        others=residual(shares, FLIP, "others").loc[early],
        pooled=residual(shares, FLIP, "pooled").loc[late],
        further=_further(axis, Findings(findings)),
        depth=_depth(shares, FLIP),
        neutral_depth=_depth(shares, NEUTRAL),
        part=_largest(wholes, shares),
        all_halves=len(wholes),
        head=_largest(flipped, shares),
        all_heads=len(flipped),
        apart=int((apart <= alpha).sum()) if len(apart) else None,
        alpha=alpha,
    )


def _largest(parts: pd.DataFrame, shares: pd.DataFrame) -> dict:
    """The part with the largest share of flips, and the same part's row for the other kinds."""
    first = parts.loc[parts["value"].idxmax()]
    same = shares[(shares["measure"] == first["measure"]) & (shares["direction"] == first["direction"])]
    for name in ("site", "block", "head"):
        same = same[same[name] == first[name]]
    return {"name": first, **{row["kind"]: row for row in same.to_dict("records")}}


def place_curves(shares: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """For flips and for neutral swaps: `place, block, value, low, high`, mean of both directions."""
    rows = shares[(shares["site"] == "residual") & (shares["direction"] == BOTH)].dropna(subset="value")
    return {KINDS[kind]: rows[rows["kind"] == kind] for kind in (FLIP, NEUTRAL) if (rows["kind"] == kind).any()}


def half_block_shares(shares: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Shares of each block's halves, mean of both directions: by title, `kind, block, value, low, high`."""
    titles = {"attention": "attention", "feed_forward": "MLP"}
    rows = shares[(shares["measure"] == "patching") & (shares["direction"] == BOTH)]
    return {title: rows[rows["site"] == site].dropna(subset="value") for site, title in titles.items()}


def head_maps(shares: pd.DataFrame, alpha: float) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Shares of the heads by block, (blocks, heads), for flips, neutral swaps and their difference; and what to mark:
    heads of which it is shown, after adjustment over all, that the mean effect or the difference is not zero."""
    heads = shares[(shares["measure"] == "patching") & (shares["site"] == "head")]
    maps, marks = {}, {}
    for kind, title in KINDS.items():
        rows = heads[heads["kind"] == kind]
        if rows["value"].isna().all():
            continue
        maps[title] = rows.pivot(index="block", columns="head", values="value")
        marks[title] = rows.pivot(index="block", columns="head", values="p_adjusted") <= alpha
    return maps, marks


def strongest_parts(axis: str, shares: pd.DataFrame) -> Markup:
    """The parts that write most of the flips' difference directly, beside the same parts of neutral swaps."""
    rows = shares[(shares["measure"] == "attribution")].set_index(["site", "block", "head", "kind"])
    flips = rows.xs(FLIP, level="kind")["value"].dropna()
    table = []
    for key in flips.abs().nlargest(LISTED).index:
        row = SimpleNamespace(block=key[1], head=key[2])
        table.append(
            {
                "part": PARTS[key[0]].format(row),
                **{title: cell(rows.loc[(*key, kind)], _percents) for kind, title in KINDS.items()},
            }
        )
    return html_table(table, say("strongest_parts", axis=axis), text=("part",))


def dimension_findings(
    counts: Mapping[str, pd.DataFrame], concentration: Mapping[str, pd.DataFrame], changes: Mapping[str, pd.DataFrame]
) -> Markup:
    """For every axis: how many dimensions stand out, and how much of the change unseen word pairs have there."""
    parts = []
    for axis, table in counts.items():
        found = {row["kind"]: row for row in table.to_dict("records")}
        held = concentration[axis].query("measure == 'held out'").set_index("kind")
        parts.append(
            say(
                "dimensions",
                axis=axis,
                width=len(changes[axis]),
                flip=found[FLIP],
                neutral=found[NEUTRAL],
                held={} if held.empty else {kind: held.loc[kind] for kind in KINDS},
                top=TOP,
                **{
                    name: list(changes[axis].dropna(subset=of).nlargest(5, of)["dimension"])
                    for name, of in {"largest": "flip", "plain": "plain_flip", "plain_neutral": "plain_neutral"}.items()
                },
            )
        )
    return Markup("\n").join(parts)


def concentration_table(concentration: Mapping[str, pd.DataFrame]) -> Markup:
    """How few dimensions hold the change, for flips and neutral swaps."""
    rows = [
        {
            "axis": axis,
            "": say(measure.replace(" ", "_"), top=TOP),
            **{
                title: cell(part[part["kind"] == kind].iloc[0], _percents) if (part["kind"] == kind).any() else "n/a"
                for kind, title in KINDS.items()
            },
        }
        for axis, table in concentration.items()
        for measure, part in table.groupby("measure", sort=False)
    ]
    return html_table(rows, say("concentration_table"), text=("axis", ""))


def paper_places(axes: Sequence[str], findings: pd.DataFrame, as_wide: bool) -> Markup:
    """What is at the paper's places, if the residual stream is `as_wide` as there; else why nothing can be said."""
    found = Findings(findings)
    rows = [
        {
            "axis": axis,
            "dimensions": f"{place} \N{PLUS-MINUS SIGN} 10",
            **{
                title: found.shown(f"{axis}.dimensions.around_{place}.{kind}", _percents)
                for kind, title in KINDS.items()
            },
            "best rank": number(int(found.value(f"{axis}.dimensions.around_{place}.rank"))),
            "": found.note(f"{axis}.dimensions.around_{place}.rank"),
        }
        for axis in axes
        for place in (380, 620)
        if f"{axis}.dimensions.around_{place}.rank" in found
    ]
    if not rows:
        return say("no_places", as_wide=as_wide)
    return html_table(rows, say("paper_places"), text=("axis", "dimensions", ""))


def _percents(value: float) -> str:
    return percent(value, 0 if abs(value) >= 0.0995 else 1)
