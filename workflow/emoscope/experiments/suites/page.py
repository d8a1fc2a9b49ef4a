"""What the suites report says: tables and sentences over pairs that others wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.suites.goals import FOLLOWS
from emoscope.perturbation.pair_examples import examples
from emoscope.perturbation.pair_tables import balance_table, beyond, control_texts, found, told_gaps
from emoscope.perturbation.pairs import NEUTRAL_ORIGINS, countable, named_first, scored, unread
from emoscope.reporting.html import added, cell, details, estimate, html_table, number, p_value, percent
from emoscope.reporting.passages import passage

say = partial(passage, "suites")
PRESETS = {
    "eec": "Equity Evaluation Corpus (Kiritchenko and Mohammad 2018)",
    "winogender": "Winogender (Rudinger et al. 2018)",
    "cebab": "CEBaB (Abraham et al. 2022)",
}
EXAMPLES = 5


@dataclass(frozen=True)
class Scored:
    """The tables of one suite; `pairs` with their scores, without controls."""

    entry: Mapping
    pairs: pd.DataFrame
    summary: pd.DataFrame
    balance: pd.DataFrame
    goals: pd.DataFrame

    @property
    def sides(self) -> tuple[str, str] | None:
        """The two groups of people that the texts of a pair are about, first the one that gaps count up; or None."""
        signs, directions = named_first(self.pairs), self.pairs["direction"]
        if not signs.any() or len({frozenset(each.split(" to ")) for each in directions if each}) != 1:
            return None
        place = int(signs.nonzero()[0][0])
        return tuple(directions.iloc[place].split(" to ")[:: int(signs[place])])

    @property
    def people(self) -> int:
        """How many pairs of names or nouns stand in the texts, the same ones in many; 0 if that is not known."""
        return self.pairs.loc[self.pairs["people"] != "", "people"].nunique()


def suites_of(tables: SimpleNamespace, entries: Mapping[str, Mapping]) -> dict[str, Scored]:
    """The tables of every suite that the run has scored, from those that the notebook loaded; without those of which
    the model reads nothing that the pairs exchange."""
    result = {}
    for suite, entry in entries.items():
        if not hasattr(tables, f"{suite}_pairs"):
            continue
        pairs, scores, summary, balance = (
            getattr(tables, f"{suite}_{kind}") for kind in ("pairs", "scores", "summary", "balance")
        )
        pairs = scored(pairs, scores)
        own = pairs[countable(pairs) & ~pairs["origin"].isin(NEUTRAL_ORIGINS)]
        goals = tables.goals[tables.goals["suite"] == suite]
        if len(own):
            result[suite] = Scored(entry, own, summary, balance, goals)
    return result


def unread_suites(tables: SimpleNamespace, entries: Mapping[str, Mapping]) -> dict[tuple[str, ...], int]:
    """The suites, and the groups of others, of which the model reads nothing that the pairs exchange; their pairs."""
    result = {}
    for suite in entries:
        if hasattr(tables, f"{suite}_pairs"):
            pairs = scored(getattr(tables, f"{suite}_pairs"), getattr(tables, f"{suite}_scores"))
            own = pairs[~pairs["origin"].isin(NEUTRAL_ORIGINS)]
            whole, groups = sum(unread(own, "origin").values()), unread(own, "term").items()
            result |= {(suite,): whole} if whole else {(suite, group): lost for group, lost in groups}
    return result


def kinds(suites: Mapping[str, Scored]) -> dict[tuple[str, str], pd.DataFrame]:
    """The summaries by suite and group, all groups together first."""
    return {
        (suite, group or "all"): rows
        for suite, one in suites.items()
        for group, rows in one.summary.groupby("term", sort=False)
    }


def whole(suites: Mapping[str, Scored]) -> dict[str, pd.DataFrame]:
    """The summary of each suite as a whole; of one with a single group, that group's."""
    return {suite: next(rows for (name, _), rows in kinds(suites).items() if name == suite) for suite in suites}


def titled(summaries: Mapping[str, pd.DataFrame]) -> dict[tuple[str], pd.DataFrame]:
    """Summaries by suite as rows of tables want them."""
    return {(suite,): summary for suite, summary in summaries.items()}


def main_result(suites: Mapping[str, Scored]) -> Markup:
    """The headline: how many predictions each suite changes, beside neutral words, and whether as its pairs ask."""
    return say(
        "main_result",
        suites=[
            (suite, control_texts(summary)[0], found(summary, "changed"), beyond(summary), _whole_goal(suites[suite]))
            for suite, summary in whole(suites).items()
        ],
    )


def setting(suites: Mapping[str, Scored]) -> Markup:
    """What each suite is."""
    rows = []
    for suite, one in suites.items():
        groups, goals = one.pairs["term"].value_counts(sort=False), one.pairs["goal"].replace("", "not said")
        asked = goals.value_counts() if (goals != "not said").any() else {}
        rows.append(
            {
                "suite": suite,
                "from": PRESETS.get(one.entry.get("preset"), "a file of yours") + f", {Path(one.entry['path']).name}",
                "pairs": number(len(one.pairs)),
                "of these independent": number(one.pairs["cluster"].nunique()),
                "of these with a text that stands in the training set": number(int(one.pairs["known"].sum())),
                "first and second text": " and ".join(one.sides) if one.sides else "as they come",
                "groups": ", ".join(f"{name} {count:,}" for name, count in groups.items())
                if len(groups) > 1
                else "one",
                "asked of the prediction": ", ".join(f"{name} {count:,}" for name, count in dict(asked).items())
                or "nothing",
            }
        )
    text = ("suite", "from", "first and second text", "groups", "asked of the prediction")
    return html_table(rows, say("setting"), text=text)


def controls(suites: Mapping[str, Scored]) -> Markup:
    """How many pairs have a fair control, and in what these are not alike."""
    return Markup("\n").join(
        say(
            "control",
            suite=suite,
            changed=found(summary, "changed"),
            beyond=beyond(summary),
            texts=control_texts(summary)[0],
            fair=control_texts(summary)[1],
            unlike=suites[suite].balance.loc[~suites[suite].balance["balanced"].astype(bool), "measure"].tolist(),
        )
        for suite, summary in whole(suites).items()
    )


def balances(suites: Mapping[str, Scored]) -> Markup:
    """How alike controls and pairs are, suite by suite."""
    tables = [Markup("<h3>{}</h3>{}").format(suite, balance_table(one.balance)) for suite, one in suites.items()]
    return details("How alike pairs and controls are", *tables)


def gap_findings(suites: Mapping[str, Scored]) -> Markup:
    """For which classes the model tells the two groups of people apart, suite by suite."""
    parts = []
    for suite, summary in whole(suites).items():
        told, counts = told_gaps(summary)
        if counts["classes"]:
            one = suites[suite]
            parts.append(say("gap_findings", suite=suite, sides=one.sides, people=one.people, told=told, **counts))
    return Markup("\n").join(parts)


def goal_table(suites: Mapping[str, Scored]) -> Markup:
    """How often predictions do what the pairs ask, beside exchanged goals, the commonest one and a bag of words."""
    alike = any(one.goals["opposite"].notna().any() for one in suites.values())
    rows = [
        {
            "suite": suite,
            "group": row["group"] or "all",
            "": row["measure"],
            "does so": cell(row, percent),
            "exchanged goals": percent(row["chance"]),
            "beyond them": estimate(row["lead"], row["lead_low"], row["lead_high"], added),
            **({"the opposite": cell(_bounded(row, "opposite"), percent)} if alike else {}),
            "a bag of words": cell(_bounded(row, "words"), percent),
            "beyond it": estimate(row["above_words"], row["above_low"], row["above_high"], added),
            "adjusted p": p_value(row["p_adjusted"]),
            "always the commonest": f"{percent(row['always'])} ({row['commonest']})",
            "pairs": number(int(row["pairs"])),
            "independent": number(int(row["clusters"])),
        }
        for suite, one in suites.items()
        for row in one.goals.to_dict("records")
    ]
    return html_table(rows, say("goal_table"), text=("suite", "group", "", "always the commonest"))


def goal_findings(suites: Mapping[str, Scored], alpha: float) -> Markup:
    """Whether predictions follow more often than chance and than the commonest goal would, suite by suite."""
    goals = {suite: row for suite, one in suites.items() if (row := _whole_goal(one)) is not None}
    return Markup("\n").join(
        say("goal_findings", suite=suite, goal=row, **_beside(row), alpha=alpha) for suite, row in goals.items()
    )


def goal_rows(suites: Mapping[str, Scored]) -> pd.DataFrame:
    """How often predictions follow, and how often they would by exchanged goals, as rows of a forest plot."""
    rows = []
    for suite, one in suites.items():
        for row in one.goals[one.goals["measure"] == FOLLOWS].to_dict("records"):
            name = ", ".join(filter(None, (suite, row["group"] or "all")))
            rows.append((name, "the pairs' own goals", row["value"], row["low"], row["high"]))
            if pd.notna(row["chance"]):
                rows.append((name, "goals exchanged between pairs", row["chance"], None, None))
    return pd.DataFrame(rows, columns=["name", "series", "value", "low", "high"]).astype({"low": float, "high": float})


def strongest(suites: Mapping[str, Scored], classes: Sequence[str]) -> Markup:
    """The pairs of each suite that move the prediction most."""
    tables = [
        Markup("<h3>{}</h3>{}").format(suite, examples(one.pairs, classes, EXAMPLES)) for suite, one in suites.items()
    ]
    return details("The pairs that move the prediction most", *tables)


def _bounded(row: Mapping, name: str) -> dict[str, float]:
    """A column of `goal_rates` with its interval."""
    return {"value": row[name], "low": row[f"{name}_low"], "high": row[f"{name}_high"]}


def _beside(row: Mapping) -> dict:
    """What stands beside how often predictions follow: a bag of words; and, of pairs that all ask for the same, the
    opposite of up or down, else None."""
    opposite = _bounded(row, "opposite")
    return {"words": _bounded(row, "words"), "opposite": None if pd.isna(opposite["value"]) else opposite}


def _whole_goal(one: Scored) -> pd.Series | None:
    """How often the prediction follows over all pairs of a suite, and whether they all ask for the `same`; None where
    they ask for nothing."""
    rows = one.goals[(one.goals["measure"] == FOLLOWS) & (one.goals["group"] == "")]
    return rows.assign(same=rows["chance"].isna()).iloc[0] if len(rows) else None
