"""The figure that only the flips page has; nothing is computed here."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from emoscope.reporting.plots import PALETTE, label_axes, styled


@styled
def change_distribution(changes: Mapping[str, np.ndarray], threshold: float) -> Figure:
    """How many pairs change by how much: histograms on a logarithmic count axis; the dashed line is the threshold."""
    figure = Figure(figsize=(7, 1.5 + 1.2 * len(changes)), layout="constrained")
    grid = figure.subplots(len(changes), 1, squeeze=False, sharex=True)[:, 0]
    bins = np.linspace(0, 1, 41)
    for number, (axes, (name, values)) in enumerate(zip(grid, changes.items(), strict=True)):
        axes.hist(values, bins=bins, color=PALETTE[number], alpha=0.85)
        axes.axvline(threshold, color="#222", linestyle="--", linewidth=1)
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
        axes.set_title(f"{name}: {len(values):,} pairs")
        label_axes(axes, y="pairs")
    label_axes(grid[-1], x="largest change of any class's probability")
    return figure
