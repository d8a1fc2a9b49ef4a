"""The figure of the prompting page; nothing is computed here."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoscope.reporting.plots import MARKERS, PALETTE, canvas, label_axes, styled


@styled
def epoch_losses(losses: pd.DataFrame) -> Figure:
    """Mean loss of each epoch, one line for each `training`; columns `training`, `epoch`, `loss`."""
    figure, axes = canvas(6, 3)
    for number, (name, rows) in enumerate(losses.groupby("training", sort=False)):
        style = {"color": PALETTE[number % len(PALETTE)], "marker": MARKERS[number % len(MARKERS)]}
        axes.plot(rows["epoch"], rows["loss"], **style, markersize=4.5, linewidth=1.4, label=name)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    label_axes(axes, x="epoch", y="mean training loss (nats)")
    axes.legend()
    return figure
