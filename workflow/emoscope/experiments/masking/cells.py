"""Cells of tables on the masking page: a change, and the verdict on it."""

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.masking.readings import is_a_change
from emoscope.reporting.html import badge, cell, signed, unsigned


def change_cell(row: Mapping | pd.Series | None, alpha: float = 0.0) -> Markup:
    """A change with its interval, in bold if it is one: see `is_a_change`."""
    return cell(row, value="change", strong=row is not None and is_a_change(row, alpha))


def plain_change_cell(row: pd.Series, alpha: float) -> Markup:
    """A change without its interval, in bold if it is one: see `is_a_change`."""
    shown = Markup("{}").format(signed(row["change"]))
    return Markup("<strong>{}</strong>").format(shown) if is_a_change(row, alpha) else shown


def verdict_cell(row: Mapping | pd.Series) -> Markup:
    """The verdict on "no effect" and, after it, the smallest effect that the texts probably show."""
    return Markup('{} <span class="interval">{}</span>').format(badge(row["verdict"]), unsigned(row["detectable"]))
