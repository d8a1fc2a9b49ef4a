"""The figure of the claims page; nothing is computed here."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from emoscope.reporting.plots import canvas, label_axes, styled
from emoscope.reporting.verdict_words import ON_CLAIMS


@styled
def verdict_matrix(claims: pd.DataFrame) -> Figure:
    """Verdicts as coloured tiles: rows are claims (`id`), columns runs (`run`), empty where a run tests a claim not."""
    table = claims.pivot(index="id", columns="run", values="verdict")
    verdicts = table.loc[claims["id"].unique(), claims["run"].unique()]
    present = [name for name in ON_CLAIMS if (verdicts == name).to_numpy().any()]
    codes = verdicts.apply(lambda column: column.map(lambda name: present.index(name) if name in present else np.nan))
    figure, axes = canvas(3.2 + 1.3 * verdicts.shape[1], 0.22 * len(verdicts) + 1.1)
    colours = mpl.colors.ListedColormap([ON_CLAIMS[name].colour for name in present])
    sns.heatmap(codes, ax=axes, cmap=colours, vmin=-0.5, vmax=len(present) - 0.5, linewidths=1.5, cbar=False)
    marks = [mpl.patches.Patch(color=ON_CLAIMS[name].colour, label=name) for name in present]
    figure.legend(handles=marks, loc="outside upper left", ncols=3)
    label_axes(axes)
    axes.tick_params(axis="both", rotation=0, length=0)
    return figure
