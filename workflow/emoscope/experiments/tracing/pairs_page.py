"""What the page on flips from inside says of the strongest pairs, one by one."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.tracing.journey import Inside, concentration, journey_of, margin_changes, words_of
from emoscope.experiments.tracing.page import PARTS
from emoscope.perturbation.pair_examples import most_changed, pair_texts
from emoscope.perturbation.pair_tables import ORIGINS
from emoscope.perturbation.pairs import scored
from emoscope.reporting.html import html_table, listed, number, percent, signed
from emoscope.reporting.passages import passage
from emoscope.storage.decisions import as_matrix

say = partial(passage, "tracing")
SITES = {"residual": "residual stream", "attention": "output of the attention"}


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
