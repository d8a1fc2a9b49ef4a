"""How far estimates of edges can be trusted, and how few keep what a flip changes: tables and quotable numbers."""

from pathlib import Path

import pandas as pd

from emoscope.experiments.circuits.curves import SIZE_COLUMNS, curves_of, size_table
from emoscope.experiments.circuits.names import EDGE
from emoscope.experiments.circuits.summarise import SHARE_COLUMNS, agreement, circuits, part_table
from emoscope.perturbation.inside.names import FLIP, ROUNDING
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.settings import resampling
from emoscope.storage.files import write_table


def summarise_edges(
    sample: list[Path],
    effects: list[Path],
    checked: list[Path],
    curves: list[Path],
    axes: dict,
    statistics: dict,
    edges: list[Path],
    edge_sizes: list[Path],
    edge_findings: Path,
) -> None:
    """Write what `summarise_circuits` does, of edges in the place of parts: for every axis the tables of `part_table`,
    of edges that were patched, and `size_table`, and their findings by the same names."""
    found: list[Finding] = []
    for number, axis in enumerate(axes["axes"]):
        files = (sample, effects, checked, curves)
        flips, effect, chosen, curve = (pd.read_parquet(paths[number]) for paths in files)
        flips = flips[(flips["kind"] == FLIP) & flips["pair"].isin(effect["pair"])]
        told, options = len(flips) and flips["total"].mean() > ROUNDING, resampling(statistics)
        kept = curves_of(flips, curve) if told and len(curve) else None
        table = part_table(flips, effect, chosen, EDGE) if told else pd.DataFrame(columns=[*EDGE, *SHARE_COLUMNS])
        write_table(table, edges[number])
        write_table(
            size_table(kept, flips, options) if kept else pd.DataFrame(columns=SIZE_COLUMNS), edge_sizes[number]
        )
        if told:
            whole = flips.assign(half=0)  # of so few edges, most of them the largest, halves would say nothing
            found += agreement(axis, whole, effect, chosen, options, EDGE, "edges")
        if kept:
            found += circuits(axis, kept, flips, options, "edges")
    write_findings(found, edge_findings)
