"""How the comparison lays out its tables and counts: groups of runs with the spread between their seeds."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import added, cell, details, html_table, listed
from emoscope.storage.names import ALL
from emoscope.verdicts.comparison.scores import ABOVE

DIFFERENCES = ("excess_", ABOVE)  # how the names of measures that are differences begin


def both(rows: pd.DataFrame, found: Mapping[tuple[str, str], str], caption: str, form) -> Markup:
    """Groups with intervals and spread, and the runs to unfold where some group has several; nothing for no rows."""
    keys = list(zip(rows["origin"], rows["measure"], strict=True))
    rows = rows.assign(title=[found.get(key) for key in keys])
    rows = rows[rows["title"].notna() & rows["value"].notna()]
    titles = [title for title in dict.fromkeys(found.values()) if title in set(rows["title"])]
    whole = rows["run"] == ALL
    groups = _wide(rows[whole], "group", "set-up", titles, form)
    if (rows.loc[whole, "seeds"] <= 1).all():
        return html_table(groups, caption, text=("set-up",))
    runs = html_table(_wide(rows[~whole], "run", "run", titles, form), "", text=("run",))
    return html_table(groups, caption, text=("set-up",)) + details("Seed by seed", runs)


def _wide(rows: pd.DataFrame, by: str, label: str, titles: Sequence[str], form) -> list[dict]:
    return [
        {label: unbroken(name), **{title: with_spread(part[part["title"] == title], form) for title in titles}}
        for name, part in rows.groupby(by, sort=False)
    ]


def with_spread(rows: pd.DataFrame, form) -> Markup | str:
    """An estimate and, in round brackets, the spread between seeds."""
    if rows.empty:
        return "n/a"
    row = rows.iloc[0]
    spread = form(row["spread"]).lstrip("+")
    shown = partial(added, form=form) if row["measure"].startswith(DIFFERENCES) else form
    return cell(row, shown) + (
        Markup() if pd.isna(row["spread"]) else Markup(' <span class="interval">({})</span>').format(spread)
    )


def spread_told(rows: pd.DataFrame) -> str:
    """That the spread stands in round brackets, to end a caption with; nothing where no group has several seeds."""
    return "; in round brackets the standard deviation between seeds" if (rows["seeds"] > 1).any() else ""


def tally(found: pd.Series) -> str:
    """What was found in words: the finding of a single run, or each with how many runs have it."""
    counts, runs = found.value_counts(), len(found)
    return listed(f"{name} in {count} of {runs}" if runs > 1 else name for name, count in counts.items())


def unbroken(name: str) -> Markup:
    """A name that no line break tears apart."""
    return Markup('<span class="run">{}</span>').format(name)


def seeds_of(runs: Mapping[str, Mapping]) -> dict[str, list[str]]:
    """The runs of each group, in their order."""
    found: dict[str, list[str]] = {}
    for run, about in runs.items():
        found.setdefault(about["name"], []).append(run)
    return found
