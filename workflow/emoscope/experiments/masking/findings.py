"""The quotable numbers of masking, out of its summaries."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emoscope.reporting.findings import Finding
from emoscope.statistics.equivalence import detectable_from_interval
from emoscope.storage.names import ALL, WHOLE_BLOCK


def findings_of(summary: pd.DataFrame, all_but: pd.DataFrame, first: str, alpha: float) -> Iterator[Finding]:
    """Of every block `b`: `block_change.b.{class}`, `largest_change_of_other_blocks.b`, `accuracy_lead.b` and, with all
    others silenced, `change_without_others.b`. `first` is the class whose probability the authors' code stored."""
    whole = summary[summary["head"] == WHOLE_BLOCK]
    for block in sorted(whole["block"].unique()):
        own = whole[whole["block"] == block]
        for group in dict.fromkeys(own["group"]):
            yield from block_change(own[own["group"] == group], f"block_change.{block}.{group}", first)
        described = whole[whole["condition"] == "described"]
        yield from largest_change_of_other_blocks(described, block, alpha)
        yield from accuracy_lead(described, block, alpha)
    for block, rows in all_but[all_but["group"] == ALL].groupby("block"):
        yield from change_without_others(rows, f"change_without_others.{block}")


def block_change(rows: pd.DataFrame, name: str, first: str) -> Iterator[Finding]:
    """Mean change of P(own class), as the text describes, and of P(first class), as the code computed it."""
    described, code = _row(rows, "described", "probability"), _row(rows, "published", "first_class")
    if described is not None:
        note = "The authors' procedure gives {:+.3g} here, being the change of P({})."
        yield _mean(name, described, code, "" if code is None else note.format(code["change"], first))


def largest_change_of_other_blocks(described: pd.DataFrame, block: int, alpha: float) -> Iterator[Finding]:
    """The mean change of P(own class) furthest from zero, over the other blocks and all classes.

    "No effect" holds if every cell passes the equivalence test (an intersection-union test needs no adjustment), and
    fails if one lies beyond the margin (Bonferroni). The interval spans those of all cells, unless the largest survives
    control of the false discovery rate; `detectable` is that of the worst cell.
    """
    rows = described[(described["block"] != block) & (described["measure"] == "probability")]
    rows = rows[rows["group"] != ALL]
    if rows.empty:
        return
    row = rows.loc[rows["change"].abs().idxmax()]
    certain = row["p_adjusted"] <= alpha
    counts = rows["verdict"].value_counts()
    kinds = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("equivalent", "different", "underpowered"))
    yield Finding(
        f"largest_change_of_other_blocks.{block}",
        value=row["change"],
        low=row["low"] if certain else rows["low"].min(),
        high=row["high"] if certain else rows["high"].max(),
        note=f"The largest is at block {row['block']}, {row['group']}. Of {len(rows)} blocks and classes: {kinds}.",
        texts=row["texts"],
        detectable=rows["detectable"].max(),
        within=rows["p_equivalence"].max(),
        beyond=min(1, len(rows) * rows["p_beyond"].min()),
    )


def accuracy_lead(described: pd.DataFrame, block: int, alpha: float) -> Iterator[Finding]:
    """How much more accuracy masking this block costs than masking the costliest other; a conservative interval."""
    rows = described[(described["measure"] == "accuracy") & (described["group"] == ALL)]
    own, others = rows[rows["block"] == block], rows[rows["block"] != block]
    if own.empty or others.empty:
        return
    own, rival = own.iloc[0], others.loc[others["change"].idxmin()]
    costliest = f"at block {rival['block']}, the costliest other, by {rival['change']:+.3f}"
    low, high = rival["low"] - own["high"], rival["high"] - own["low"]
    yield Finding(
        f"accuracy_lead.{block}",
        value=rival["change"] - own["change"],
        low=low,
        high=high,
        note=f"Accuracy changes by {own['change']:+.3f}; {costliest}.",
        texts=own["texts"],
        detectable=detectable_from_interval(low, high, alpha),
    )


def change_without_others(rows: pd.DataFrame, name: str) -> Iterator[Finding]:
    """Mean change of P(own class) when every block but this one is silenced, as the text describes."""
    described, code = _row(rows, "described", "probability"), _row(rows, "published", "first_class")
    if described is not None:
        note = "" if code is None else f"The authors' procedure gives {code['change']:+.3g}."
        yield _mean(name, described, code, note)


def _row(rows: pd.DataFrame, condition: str, measure: str) -> pd.Series | None:
    found = rows[(rows["condition"] == condition) & (rows["measure"] == measure)]
    return found.iloc[0] if len(found) else None


def _mean(name: str, row: pd.Series, code: pd.Series | None, note: str) -> Finding:
    return Finding(
        name,
        *row[["change", "low", "high"]],
        note,
        *([np.nan] * 3 if code is None else code[["change", "low", "high"]]),
        texts=row["texts"],
        detectable=row["detectable"],
        within=row["p_equivalence"],
        beyond=row["p_beyond"],
    )
