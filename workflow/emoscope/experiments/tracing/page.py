"""What the flips report says of the pairs that change most, from inside: patching, attribution, lens and dimensions."""

from collections.abc import Iterable, Mapping
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.tracing.journey import Inside, concentration, journey_of, margin_changes, words_of
from emoscope.experiments.tracing.regions import LEVEL, paper_regions, region_test, shared_dimensions
from emoscope.reporting.html import cell, html_table, listed, number, p_value, percent, signed
from emoscope.reporting.passages import passage

say = partial(passage, "flips")
SITES = {"residual": "residual stream", "attention": "output of the attention"}
SCALES = {"plain": "as it is", "standardised": "over its spread"}
PARTS = {
    "head": "head {0.head} of block {0.block}",
    "bias": "the attention's bias in block {0.block}",
    "feed_forward": "the feed-forward of block {0.block}",
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


def writers(inside: Inside, count: int = 3) -> Markup:
    """The parts whose direct contribution to the margin the flip changes most."""
    changes = margin_changes(inside)
    largest = changes.loc[changes["change"].abs().nlargest(count).index]
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


def dimension_table(dimensions: Mapping[str, pd.DataFrame], agreement: Mapping[str, pd.DataFrame]) -> Markup:
    """How many dimensions stand out on each axis, as they are and relative to their spread."""
    rows = []
    for axis, table in agreement.items():
        for scale, measures in table.groupby("scale", sort=False):
            tested = dimensions[axis][dimensions[axis]["scale"] == scale].sort_values("value", ascending=False)
            overlap, follows = (measures.set_index("measure").loc[name] for name in ("overlap", "follows spread"))
            out = f"{(tested['p_adjusted'] < LEVEL).sum()} of {len(tested)}"
            shared, expected = number(overlap["value"], 1), number(overlap["expected"], 1)
            several = overlap["words"] > 1
            rows.append(
                {
                    "axis": axis,
                    "change": SCALES[scale],
                    "word pairs": number(int(overlap["words"])),
                    "dimensions that stand out": out if several else "n/a",
                    "largest": listed(tested["dimension"].head(5)),
                    "times the average": cell(
                        tested.iloc[0], lambda value: f"{number(value, 1)}\N{MULTIPLICATION SIGN}"
                    ),
                    "shared by two word pairs": f"{shared}, by chance {expected} (p {p_value(overlap['p'])})"
                    if several
                    else "n/a",
                    "rank correlation with the spread": cell(follows),
                }
            )
    return html_table(rows, say("dimension_table"), text=("axis", "change", "largest"))


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
    titles = next(iter(panels.values()))
    shared = {title: shared_dimensions([axis[title] for axis in panels.values()]) for title in titles}
    return say("common_dimensions", axes=panels, shared=shared)


def regions(dimensions: Mapping[str, pd.DataFrame]) -> Markup:
    """What is at the places that the paper names, for every axis that can be tested."""
    parts = []
    for axis, panels in dimension_panels(dimensions).items():
        tested = {title: table for title, table in panels.items() if table["p"].notna().all()}
        for place, inside in paper_regions(tested).items() if tested else ():
            tests = {title: region_test(table, inside) for title, table in tested.items()}
            parts.append(say("region", axis=axis, place=place, dimensions=inside, tests=tests))
    return Markup("\n").join(parts)


def _quoted(words: Iterable[str]) -> str:
    """Words in a row, each in quotation marks; empty if there are none."""
    quoted = [f"\N{LEFT DOUBLE QUOTATION MARK}{word}\N{RIGHT DOUBLE QUOTATION MARK}" for word in words]
    return listed(quoted) if quoted else ""


def _times(value: float) -> str:
    return f"{number(value, 1)}\N{MULTIPLICATION SIGN}"
