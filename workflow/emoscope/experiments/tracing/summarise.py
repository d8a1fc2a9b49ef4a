"""Tables and quotable numbers on flips from inside."""

from collections.abc import Iterator
from math import comb
from pathlib import Path

import pandas as pd

from emoscope.experiments.tracing.profiles import Profiles, compare, concentration_table, dimension_table, profiles_of
from emoscope.experiments.tracing.shares import BOTH, summarise_shares
from emoscope.perturbation.inside.names import FLIP
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.settings import resampling
from emoscope.storage.files import write_table
from emoscope.storage.names import NONE

PAPER_WIDTH = 768
PAPER_PLACES = {380: range(370, 391), 620: range(610, 631)}  # the paper's "around 380 and 620", of 768 dimensions


def summarise_tracing(
    averaged: list[Path],
    effects: list[Path],
    changes: list[Path],
    axes: list[str],
    statistics: dict,
    shares: list[Path],
    dimensions: list[Path],
    counts: list[Path],
    concentration: list[Path],
    findings: Path,
) -> None:
    """Write for every axis the tables of `summarise_shares`, `dimension_table` and `concentration_table`, and what they
    say as findings; the lists of files are in the order of `axes`."""
    options = resampling(statistics)
    found: list[Finding] = []
    for number, axis in enumerate(axes):
        pairs, moved, changed = (pd.read_parquet(files[number]) for files in (averaged, effects, changes))
        profiles = profiles_of(changed)
        summary = summarise_shares(pairs, moved, options)
        tested, standing_out = dimension_table(profiles, options)
        concentrated = concentration_table(profiles, options)
        tables = (summary, tested, standing_out, concentrated)
        for table, files in zip(tables, (shares, dimensions, counts, concentration), strict=True):
            write_table(table, files[number])
        found += path_findings(axis, pairs, summary, statistics)
        found += dimension_findings(axis, profiles, tested, standing_out, concentrated, options)
    write_findings(found, findings)


def path_findings(axis: str, averaged: pd.DataFrame, shares: pd.DataFrame, statistics: dict) -> Iterator[Finding]:
    """`{axis}.{flip|neutral|difference}.{...}`: `margin`, how far it moves, in logits (no difference); the share of
    that at each kind of place before each block (`residual.pooled.3`; behind the last block, its number), in each
    attention and feed-forward (`attention.3`), in the lens (`lens.3`), and in the strongest head (`head`)."""
    pairs = averaged.dropna(subset="total")
    for kind, rows in pairs.groupby("kind"):
        low, high = bootstrap_mean(rows["total"].to_numpy(), rows["cluster"].to_numpy(), **resampling(statistics))
        note = f"{len(rows)} pairs; of the two classes that each pair moves most, flipped minus original."
        yield Finding(f"{axis}.{kind}.margin", rows["total"].mean(), low, high, note, texts=rows["cluster"].nunique())
    known = shares.dropna(subset="value")
    whole = known[known["direction"].isin([BOTH, ""]) & (known["head"] == NONE) & (known["measure"] != "attribution")]
    for row in whole.itertuples():
        name = ".".join(filter(None, [row.site or row.measure, row.place, str(row.block)]))
        yield _share(f"{axis}.{row.kind}.{name}", row, f"{row.pairs} pairs.")
    heads = known[(known["measure"] == "patching") & (known["site"] == "head")]
    if (flips := heads[heads["kind"] == FLIP]).empty:
        return
    block, head = flips.loc[flips["value"].idxmax(), ["block", "head"]]
    note = f"Head {head} of block {block}, which carries most of {len(flips)}, and so looks larger than it is."
    for row in heads[(heads["block"] == block) & (heads["head"] == head)].itertuples():
        yield _share(f"{axis}.{row.kind}.head", row, note)


def _share(name: str, row, note: str) -> Finding:
    return Finding(name, row.value, row.low, row.high, note, texts=row.clusters)


def dimension_findings(
    axis: str,
    profiles: Profiles,
    dimensions: pd.DataFrame,
    counts: pd.DataFrame,
    concentration: pd.DataFrame,
    options: dict,
) -> Iterator[Finding]:
    """`{axis}.dimensions.{...}`: `standing_out.{flip|neutral}`, how many dimensions change more than in the other kind;
    `participation.{kind}` and `held_out.{kind}`, see `concentration_table`; at the paper's width, `around_380.{kind}`
    and `around_620.{kind}`, the share of the change in the dimensions within 10 of these, and their best `rank`."""
    flips, neutral = profiles.flips.sum(), (~profiles.flips).sum()
    words = f"{flips} word pairs that are flipped, {neutral} neutral ones."
    for row in counts.dropna(subset="value").itertuples():
        note = f"Of {len(dimensions)} dimensions; {row.expected:.1f} by chance. {words}"
        yield Finding(f"{axis}.dimensions.standing_out.{row.kind}", row.value, note=note, beyond=row.p)
    for row in concentration.dropna(subset="value").itertuples():
        name = f"{axis}.dimensions.{row.measure.replace(' ', '_')}.{row.kind}"
        yield Finding(name, row.value, row.low, row.high, words)
    if len(dimensions) != PAPER_WIDTH or not flips:
        return
    ranks = dimensions["flip"].rank(ascending=False, method="first")
    for place, inside in PAPER_PLACES.items():
        share = profiles.shares[:, list(inside)].sum(axis=1)
        for row in compare(share, profiles.flips, options).dropna(subset="value").itertuples():
            note = f"Dimensions {inside[0]} to {inside[-1]}; {len(inside) / PAPER_WIDTH:.3f} of all dimensions. {words}"
            yield Finding(f"{axis}.dimensions.around_{place}.{row.kind}", row.value, row.low, row.high, note)
        best = int(ranks[list(inside)].min())
        chance = 1 - comb(PAPER_WIDTH - best, len(inside)) / comb(PAPER_WIDTH, len(inside))
        out = int((dimensions["p_flip"][list(inside)] <= options["alpha"]).sum())
        note = f"Of {PAPER_WIDTH}; as good by chance with probability {chance:.3f}. {out} of {len(inside)} stand out."
        yield Finding(f"{axis}.dimensions.around_{place}.rank", best, note=note, beyond=chance)
