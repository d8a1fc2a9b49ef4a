"""The figure of the claims page; nothing is computed here."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from emoscope.reporting.plots import WIDEST, canvas, label_axes, styled
from emoscope.reporting.verdict_words import ON_CLAIMS

LONGEST = 18  # letters of a run's name that fit under its column


@styled
def verdict_matrix(claims: pd.DataFrame) -> Figure:
    """Verdicts as coloured tiles: rows are claims (`id`), columns runs (`run`), empty where a run tests a claim not."""
    table = claims.pivot(index="id", columns="run", values="verdict")
    verdicts = table.loc[claims["id"].unique(), claims["run"].unique()]
    present = [name for name in ON_CLAIMS if (verdicts == name).to_numpy().any()]
    codes = verdicts.apply(lambda column: column.map(lambda name: present.index(name) if name in present else np.nan))
    longest, runs = max(map(len, verdicts.columns)), len(verdicts.columns)
    upright = longest > LONGEST or 3.2 + 1.3 * runs > WIDEST
    width = min(WIDEST, 3.2 + (0.25 if upright else 1.3) * runs)
    figure, axes = canvas(width, 0.22 * len(verdicts) + 1.1 + (0.075 * longest if upright else 0))
    colours = mpl.colors.ListedColormap([ON_CLAIMS[name].colour for name in present])
    sns.heatmap(codes, ax=axes, cmap=colours, vmin=-0.5, vmax=len(present) - 0.5, linewidths=1.5, cbar=False)
    marks = [mpl.patches.Patch(color=ON_CLAIMS[name].colour, label=name) for name in present]
    figure.legend(handles=marks, loc="outside upper left", ncols=3)
    label_axes(axes)
    axes.tick_params(axis="both", rotation=0, length=0)
    if upright:
        axes.tick_params(axis="x", rotation=90)
    return figure
