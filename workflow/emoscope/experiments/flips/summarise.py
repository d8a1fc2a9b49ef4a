"""The quotable numbers of flips."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from emoscope.perturbation.findings import beyond_neutral, counted, cut_off, rate_finding
from emoscope.perturbation.pairs import NEUTRAL_OF, NEUTRAL_ORIGINS, large, moved, pair_classes, scored
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.settings import alpha_of


def summarise_flips(pairs: list[Path], scores: list[Path], statistics: dict, findings: Path) -> None:
    """Write the findings on every axis; `pairs` and `scores` list the axes in one order."""
    margin, alpha = statistics["margin"], alpha_of(statistics)
    found = [
        finding
        for pair, score in zip(pairs, scores, strict=True)
        for finding in findings_of(pair.stem, scored(pd.read_parquet(pair), pd.read_parquet(score)), margin, alpha)
    ]
    write_findings(found, findings)


def findings_of(axis: str, pairs: pd.DataFrame, margin: float, alpha: float) -> Iterator[Finding]:
    """Of every kind of text, `{axis}.{origin}.large_changes`, the share whose flip moves some class's probability by
    10 % or more, and `.changed`, whose predicted class changes; `.large_changes_beyond_neutral`, the first less that of
    neutral swaps; of every pair that the paper prints and every class, `{axis}.published.{pair}.{class}`, the change of
    its probability; and of every kind `cut_off`."""
    for origin, kind in pairs.groupby("origin", sort=False):
        own = counted(kind)
        if origin not in NEUTRAL_ORIGINS:
            yield from cut_off(f"{axis}.{origin}", kind)
        if origin == "published":
            yield from published_pairs(axis, kind)
        elif origin not in NEUTRAL_ORIGINS and len(own):
            for name, events in (("large_changes", large(own)), ("changed", moved(own))):
                yield rate_finding(f"{axis}.{origin}.{name}", events, own["cluster"], margin, alpha)
            neutral = counted(pairs[pairs["origin"] == NEUTRAL_OF[origin]])
            name = f"{axis}.{origin}.large_changes_beyond_neutral"
            yield from beyond_neutral(name, own, neutral, large, margin, alpha)


def published_pairs(axis: str, pairs: pd.DataFrame) -> Iterator[Finding]:
    """Change of every class's probability for each pair that the paper prints."""
    note = "One pair of texts and a model that always answers the same: nothing is sampled."
    classes = pair_classes(pairs)
    for term, rows in pairs.groupby("term", sort=False):
        for name in classes:
            change = float(rows[f"after_{name}"].iloc[0] - rows[f"before_{name}"].iloc[0])
            yield Finding(f"{axis}.published.{term}.{name}", change, note=note)
