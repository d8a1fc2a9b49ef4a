"""What the tables on a traced pair say: how the difference travels through the model, and which parts write it."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

ARROW = "\N{RIGHTWARDS ARROW}"
HALF, NOTED = 0.5, 0.25  # shares of the difference: moved to a word; worth naming
MOST_WORDS = 40  # rows of a map; of a longer text only the words that matter most are drawn
WHOLE = {"attention": "all", "feed_forward": "MLP"}  # columns of a map beside the heads


@dataclass(frozen=True)
class Inside:
    """The tables on one traced pair (see measure.py), and the classes that the flip raises and lowers most."""

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
    """The same by block for every head, the whole attention and the MLP: (blocks, heads + 2)."""
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
        part=(int(block), {"all": "attention"}.get(part, part), float(wholes.max())),
        head=(int(head_block), int(head), float(heads.max())),
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
    halves = {"head": "attention", "bias": "attention", "feed_forward": "MLP"}
    half = changes["part"].map(halves).fillna("embedding, constants")
    return changes.groupby([changes["block"], half])["change"].sum().unstack()


def concentration(trace: pd.DataFrame) -> dict[str, float]:
    """Where the change of one site's activations sits, as shares of the sum of its absolute values.

    `on` the flipped words and `before` the first of them; also how many `words` there are and how many are `flipped`.
    """
    size = (trace["flipped"] - trace["original"]).abs()
    units = trace.assign(size=size).groupby("unit")
    words = units.agg(size=("size", "sum"), word=("word", "first"), flipped=("flipped_word", "first"))
    changed, total = words["word"] != words["flipped"], words["size"].sum() or np.nan
    return {
        "words": len(words),
        "flipped": int(changed.sum()),
        "on": words.loc[changed, "size"].sum() / total,
        "before": words.loc[: changed.idxmax(), "size"].iloc[:-1].sum() / total,
    }
