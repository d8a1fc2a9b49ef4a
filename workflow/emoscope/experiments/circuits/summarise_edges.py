"""How far estimates of edges can be trusted, and how few keep what a flip changes: tables and quotable numbers."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from emoscope.experiments.circuits.names import EDGE, called
from emoscope.experiments.circuits.summarise import axis_tables
from emoscope.perturbation.inside.names import FLIP
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.settings import resampling
from emoscope.storage.files import write_table


def summarise_edges(
    sample: list[Path],
    effects: list[Path],
    checked: list[Path],
    curves: list[Path],
    followed: list[Path],
    axes: list[str],
    statistics: dict,
    edges: list[Path],
    edge_sizes: list[Path],
    edge_findings: Path,
) -> None:
    """Write what `summarise_circuits` does, of edges in the place of parts: for every axis the tables of `part_table`,
    of edges that were patched, and `size_table`, and their findings by the same names; and `{axis}.pairs`, with how
    many flips edges were tried, and `{axis}.failed`, in how many of these the model does not answer by its edges."""
    found: list[Finding] = []
    for number, axis in enumerate(axes):
        moved, *measured = (pd.read_parquet(paths[number]) for paths in (sample, effects, checked, curves))
        flips = moved[(moved["kind"] == FLIP) & moved["pair"].isin(measured[0]["pair"])]
        shares, kept, told = axis_tables(axis, flips, measured, resampling(statistics), EDGE, ("edges", "edges"))
        write_table(shares, edges[number])
        write_table(kept, edge_sizes[number])
        found += [*told, *tried(axis, pd.read_parquet(followed[number]))]
    write_findings(found, edge_findings)


def tried(axis: str, followed: pd.DataFrame) -> Iterator[Finding]:
    """Nothing without flips."""
    if len(followed):
        yield Finding(f"{axis}.pairs", len(followed))
        yield Finding(
            f"{axis}.failed", int((~followed["follows"]).sum()), note=f"Of {len(followed)} {called(axis)[0]}s."
        )
