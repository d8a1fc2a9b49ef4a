"""What the page on flips from inside says: over many pairs, of the strongest pairs, and of dimensions."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.tracing.journey import Inside, concentration, journey_of, margin_changes, words_of
from emoscope.experiments.tracing.profiles import LEVEL
from emoscope.experiments.tracing.shares import BOTH
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.perturbation.pair_tables import ORIGINS, most_changed, pair_texts
from emoscope.perturbation.pairs import scored
from emoscope.reporting.html import cell, html_table, listed, number, outcome, percent, planted_box, signed
from emoscope.reporting.passages import Findings, passage
from emoscope.storage.decisions import as_matrix
from emoscope.storage.names import TOP

say = partial(passage, "tracing")
HALF = 0.5
FURTHER = 0.25  # of how far neutral swaps move the margin: by less than this more, a flip moves it no further
PLACE_TITLES = {
    "changed": "at the exchanged words",
    "others": "at all other words",
    "pooled": "where the classifier reads",
}
KINDS = {FLIP: "flips", NEUTRAL: "neutral swaps", "difference": "difference"}
SITES = {"residual": "residual stream", "attention": "output of the attention"}
PARTS = {
    "head": "head {0.head} of block {0.block}",
    "bias": "the attention's bias in block {0.block}",
    "feed_forward": "the MLP of block {0.block}",
    "embedding": "the embedding",
    "constant": "the constants",
}


def finding(inside: Inside) -> Markup:
    """One pair's journey in words."""
    journey, units = journey_of(inside), inside.patching.drop_duplicates("unit").set_index("unit")
    return say(
        "journey",
        journey=journey,
        enters=[f"{_quoted([word])} ({percent(share, 0)})" for word, share in journey.enters],
        by_way_of=_quoted(journey.by_way_of),
        pooled=_quoted([journey.pooled]),
        uneven=_quoted(words_of(inside)[units["tokens"] != units["flipped_tokens"]]),
    )


def writers(inside: Inside) -> Markup:
    """The three parts whose direct contribution to the margin the flip changes most."""
    changes = margin_changes(inside)
    largest = changes.loc[changes["change"].abs().nlargest(3).index]
    parts = [f"{PARTS[row.part].format(row)} ({signed(row.change)})" for row in largest.itertuples()]
    return say("writers", rise=inside.rise, fall=inside.fall, total=changes["change"].sum(), parts=parts)


def concentrations(traces: Mapping[str, pd.DataFrame], site: str) -> Markup:
    """How much of each pair's change sits on the flipped words, and how much before them; traces by title."""
    rows = [
        {
            "pair": title,
            "words": number(found["words"]),
            "flipped words": number(found["flipped"]),
            "share of the change on the flipped words": percent(found["on"], 0),
            "on the words before the first of them": percent(found["before"], 0),
        }
        for title, trace in traces.items()
        for found in [concentration(trace[trace["site"] == site])]
    ]
    return html_table(rows, f"Where the change sits, {SITES[site]}.", text=("pair",))


def _quoted(words: Iterable[str]) -> str:
    """Words in a row, each in quotation marks; empty if there are none."""
    quoted = [f"\N{LEFT DOUBLE QUOTATION MARK}{word}\N{RIGHT DOUBLE QUOTATION MARK}" for word in words]
    return listed(quoted) if quoted else ""


def residual(shares: pd.DataFrame, kind: str, place: str) -> pd.DataFrame:
    """Shares at one kind of place by the number of blocks passed (`block`), mean of both directions."""
    rows = shares[(shares["site"] == "residual") & (shares["direction"] == BOTH)]
    return rows[(rows["kind"] == kind) & (rows["place"] == place)].sort_values("block").set_index("block")


def half_arrived(shares: pd.DataFrame, kind: str = FLIP) -> int | None:
    """After how many blocks half of the difference is where the classifier reads; None where nothing moves."""
    reached = residual(shares, kind, "pooled")["value"] >= HALF
    return int(reached.idxmax()) if reached.any() else None


def main_result(shares: Mapping[str, pd.DataFrame], findings: pd.DataFrame) -> Markup:
    """The headline: how far flips move the margin beside neutral swaps, and when the classifier's token has it."""
    found = Findings(findings)
    axes = [
        {
            "axis": axis,
            **{kind: found[f"{axis}.{kind}.margin"] for kind in KINDS if f"{axis}.{kind}.margin" in found},
            "depth": half_arrived(table),
        }
        for axis, table in shares.items()
    ]
    return say("main_result", axes=[one for one in axes if FLIP in one])


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
                    "mean change of the margin, logits": found.shown(name, signed) if name in found else "n/a",
                    "of it, in the strongest tenth": percent(strongest, 0),
                }
            )
    return html_table(rows, say("sample_table"), text=("axis", "pairs"))


def path(axis: str, shares: pd.DataFrame) -> Markup:
    """Where an axis's difference is early and late, and which parts carry it, flips beside neutral swaps."""
    flips = shares[shares["kind"] == FLIP]
    if flips["value"].isna().all():
        return say("no_path", axis=axis)
    parts = flips[(flips["measure"] == "patching") & (flips["direction"] == BOTH)]
    wholes = parts[parts["site"].isin(["attention", "feed_forward"])]
    heads = flips[(flips["measure"] == "patching") & (flips["site"] == "head")]
    early, late = ends(shares)
    return say(
        "path",
        axis=axis,
        changed=residual(shares, FLIP, "changed").loc[early],
        others=residual(shares, FLIP, "others").loc[early],
        pooled=residual(shares, FLIP, "pooled").loc[late],
        depth=half_arrived(shares),
        neutral_depth=half_arrived(shares, NEUTRAL),
        part=_largest(wholes, shares),
        head=_largest(heads, shares),
        heads=int((heads["p_adjusted"] < LEVEL).sum()),
        all_heads=len(heads),
    )


def _largest(parts: pd.DataFrame, shares: pd.DataFrame) -> dict:
    """The part with the largest share of flips, and the same part's row for the other kinds."""
    first = parts.loc[parts["value"].idxmax()]
    same = shares[(shares["measure"] == first["measure"]) & (shares["direction"] == first["direction"])]
    for name in ("site", "block", "head"):
        same = same[same[name] == first[name]]
    return {"name": first, **{row["kind"]: row for row in same.to_dict("records")}}


def ends(shares: pd.DataFrame) -> tuple[int, int]:
    """After how many blocks it is early (one), and late (all but one): further out all is as it is by construction."""
    blocks = int(shares.loc[shares["site"] == "residual", "block"].max())
    return 1, max(1, blocks - 1)


def planted(axes: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], truth: Mapping, findings: pd.DataFrame) -> Markup:
    """What was planted in a generated corpus, and whether patching shows it; `axes` hold averaged pairs and shares.

    The path is found if less than half of the difference is where the classifier reads after the first block, and more
    than half before the last one, with the whole interval each; of fewer than three blocks, which have no such two
    places, it cannot be told. A planted difference of size is found if the intervals
    of flips and neutral swaps lie apart; a planted absence, if even the upper end for flips lies within FURTHER of the
    lower end for neutral swaps.
    """
    found, rows = Findings(findings), []
    sizes = {axis: truth["effects"][axis]["size"] for axis in ("gender", "race")}
    if "gender" in axes and sizes["gender"]:
        averaged, shares = axes["gender"]
        used = averaged[averaged["kind"] == FLIP].dropna(subset="total")
        ambiguous = used["id"].isin(truth["ids"]["ambiguous"]) & (used["origin"] == "natural")
        changed, pooled = residual(shares, FLIP, "changed"), residual(shares, FLIP, "pooled")
        if len(changed) and len(used):
            early, late = ends(shares)
            starts, arrives = pooled.loc[early, "high"] < HALF, pooled.loc[late, "low"] > HALF
            wrong = pooled.loc[early, "low"] > HALF or pooled.loc[late, "high"] < HALF
            told = outcome(starts and arrives, wrong, partly=starts != arrives)
            rows.append(
                {
                    "planted": say("planted_path", size=sizes["gender"]),
                    "found": say(
                        "found_path",
                        ambiguous=int(ambiguous.sum()),
                        pairs=len(used),
                        share=used.loc[ambiguous, "total"].sum() / used["total"].sum(),
                        blocks=pooled.index.max(),
                        before=changed.loc[early],
                        then=pooled.loc[early],
                        after=pooled.loc[late],
                    ),
                    "verdict": told if early < late else "cannot tell",
                }
            )
    for axis, size in sizes.items():
        names = [f"{axis}.{kind}.margin" for kind in (FLIP, NEUTRAL)]
        if axis in axes and all(name in found for name in names):
            flip, neutral = (found[name] for name in names)
            more, less = flip["low"] > neutral["high"], flip["high"] < neutral["low"]
            no_further = flip["high"] < (1 + FURTHER) * neutral["low"]
            rows.append(
                {
                    "planted": say("planted_size", axis=axis, size=size, further=FURTHER),
                    "found": say("found_size", flip=flip, neutral=neutral),
                    "verdict": outcome(more if size else no_further, less if size else more),
                }
            )
    return planted_box(rows) if rows else Markup()


def place_curves(shares: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """For flips and for neutral swaps: `place, block, value, low, high`, mean of both directions."""
    rows = shares[(shares["site"] == "residual") & (shares["direction"] == BOTH)].dropna(subset="value")
    return {KINDS[kind]: rows[rows["kind"] == kind] for kind in (FLIP, NEUTRAL) if (rows["kind"] == kind).any()}


def half_block_shares(shares: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Shares of each block's halves, mean of both directions: by title, `kind, block, value, low, high`."""
    titles = {"attention": "attention", "feed_forward": "MLP"}
    rows = shares[(shares["measure"] == "patching") & (shares["direction"] == BOTH)]
    return {title: rows[rows["site"] == site].dropna(subset="value") for site, title in titles.items()}


def head_maps(shares: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Shares of the heads by block, (blocks, heads), for flips, neutral swaps and their difference; and what to mark:
    heads of flips whose effect is certain, and differences whose interval leaves zero out."""
    heads = shares[(shares["measure"] == "patching") & (shares["site"] == "head")]
    maps, marks = {}, {}
    for kind, title in KINDS.items():
        rows = heads[heads["kind"] == kind]
        if rows["value"].isna().all():
            continue
        certain = (rows["low"] > 0) | (rows["high"] < 0) if kind != FLIP else rows["p_adjusted"] < LEVEL
        maps[title] = rows.pivot(index="block", columns="head", values="value")
        marks[title] = rows.assign(certain=certain).pivot(index="block", columns="head", values="certain")
    return maps, marks


def strongest_parts(axis: str, shares: pd.DataFrame, count: int = 8) -> Markup:
    """The parts that write most of the flips' difference directly, beside the same parts of neutral swaps."""
    rows = shares[(shares["measure"] == "attribution")].set_index(["site", "block", "head", "kind"])
    flips = rows.xs(FLIP, level="kind")["value"].dropna()
    table = []
    for key in flips.abs().nlargest(count).index:
        row = SimpleNamespace(block=key[1], head=key[2])
        table.append(
            {
                "part": PARTS[key[0]].format(row),
                **{title: cell(rows.loc[(*key, kind)], _percents) for kind, title in KINDS.items()},
            }
        )
    return html_table(table, say("strongest_parts", axis=axis), text=("part",))


def traced(tables: SimpleNamespace, axis: str) -> list[tuple[str, pd.Series, pd.DataFrame]]:
    """The strongest pairs of an axis: title, pair with its scores, and activations."""
    pairs = scored(getattr(tables, f"{axis}_pairs"), getattr(tables, f"{axis}_scores"))
    result = []
    for (place, identity, origin), trace in getattr(tables, f"{axis}_traces").groupby(["pair", "id", "origin"]):
        chosen = pairs[(pairs["id"] == identity) & (pairs["origin"] == origin)]
        result.append((f"{axis}, pair {place}", chosen.iloc[0], trace))
    return result


def pair_table(title: str, pair: pd.Series, classes: Sequence[str]) -> Markup:
    """One pair: both texts with what changed marked, and what the model says of both."""
    shown = most_changed(pair, classes)
    rows = [
        {"": text, **{name: number(pair[f"{when}_{name}"]) for name in shown}}
        for when, text in zip(("before", "after"), pair_texts(pair), strict=True)
    ]
    changes = {name: signed(pair[f"after_{name}"] - pair[f"before_{name}"]) for name in shown}
    known = np.flatnonzero(as_matrix(pd.Series([pair.label]), len(classes))[0])
    label = listed(classes[number] for number in known) if len(known) else ""
    caption = say("pair_table", title=title, origin=ORIGINS[pair.origin], label=label, few=len(shown) < len(classes))
    return html_table([*rows, {"": "change", **changes}], caption, text=("",))


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
                largest=list(changes[axis].nlargest(5, "flip")["dimension"]),
                plain=list(changes[axis].nlargest(5, "plain_flip")["dimension"]),
                plain_neutral=list(changes[axis].nlargest(5, "plain_neutral")["dimension"]),
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


def paper_places(axes: Sequence[str], findings: pd.DataFrame) -> Markup:
    """What is at the paper's places, if the residual stream is as wide as there; else that nothing can be said."""
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
    return html_table(rows, say("paper_places"), text=("axis", "dimensions", "")) if rows else say("other_width")


def _percents(value: float) -> str:
    return percent(value, 0 if abs(value) >= 0.0995 else 1)
