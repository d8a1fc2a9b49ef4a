"""The quotable numbers of masking, out of its summaries."""

from collections.abc import Iterator, Mapping
from functools import partial

import pandas as pd

from emoscope.experiments.masking.measures import PAIR
from emoscope.reporting.findings import Finding
from emoscope.statistics.equivalence import detectable_from_interval, largest
from emoscope.statistics.sample_size import texts_for_no_change
from emoscope.storage.names import ALL, WHOLE_BLOCK

CHANGES = ("probability", "accuracy")


def findings_of(
    summary: pd.DataFrame, all_but: pd.DataFrame, pairs: pd.DataFrame, first: str, alpha: float
) -> Iterator[Finding]:
    """Of every block `b`: `block_change.b.{class}`, `largest_change_of_other_blocks.b`, `probability_lead.b` and
    `accuracy_lead.b`; with all others silenced, `change_without_others.b` and, of each class's texts,
    `change_without_others.b.{class}`. `first` is the class whose probability the authors' code stored.

    Of every condition, all texts together: `{probability or accuracy}_change.{condition}.b` and, all others masked,
    `{probability or accuracy}_change_without_others.{condition}.b`. Of pairs of heads: `interaction.{block}.{head}.
    {block}.{head}` of the logit margin.
    """
    summary, all_but = (
        table.assign(fewest=table["equivalence_margin"].map(partial(texts_for_no_change, alpha=alpha)))
        for table in (summary, all_but)
    )
    whole = summary[summary["head"] == WHOLE_BLOCK]
    for block in sorted(whole["block"].unique()):
        own = whole[whole["block"] == block]
        for group in dict.fromkeys(own["group"]):
            yield from block_change(own[own["group"] == group], f"block_change.{block}.{group}", first)
        described = whole[whole["condition"] == "described"]
        yield from largest_change_of_other_blocks(whole, block, alpha)
        for measure in ("probability", "accuracy"):
            yield from lead(described, block, measure, alpha)
    for (block, group), rows in all_but.groupby(["block", "group"], sort=False):
        name = f"change_without_others.{block}"
        yield from change_without_others(rows, name if group == ALL else f"{name}.{group}")
    yield from changes_by_condition(whole, "change")
    yield from changes_by_condition(all_but, "change_without_others")
    for pair in pairs[pairs["measure"] == "margin"].to_dict("records"):
        place = ".".join(str(pair[name]) for name in PAIR)
        yield Finding(f"interaction.{place}", pair["change"], pair["low"], pair["high"], pair["verdict"])


def changes_by_condition(rows: pd.DataFrame, name: str) -> Iterator[Finding]:
    """The mean change of P(own class) and of accuracy in all texts together, for every condition and block."""
    for row in rows[(rows["group"] == ALL) & rows["measure"].isin(CHANGES)].to_dict("records"):
        yield _mean(f"{row['measure']}_{name}.{row['condition']}.{row['block']}", row, None, "")


def block_change(rows: pd.DataFrame, name: str, first: str) -> Iterator[Finding]:
    """Mean change of P(own class), as the text describes, and of P(first class), as the code computed it."""
    described, code = _row(rows, "described", "probability"), _row(rows, "published", "first_class")
    if described is not None:
        note = "The authors' procedure gives {:+.3g} here, being the change of P({})."
        yield _mean(name, described, code, "" if code is None else note.format(code["change"], first))


def largest_change_of_other_blocks(whole: pd.DataFrame, block: int, alpha: float) -> Iterator[Finding]:
    """The mean change of P(own class) furthest from zero, over the other blocks and all classes; beside it that of
    P(first class), by the authors' procedure.

    "No effect" holds if every cell passes the equivalence test (an intersection-union test needs no adjustment), and
    fails if one lies beyond the margin (Bonferroni). The interval is that of the largest of so many; `detectable` is
    that of the worst cell.
    """
    others = whole[(whole["block"] != block) & (whole["group"] != ALL)]
    rows, code = (
        others[(others["condition"] == condition) & (others["measure"] == measure)]
        for condition, measure in (("described", "probability"), ("published", "first_class"))
    )
    if rows.empty:
        return
    by_code = None if code.empty else code.loc[code["change"].abs().idxmax()]
    place, (low, high) = largest(*rows[["change", "low", "high"]].to_numpy(dtype=float).T, alpha)
    row = rows.iloc[place]
    counts = rows["verdict"].value_counts()
    kinds = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("equivalent", "different", "underpowered"))
    yield Finding(
        f"largest_change_of_other_blocks.{block}",
        value=row["change"],
        low=low,
        high=high,
        note=f"The largest is at block {row['block']}, {row['group']}. Of {len(rows)} blocks and classes: {kinds}.",
        **_by_code(by_code),
        texts=row["texts"],
        detectable=rows["detectable_alone"].max(),
        within=rows["p_equivalence"].max(),
        beyond=min(1, len(rows) * rows["p_beyond"].min()),
        fewest=row["fewest"],
    )


def lead(described: pd.DataFrame, block: int, measure: str, alpha: float) -> Iterator[Finding]:
    """How much more of P(own class), or of accuracy, masking this block costs than masking the costliest other.

    The interval is conservative: it takes the worst of its interval and those of all others.
    """
    rows = described[(described["measure"] == measure) & (described["group"] == ALL)]
    own, others = rows[rows["block"] == block], rows[rows["block"] != block]
    if own.empty or others.empty:
        return
    own, rival = own.iloc[0], others.loc[others["change"].idxmin()]
    costliest = f"at block {rival['block']}, the costliest other, by {rival['change']:+.3f}"
    low, high = others["low"].min() - own["high"], others["high"].min() - own["low"]
    yield Finding(
        f"{measure}_lead.{block}",
        value=rival["change"] - own["change"],
        low=low,
        high=high,
        note=f"{measure.capitalize()} changes by {own['change']:+.3f}; {costliest}.",
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


def _mean(name: str, row: Mapping, code: Mapping | None, note: str) -> Finding:
    return Finding(
        name,
        row["change"],
        row["low"],
        row["high"],
        note,
        **_by_code(code),
        texts=row["texts"],
        detectable=row["detectable_alone"],
        within=row["p_equivalence"],
        beyond=row["p_beyond"],
        fewest=row["fewest"],
    )


def _by_code(row: Mapping | None) -> dict[str, float]:
    """The fields of a finding that say what the authors' code finds."""
    return {} if row is None else {"code": row["change"], "code_low": row["low"], "code_high": row["high"]}
