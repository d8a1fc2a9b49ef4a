"""The quotable numbers of suites."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from emoscope.experiments.suites.goals import FOLLOWS, goal_rates
from emoscope.perturbation.findings import counted, cut_off, rate_finding
from emoscope.perturbation.pairs import SUITE, large, moved, scored
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.settings import alpha_of
from emoscope.storage.files import read_json, write_table


def summarise_suites(
    pairs: list[Path], scores: list[Path], words: list[Path], summaries: list[Path], audit: Path, statistics: dict,
    goals: Path, findings: Path,
) -> None:  # fmt: skip
    """Write how often predictions follow goals, `suite` and the columns of `goal_rates`, and findings on every suite;
    `pairs`, `scores`, `words` (the scores of a bag of words) and `summaries` list the suites in one order."""
    margin, alpha = statistics["margin"], alpha_of(statistics)
    about, tables, found = read_json(audit), [], []
    classes = about["classes"]
    for pair, score, cheap, summary in zip(pairs, scores, words, summaries, strict=True):
        table, by_words = scored(pd.read_parquet(pair), pd.read_parquet(score)), pd.read_parquet(cheap)
        own, order = table[table["origin"] == SUITE], about.get("order", classes)
        rates = goal_rates(own, by_words, classes, order, margin, alpha)
        tables.append(rates.assign(suite=pair.stem))
        found += findings_of(pair.stem, table, pd.read_parquet(summary), rates, margin, alpha)
    write_table(pd.concat(tables, ignore_index=True), goals)
    write_findings(found, findings)


def findings_of(
    suite: str, pairs: pd.DataFrame, summary: pd.DataFrame, goals: pd.DataFrame, margin: float, alpha: float
) -> Iterator[Finding]:
    """Of all pairs and, behind the suite's name, of each group: `.changed` and `.large_changes`, the shares of pairs
    whose prediction does so; `.changed_beyond_neutral`, the first less that of neutral swaps; `.gap.{class}`, between
    the two groups of people; `.follows`, how often the prediction does what the pair asks, `.follows_beyond_chance`,
    NaN where all ask for the same, `.follows.words`, of a bag of words, and `.follows.above_words`, more than that; of
    the suite as a whole also `cut_off`."""
    own = pairs[pairs["origin"] == SUITE]
    yield from cut_off(suite, own)
    for group, kind in summary.groupby("term", sort=False):
        rows, name = kind.set_index("measure"), f"{suite}.{group}" if group else suite
        each = counted(own[own["term"] == group] if group else own.assign(term=""))
        for what, events in (("changed", moved(each)), ("large_changes", large(each))):
            yield rate_finding(f"{name}.{what}", events, each["cluster"], margin, alpha)
        for measure, row in rows.iterrows():
            if measure == "excess_changed":
                yield _finding(
                    f"{name}.changed_beyond_neutral", row, f"Of {int(row['texts'])} texts with a neutral swap."
                )
            elif measure.startswith("gap_"):
                pairs, independent = int(row["pairs"]), int(row["clusters"])
                alike = f", which tell as much as {independent} independent ones" if independent < pairs else ""
                yield _finding(f"{name}.gap.{measure.removeprefix('gap_')}", row, f"Over {pairs} pairs{alike}.")
    for row in goals[goals["measure"] == FOLLOWS].to_dict("records"):
        name = f"{suite}.{row['group']}" if row["group"] else suite
        chance = f"; with exchanged goals {row['chance']:.3f}"
        if pd.isna(row["chance"]):
            chance = f", which all ask for the same ({row['commonest']}): no exchange of goals can tell"
        note, texts = f"Of {row['pairs']} pairs{chance}.", row["clusters"]
        yield Finding(f"{name}.follows", row["value"], row["low"], row["high"], note, texts=texts)
        lead = (row["lead"], row["lead_low"], row["lead_high"])
        yield Finding(f"{name}.follows_beyond_chance", *lead, note, texts=texts)
        words = (row["words"], row["words_low"], row["words_high"])
        yield Finding(f"{name}.follows.words", *words, f"Of {row['pairs']} pairs.", texts=texts)
        above = (row["above_words"], row["above_low"], row["above_high"])
        yield Finding(f"{name}.follows.above_words", *above, f"Of {row['pairs']} pairs.", texts=texts)


def _finding(name: str, row: pd.Series, note: str) -> Finding:
    return Finding(
        name, row["value"], row["low"], row["high"], note, texts=row["clusters"], detectable=row["detectable_alone"]
    )
