"""What the fairness report says: tables and sentences about two groups of people on each axis."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import SimpleNamespace

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.fairness.groups import (
    ACCURACY,
    BASE_RATE,
    CALIBRATION_ERROR,
    COLUMN,
    FALSE_POSITIVES,
    OVERCONFIDENCE,
    TRUE_POSITIVES,
    WORDS,
)
from emoscope.perturbation.pair_tables import ORIGINS, told_gaps
from emoscope.reporting.html import (
    added,
    badge,
    cell,
    details,
    estimate,
    html_table,
    number,
    p_value,
    percent,
    signed,
    unsigned,
)
from emoscope.reporting.passages import passage

say = partial(passage, "fairness")
SHOWN_TESTS = 12
UNJUDGED = {CALIBRATION_ERROR: "not judged"}
RATES = {TRUE_POSITIVES: "true positives", FALSE_POSITIVES: "false positives"}


def gaps_of(tables: SimpleNamespace, axes: Sequence[str]) -> dict[tuple[str, str], pd.DataFrame]:
    """The summaries of flips by axis and kind of text, `gap_{class}` among their measures."""
    return {
        (axis, ORIGINS[origin]): rows
        for axis in axes
        for origin, rows in getattr(tables, f"{axis}_summary").groupby("origin", sort=False)
        if origin in ("natural", "template") and rows["measure"].str.startswith("gap_").any()
    }


def main_result(gaps: Mapping[tuple[str, str], pd.DataFrame], groups: pd.DataFrame) -> Markup:
    """The headline: for which classes the people in the same text make a difference."""
    return say(
        "main_result", gaps=[(axis, of, _sides(groups, axis), *told_gaps(rows)) for (axis, of), rows in gaps.items()]
    )


def gap_sentences(gaps: Mapping[tuple[str, str], pd.DataFrame], groups: pd.DataFrame) -> Markup:
    """For which classes the same text gets another answer with other people in it, axis by axis."""
    parts = []
    for (axis, of), rows in gaps.items():
        told, counts = told_gaps(rows)
        gap = rows[rows["measure"].str.startswith("gap_")]
        counts |= {"detectable": gap["detectable"].max(), "pairs": int(gap["pairs"].max())}
        parts.append(say("gap", axis=axis, of=of, sides=_sides(groups, axis), told=told, **counts))
    return Markup("\n").join(parts)


def absolute(changes: pd.DataFrame) -> Markup:
    """How far each class's probability moves, whichever way, beside neutral swaps."""
    rows = [
        {
            "axis": row["axis"],
            "of": ORIGINS[row["origin"]],
            "class": row["class"],
            "mean change": cell(row, unsigned),
            "neutral swaps": unsigned(row["neutral"]),
            "beyond them": estimate(row["excess"], row["excess_low"], row["excess_high"]),
            "adjusted p": p_value(row["p_adjusted"]),
            "would show from, as the only one": unsigned(row["detectable"]),
            "pairs": number(int(row["pairs"])),
            "with a swap": number(int(row["controls"])),
        }
        for row in changes.to_dict("records")
    ]
    return html_table(rows, say("absolute"), text=("axis", "of", "class"))


def of_both(groups: pd.DataFrame) -> pd.DataFrame:
    """The rows of the axes of which both groups have texts: of others there is nothing to compare."""
    most = groups.groupby("axis")[["first_texts", "second_texts"]].transform("max")
    return groups[(most > 0).all(axis=1)]


def described(groups: pd.DataFrame) -> Markup:
    """What the texts of two groups are: how many, how long, of which classes."""
    rows = []
    for axis, table in of_both(groups).groupby("axis", sort=False):
        names = table.iloc[0][["first_group", "second_group"]]
        for row in table[table["measure"].isin((WORDS, BASE_RATE))].to_dict("records"):
            form = percent if row["measure"] == BASE_RATE else partial(number, digits=1)
            rows.append({
                "axis": axis,
                "": f"share of {row['class']}" if row["measure"] == BASE_RATE else "words in a text",
                "first group": f"{names.iloc[0]}: {form(row['first'])}",
                "second group": f"{names.iloc[1]}: {form(row['second'])}",
                "difference": estimate(row["difference"], row["low"], row["high"], partial(added, form=form)),
                "texts": f"{row['first_texts']:,} and {row['second_texts']:,}",
            })  # fmt: skip
    return html_table(rows, say("described"), text=("axis", "", "first group", "second group"))


def column_sentence(audit: Mapping) -> Markup:
    """Which column of the corpus tells groups, and how many texts each has."""
    counts = dict(audit["group_counts"])
    without = counts.pop("", 0)
    return say("column", column=audit["group"], counts=counts, without=without)


def drawn(groups: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The differences of true and false positives to draw, by the name of the figure: those of flips, and of the groups
    that a column tells those in which some rate differs for certain."""
    figures = {}
    for place, axis in enumerate(groups["axis"].unique()):
        rows = forest_rows(groups, axis)
        told = axis.startswith(COLUMN)
        if rows["low"].notna().any() and (not told or (rows["verdict"] == "different").any()):
            figures[f"rates_column_{place}" if told else f"rates_{axis}"] = rows
    return figures


def rates(groups: pd.DataFrame) -> Markup:
    """Accuracy, true and false positives of texts about either group."""
    chosen = of_both(groups)
    chosen = chosen[chosen["measure"].isin((ACCURACY, *RATES))]
    return html_table(
        list(map(_compared, chosen.to_dict("records"))), say("rates"), text=("axis", "", "class", "no difference?")
    )


def confidence(groups: pd.DataFrame) -> Markup:
    """Whether confidence can be trusted as far for texts about either group."""
    chosen = of_both(groups)
    chosen = chosen[chosen["measure"].isin((OVERCONFIDENCE, CALIBRATION_ERROR))]
    rows = [
        {key: value for key, value in _compared(row).items() if key != "class"} for row in chosen.to_dict("records")
    ]
    return html_table(rows, say("confidence"), text=("axis", "", "no difference?"))


def rate_sentences(groups: pd.DataFrame) -> Markup:
    """For which classes texts about the two groups are judged at different rates, and what it takes to see one."""
    parts = []
    for axis, table in groups.groupby("axis", sort=False):
        if of_both(table).empty:
            texts = [int(table[f"{side}_texts"].max()) for side in ("first", "second")]
            parts.append(say("alone", axis=axis, sides=_sides(groups, axis), texts=texts))
            continue
        judged, shares = table[table["measure"].isin(tuple(RATES))], table[table["measure"] == BASE_RATE]
        different = judged[judged["verdict"] == "different"]
        told = [
            f"{row['measure']} of {row['class']} {added(row['difference'])}" for row in different.to_dict("records")
        ]
        parts.append(
            say(
                "rates_differ",
                axis=axis,
                sides=_sides(groups, axis),
                told=told,
                counts=[(judged["verdict"] == verdict).sum() for verdict in ("equivalent", "underpowered", "")],
                measured=len(judged),
                detectable=judged["detectable"].median(),
                mix=shares.loc[shares["difference"].abs().idxmax()] if shares["difference"].notna().any() else None,
            )
        )
    return Markup("\n").join(parts)


def forest_rows(groups: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The differences of true and false positives of one axis as rows of a forest plot."""
    chosen = groups[(groups["axis"] == axis) & groups["measure"].isin(tuple(RATES))]
    return chosen.assign(name=chosen["class"], series=chosen["measure"], value=chosen["difference"])


def tests(templates: pd.DataFrame) -> Markup:
    """The templates and persons with the clearest gaps, and how many there are."""
    rows = []
    for (axis, unit), table in templates.groupby(["axis", "unit"], sort=False):
        clearest = table.assign(size=table["value"].abs()).sort_values(["p", "size"], ascending=[True, False])
        rows += [
            {
                "axis": axis,
                "one": unit,
                "": row["name"],
                "class": row["class"],
                "mean gap": cell(row),
                "adjusted p": p_value(row["p_adjusted"]),
                "would show from, as the only one": unsigned(row["detectable"]),
                "pairs": number(int(row["pairs"])),
                "no effect?": badge(row["verdict"]),
            }
            for row in clearest.head(SHOWN_TESTS).to_dict("records")
        ]
    table = html_table(rows, say("tests", shown=SHOWN_TESTS), text=("axis", "one", "", "class", "no effect?"))
    return details("The clearest", table)


def test_sentences(templates: pd.DataFrame) -> Markup:
    """In how many templates, and for how many persons, some class tells the groups apart."""
    parts = []
    for (axis, unit), table in templates.groupby(["axis", "unit"], sort=False):
        different = table[table["verdict"] == "different"]
        parts.append(
            say("tested", axis=axis, unit=unit, units=table["name"].nunique(), classes=table["class"].nunique(),
                apart=different["name"].nunique(), different=len(different), detectable=table["detectable"].median())
        )  # fmt: skip
    return Markup("\n").join(parts)


def _sides(groups: pd.DataFrame, axis: str) -> tuple[str, str]:
    return tuple(groups[groups["axis"] == axis].iloc[0][["first_group", "second_group"]])


def _compared(row: Mapping) -> dict:
    form = _form(row["measure"])
    sides = [estimate(row[side], row[f"{side}_low"], row[f"{side}_high"], form) for side in ("first", "second")]
    return {
        "axis": row["axis"],
        "": row["measure"],
        "class": row["class"] or "all",
        "first group": Markup("{}: {}").format(row["first_group"], sides[0]),
        "second group": Markup("{}: {}").format(row["second_group"], sides[1]),
        "difference": estimate(row["difference"], row["low"], row["high"], partial(added, form=form)),
        "adjusted p": p_value(row["p_adjusted"]),
        "would show from, as the only one": form(row["detectable"]).lstrip("+"),
        "texts": f"{row['first_texts']:,} and {row['second_texts']:,}",
        "no difference?": badge(row["verdict"]) if row["verdict"] else UNJUDGED.get(row["measure"], "too few texts"),
    }


def _form(measure: str):
    if measure in (OVERCONFIDENCE, CALIBRATION_ERROR):
        return signed
    return partial(number, digits=1) if measure == WORDS else percent
