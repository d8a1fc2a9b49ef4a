"""What the flips report says of the pairs that change most, from inside: patching, attribution, lens and dimensions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import estimate, html_table, listed, number, p_value, percent, prose, signed
from emoscope.storage.names import TOP

ARROW = "\N{RIGHTWARDS ARROW}"
HALF, NOTED = 0.5, 0.25  # shares of the difference: moved to a word; worth naming
MOST_WORDS = 40  # rows of a map; of a longer text only the words that matter most are drawn
UNEVEN = (
    " The numbers of tokens differ at {}: tokens correspond from the last one backwards, so that a patch there carries "
    "over only a part."
)
WHOLE = {"attention": "all", "feed_forward": "FF"}  # columns of a map beside the heads
LEVEL = 0.05
SCALES = {"plain": "as it is", "standardised": "over its spread"}
PAPER_WIDTH = 768
REGIONS = {380: (370, 390), 620: (610, 630)}  # the paper's "around 380 and 620", of 768 dimensions


@dataclass(frozen=True)
class Inside:
    """The tables on one traced pair (see tracing.py), and the classes that the flip raises and lowers most."""

    patching: pd.DataFrame
    attribution: pd.DataFrame
    lens: pd.DataFrame
    rise: str
    fall: str


@dataclass(frozen=True)
class Journey:
    """Where a pair's difference enters, which other words hold it on the way, and when half of it is at the last stop.

    `enters` has every flipped word with its share before the first block; `pooled` is the word that the classifier
    reads, and `depth` the number of blocks after which half of the difference is there. `part` (block, site, share) and
    `head` (block, head, share) are those that carry most. Shares are means of both directions.
    """

    enters: list[tuple[str, float]]
    by_way_of: list[str]
    pooled: str
    depth: int
    part: tuple[int, str, float]
    head: tuple[int, int, float]


def inside_of(tables: SimpleNamespace, axis: str, place: int) -> Inside:
    """The tables on an axis's pair number `place`."""
    kinds = (getattr(tables, f"{axis}_{kind}") for kind in ("patching", "attribution", "lens"))
    patching, attribution, lens = (table[table["pair"] == place] for table in kinds)
    return Inside(patching, attribution, lens, *patching[["rise", "fall"]].iloc[0])


def words_of(inside: Inside) -> pd.Series:
    """How each unit reads: `he → she` where it is flipped."""
    units = inside.patching.query("site == 'residual'").drop_duplicates("unit").set_index("unit").sort_index()
    both = units["word"] + f" {ARROW} " + units["flipped_word"]
    return units["word"].where(units["word"] == units["flipped_word"], both)


def residual_shares(patching: pd.DataFrame) -> pd.DataFrame:
    """Share of the difference that each unit's residual carries over, (units, depths), mean of the directions given."""
    return patching.query("site == 'residual'").groupby(["unit", "block"])["share"].mean().unstack()


def part_shares(patching: pd.DataFrame) -> pd.DataFrame:
    """The same by block for every head, the whole attention and the feed-forward: (blocks, heads + 2)."""
    parts = patching.query("site != 'residual'")
    names = parts["head"].astype(object).where(parts["site"] == "head", parts["site"].map(WHOLE))
    shares = parts["share"].groupby([parts["block"], names.rename("part")]).mean().unstack()
    return shares[[*sorted(set(shares) - set(WHOLE.values())), *WHOLE.values()]]


def journey_of(inside: Inside) -> Journey:
    """Read the journey off the patches."""
    shares, words = residual_shares(inside.patching), words_of(inside)
    pooled = shares.iloc[:, -1].idxmax()  # all of it is there in the end
    sources = words.index[words.str.contains(f" {ARROW} ", regex=False)]
    between = shares.drop(index={*sources, pooled}).max(axis=1).sort_values(ascending=False)
    parts = part_shares(inside.patching)
    wholes, heads = parts[[*WHOLE.values()]].stack(), parts.drop(columns=WHOLE.values()).stack()
    (block, part), (head_block, head) = wholes.idxmax(), heads.idxmax()
    return Journey(
        enters=[(words[unit], float(share)) for unit, share in shares.loc[sources, 0].items()],
        by_way_of=list(words[between[between >= NOTED].index]),
        pooled=words[pooled],
        depth=int((shares.loc[pooled] >= HALF).idxmax()),
        part=(int(block), {"all": "attention", "FF": "feed-forward"}[part], float(wholes.max())),
        head=(int(head_block), int(head), float(heads.max())),
    )


def finding(inside: Inside) -> Markup:
    """One pair's journey in words."""
    journey = journey_of(inside)
    if journey.depth:
        arrival = f"Half of it has reached {_quoted([journey.pooled])} after block {journey.depth - 1}"
    else:
        arrival = f"Half of it is at {_quoted([journey.pooled])} from the start"
    way = f" On the way, a quarter of it or more is also at {_quoted(journey.by_way_of)}." if journey.by_way_of else ""
    units = inside.patching.drop_duplicates("unit").set_index("unit")
    uneven = words_of(inside)[units["tokens"] != units["flipped_tokens"]]
    return prose(
        "The difference enters at {enters}. {arrival}; that is where the classifier reads.{way} Of the blocks' parts, "
        "the {part} of block {block} carries most of it ({share}); of single heads, head {head} of block {head_block} "
        "({head_share}).{note}",
        note=UNEVEN.format(_quoted(uneven)) if len(uneven) else "",
        enters=listed(f"{_quoted([word])} ({percent(share, 0)})" for word, share in journey.enters),
        arrival=arrival,
        way=way,
        part=journey.part[1],
        block=journey.part[0],
        share=percent(journey.part[2], 0),
        head=journey.head[1],
        head_block=journey.head[0],
        head_share=percent(journey.head[2], 0),
    )


def word_maps(inside: Inside) -> dict[str, pd.DataFrame]:
    """Shares by word and depth, a map for each direction; of a long text, the words with the largest shares."""
    words = words_of(inside)
    shown = residual_shares(inside.patching).abs().max(axis=1).nlargest(MOST_WORDS).index.sort_values()
    depths = [*map(str, range(int(inside.patching["block"].max()))), "end"]
    return {
        direction: residual_shares(rows).loc[shown].set_axis(words[shown], axis=0).set_axis(depths, axis=1)
        for direction, rows in inside.patching.groupby("direction", sort=False)
    }


def part_maps(inside: Inside) -> dict[str, pd.DataFrame]:
    """Shares by block and head, a map for each direction."""
    by_direction = inside.patching.groupby("direction", sort=False)
    return {direction: part_shares(rows).rename(columns=str) for direction, rows in by_direction}


def lens_curves(inside: Inside) -> pd.DataFrame:
    """Probabilities of the two classes that the flip moves most: `class, version, depth, probability`."""
    return inside.lens[inside.lens["class"].isin([inside.rise, inside.fall])]


def margin_changes(inside: Inside) -> pd.DataFrame:
    """How much more each part writes for logit(rise) - logit(fall) in the flipped text: `part, block, head, change`.

    The changes add up to that of the margin.
    """
    table = inside.attribution
    sign = table["class"].map({inside.rise: 1, inside.fall: -1}).fillna(0)
    sign *= table["version"].map({"flipped": 1, "original": -1})
    changes = table.assign(change=table["contribution"] * sign).groupby(["part", "block", "head"], sort=False)
    return changes["change"].sum().reset_index()


def block_changes(inside: Inside) -> pd.DataFrame:
    """The same by block and half of a block; block -1 holds the embedding and the constants."""
    changes = margin_changes(inside)
    halves = {"head": "attention", "bias": "attention", "feed_forward": "feed-forward"}
    half = changes["part"].map(halves).fillna("embedding, constants")
    return changes.groupby([changes["block"], half])["change"].sum().unstack()


def writers(inside: Inside, count: int = 3) -> Markup:
    """The parts whose direct contribution to the margin the flip changes most."""
    changes = margin_changes(inside)
    largest = changes.loc[changes["change"].abs().nlargest(count).index]
    return prose(
        "From the original to the flipped text, what is written there for {rise} rather than {fall} grows by {total} "
        "logits; the parts that change most are {parts}.",
        rise=inside.rise,
        fall=inside.fall,
        total=number(changes["change"].sum(), 2),
        parts=listed(f"{_part_name(row)} ({signed(row.change)})" for row in largest.itertuples()),
    )


def dimension_table(dimensions: Mapping[str, pd.DataFrame], agreement: Mapping[str, pd.DataFrame]) -> Markup:
    """How many dimensions stand out on each axis, as they are and relative to their spread."""
    rows = []
    for axis, table in agreement.items():
        for scale, measures in table.groupby("scale", sort=False):
            tested = dimensions[axis][dimensions[axis]["scale"] == scale].sort_values("value", ascending=False)
            found = tested[tested["p_adjusted"] < LEVEL]
            overlap, follows = (measures.set_index("measure").loc[name] for name in ("overlap", "follows spread"))
            rows.append(
                {
                    "axis": axis,
                    "change": SCALES[scale],
                    "word pairs": number(int(overlap["words"])),
                    "dimensions that stand out": f"{len(found)} of {len(tested)}" if overlap["words"] > 1 else "n/a",
                    "largest": listed(tested["dimension"].head(5)),
                    "times the average": estimate(*tested.iloc[0][["value", "low", "high"]], form=_times),
                    "shared by two word pairs": f"{number(overlap['value'], 1)}, by chance "
                    f"{number(overlap['expected'], 1)} (p {p_value(overlap['p'])})"
                    if overlap["words"] > 1
                    else "n/a",
                    "rank correlation with the spread": estimate(*follows[["value", "low", "high"]]),
                }
            )
    caption = (
        "Dimensions of the residual stream that change more than others at the flipped words. Stand out: adjusted p "
        "below 0.05, against profiles whose dimensions are shuffled for each word pair. Times the average: the largest "
        "one's mean over word pairs. Shared: of the largest 5 % of the dimensions. Rank correlation: how far the "
        "change follows the dimension's spread in other texts. Brackets are intervals over word pairs; one pair alone "
        "has none, and cannot be tested."
    )
    return html_table(rows, caption, text=("axis", "change", "largest"))


def dimension_panels(dimensions: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, pd.DataFrame]]:
    """What to draw for each axis: a table of dimensions for each scale; none for an axis without any flip."""
    return {
        axis: {f"change {SCALES[scale]}": rows for scale, rows in table.groupby("scale", sort=False)}
        for axis, table in dimensions.items()
        if len(table)
    }


def common_dimensions(dimensions: Mapping[str, pd.DataFrame]) -> Markup:
    """Which of the largest 5 % of the dimensions all axes share, and so belong to none of them in particular."""
    panels = dimension_panels(dimensions)
    if len(panels) < 2:
        return Markup()
    said = []
    for scale in next(iter(panels.values())):
        width = len(panels[next(iter(panels))][scale])
        count = max(1, round(TOP * width))
        tops = [set(axis[scale].nlargest(count, "value")["dimension"]) for axis in panels.values()]
        said.append(
            f"{scale}, {listed(sorted(set.intersection(*tops)))} "
            f"(chance would share {number(width * (count / width) ** len(tops), 1)} of {count})"
        )
    return prose(
        "Among the largest 5 % for {axes} alike, and so peculiar to neither: {said}.",
        axes=listed(panels),
        said="; ".join(said),
    )


def paper_regions(panels: Mapping[str, pd.DataFrame]) -> dict[int, list[int]]:
    """The dimensions at the paper's places, carried over to a residual stream of another width by proportion."""
    width = 1 + max(int(table["dimension"].max()) for table in panels.values())
    return {
        place: list(range(round(low * width / PAPER_WIDTH), round(high * width / PAPER_WIDTH) + 1))
        for place, (low, high) in REGIONS.items()
    }


def regions(dimensions: Mapping[str, pd.DataFrame]) -> Markup:
    """What is at the places that the paper names, for every axis that can be tested."""
    parts = []
    for axis, panels in dimension_panels(dimensions).items():
        tested = {title: table for title, table in panels.items() if table["p"].notna().all()}
        for place, inside in paper_regions(tested).items() if tested else ():
            said = []
            for title, table in tested.items():
                here = table[table["dimension"].isin(inside)]
                top = here.loc[here["value"].idxmax()]
                said.append(
                    f"{title}, {(here['p_adjusted'] < LEVEL).sum()} of {len(here)} stand out (of any {len(here)}, "
                    f"{number(len(here) * (table['p_adjusted'] < LEVEL).mean(), 1)} would), and the largest is "
                    f"{_times(top['value'])} the average (adjusted p {p_value(top['p_adjusted'])})"
                )
            parts.append(
                prose(
                    "<strong>{axis}, around {place}</strong> (here dimensions {first} to {last}): {said}.",
                    axis=axis.capitalize(),
                    place=place,
                    first=inside[0],
                    last=inside[-1],
                    said="; ".join(said),
                )
            )
    return Markup("\n").join(parts)


def _part_name(row) -> str:
    """A part in words."""
    names = {
        "head": f"head {row.head} of block {row.block}",
        "bias": f"the attention's bias in block {row.block}",
        "feed_forward": f"the feed-forward of block {row.block}",
        "embedding": "the embedding",
        "constant": "the constants",
    }
    return names[row.part]


def _quoted(words: Iterable[str]) -> str:
    return listed(f"\N{LEFT DOUBLE QUOTATION MARK}{word}\N{RIGHT DOUBLE QUOTATION MARK}" for word in words)


def _times(value: float) -> str:
    return f"{number(value, 1)}\N{MULTIPLICATION SIGN}"
